import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNarrowed, readParameters, toFilterQuery, toListQuery, toSearch } from './parameters.ts';

const read = (query: Record<string, unknown>, currency = 'USD') => readParameters(query, currency);
const search = (query: Record<string, unknown>, currency?: string) => toSearch(read(query, currency));

describe('a list page’s query', () => {
  it('is written one way, whatever the order and whatever came with it', () => {
    const one = search({ utm_source: 'mail', color: ['Teal', 'Rust'], brand: 'Kobo', page: '2', gclid: 'x' });
    const other = search({ page: '2', brand: ['Kobo', 'Kobo'], color: ['Rust', 'Teal', ''], fbclid: 'y' });
    expect(one).toBe('?brand=Kobo&color=Rust&color=Teal&page=2');
    expect(other).toBe(one);
  });

  it('leaves out what is empty or as it is anyway', () => {
    expect(
      search({ search: ' ', brand: '', price_min: '', in_stock: 'false', ordering: '-created_at', page: '1' }),
    ).toBe('');
    expect(search({ ordering: 'relevance' })).toBe('');
    expect(search({ ordering: 'drop table' })).toBe('');
  });

  it('keeps the newest first under a search, where it is a choice', () => {
    expect(search({ search: 'mug', ordering: '-created_at' })).toBe('?search=mug&ordering=-created_at');
    expect(search({ search: 'mug', ordering: 'relevance' })).toBe('?search=mug');
  });

  it.each([
    ['20', '20.00'],
    [' $20.5 ', '20.50'],
    ['20,50 €', '20.50'],
    ['1,299', '1299.00'],
    ['1 299.90', '1299.90'],
    ['USD 5', '5.00'],
  ])('reads %j as the price %s', (text, price) => {
    expect(read({ price_min: text })).toMatchObject({ priceMin: price, faults: [] });
  });

  it.each(['foo', '-5', '1e5', '19.999', '9'.repeat(30), 'NaN'])(
    'tells that %j is no price, and goes on without it',
    (text) => {
      expect(read({ price_max: text })).toMatchObject({ priceMax: null, faults: ['price_max'] });
    },
  );

  it('knows the digits of the currency', () => {
    expect(read({ price_min: '1500' }, 'JPY').priceMin).toBe('1500');
    expect(read({ price_min: '15.5' }, 'JPY').faults).toEqual(['price_min']);
    expect(read({ price_min: '1.25' }, 'KWD').priceMin).toBe('1.250');
  });

  it('turns a range round that is written backwards', () => {
    expect(read({ price_min: '90', price_max: '10' })).toMatchObject({ priceMin: '10.00', priceMax: '90.00' });
  });

  it.each([
    ['abc', 1],
    ['0', 1],
    ['-3', 1],
    ['2.5', 1],
    ['7', 7],
    ['99999999999999999999', 1_000_000],
  ])('takes the page %j as %i', (text, page) => {
    expect(read({ page: text }).page).toBe(page);
  });

  it('cuts a search at the length that the catalogue takes, and strips what is no text', () => {
    expect(read({ search: 'x'.repeat(10_000) }).search).toHaveLength(200);
    expect(read({ search: 'a\0b\x1bc' }).search).toBe('a b c');
    expect(read({ search: 'a\ud800' }).search).toBe('a\ufffd');
  });

  it('survives any query, and what it makes of it is within the catalogue’s limits and reads the same again', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('1', '$5', '٣', '\ud83d'),
      fc.array(fc.string(), { maxLength: 60 }),
      fc.constant(undefined),
    );
    const names = [
      'search',
      'category',
      'brand',
      'color',
      'size',
      'price_min',
      'price_max',
      'in_stock',
      'ordering',
      'page',
    ];
    fc.assert(
      fc.property(fc.record(Object.fromEntries(names.map((name) => [name, anything]))), (query) => {
        const parameters = read(query);
        const list = toListQuery(parameters);
        expect(list.search?.length ?? 0).toBeLessThanOrEqual(200);
        expect(list.brand?.length ?? 0).toBeLessThanOrEqual(50);
        expect(JSON.stringify(list)).not.toContain('\\u0000');
        const again: Record<string, string[]> = {};
        for (const [name, value] of new URLSearchParams(toSearch(parameters)))
          again[name] = [...(again[name] ?? []), value];
        expect(toSearch(read(again))).toBe(toSearch(parameters));
      }),
    );
  });

  it('asks the catalogue for what it says', () => {
    const parameters = read({
      search: 'mug',
      category: 'kitchen',
      brand: ['B', 'A'],
      price_max: '20',
      in_stock: 'true',
      ordering: 'price',
      page: '3',
    });
    const filters = { search: 'mug', category: 'kitchen', brand: ['A', 'B'], price_max: '20.00', in_stock: true };
    expect(toFilterQuery(parameters)).toEqual(filters);
    expect(toListQuery(parameters)).toEqual({ ...filters, ordering: 'price', page: 3, page_size: 24 });
  });

  it('knows a page that search engines should enter by', () => {
    expect(isNarrowed(read({ category: 'kitchen', page: '2' }))).toBe(false);
    expect(isNarrowed(read({ brand: 'Kobo' }))).toBe(true);
    expect(isNarrowed(read({ ordering: 'price' }))).toBe(true);
  });
});
