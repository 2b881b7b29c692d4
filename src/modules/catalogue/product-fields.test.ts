import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppError } from '../../kernel/errors.ts';
import { demandConsistent, diffFields, FIELD_NAMES, type GivenFields, LEFT_OUT, readFields } from './product-fields.ts';

const read = (given: GivenFields, currency = 'EUR') => readFields(given, currency);

function faults(given: GivenFields, currency = 'EUR'): string[] {
  try {
    readFields(given, currency);
    return [];
  } catch (error) {
    const { code, details } = error as AppError;
    expect(code).toBe('validation_failed');
    return details.errors!.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('fields of a product as people write them', () => {
  it('tidies texts as feeds are tidied', () => {
    expect(read({ name: ' A  blue\tmug ', description: ' One\r\n  two \n', brand: '  ', mpn: 'M 1' })).toEqual({
      name: 'A blue mug',
      description: 'One\n  two',
      brand: null,
      mpn: 'M 1',
    });
    expect(read({ category_id: '0190A5B0-0000-7000-8000-00000000000A', gtin: '4006381-333931', size: null })).toEqual({
      category_id: '0190a5b0-0000-7000-8000-00000000000a',
      gtin: '4006381333931',
      size: null,
    });
  });

  it("takes money in the currency's own digits, above zero", () => {
    expect(read({ price: '19.90', sale_price: '0.01' })).toEqual({ price: 1990, sale_price: 1 });
    expect(read({ price: '1500' }, 'JPY')).toEqual({ price: 1500 });
    expect(read({ price: '1.25' }, 'KWD')).toEqual({ price: 1250 });
    expect(faults({ price: '0', sale_price: '0.00' })).toEqual([
      'price must be above zero',
      'sale_price must be above zero',
    ]);
    for (const price of ['-1', '1,50', '1.234', '1e3', '', ' 1', '9999999999999'])
      expect(faults({ price }), price).toEqual(['price must be an amount in EUR, such as 19.99']);
    expect(faults({ price: '1.5' }, 'JPY')).toEqual(['price must be an amount in JPY, such as 1999']);
  });

  it('judges the check digit of a GTIN, in each of its lengths', () => {
    for (const gtin of ['96385074', '036000291452', '4006381333931', '10614141000415'])
      expect(read({ gtin })).toEqual({ gtin });
    for (const gtin of ['96385075', '4006381333932', '400638133393', '12345', 'ABCDEFGH', '00000000'])
      expect(faults({ gtin }), gtin).toHaveLength(1);
    expect(read({ gtin: '' })).toEqual({ gtin: null });
  });

  it('takes as a slug what can stand in an address and is no route or id', () => {
    expect(read({ slug: 'blue-mug-2' })).toEqual({ slug: 'blue-mug-2' });
    for (const slug of [
      'featured',
      'filters',
      '0190a5b0-0000-7000-8000-00000000000a',
      'Blue',
      'a--b',
      '-a',
      'a/b',
      'é',
    ])
      expect(faults({ slug }), slug).toHaveLength(1);
  });

  it('refuses what PostgreSQL, XML or the feed could not hold, and tells all faults together', () => {
    expect(
      faults({ name: 'a\u0007b', description: 'a\u0000b', brand: '\ud800', sku: ' ', color: 'x'.repeat(201) }),
    ).toEqual([
      'sku must not be empty',
      'name must not hold control characters',
      'description must not hold control characters',
      'brand must not hold control characters',
      'color must not be longer than 200 characters',
    ]);
    // Lengths count as the feed counts them.
    expect(faults({ name: '😀'.repeat(251) })).toEqual(['name must not be longer than 500 characters']);
  });

  it('bounds attributes in number, size, depth and names', () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });
    expect(read({ attributes: { a: [1, { b: 'x\ny' }], c: null, d: -0 } })).toEqual({
      attributes: { a: [1, { b: 'x\ny' }], c: null, d: 0 },
    });
    expect(faults({ attributes: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [i, 1])) })).toHaveLength(1);
    expect(faults({ attributes: { a: 'x'.repeat(65_536) } })).toEqual([
      'attributes must not be larger than 64 kB together',
    ]);
    expect(faults({ attributes: nested(9) })).toEqual(['attributes must not be nested deeper than 8 levels']);
    for (const attributes of [
      { '': 1 },
      { ['x'.repeat(101)]: 1 },
      { 'a\nb': 1 },
      { a: ['\u0000'] },
      { a: { '\ud800': 1 } },
    ])
      expect(faults({ attributes }), JSON.stringify(attributes)).toHaveLength(1);
  });

  it('keeps a sale price below the price', () => {
    expect(() => demandConsistent({ price: 100, sale_price: 99 })).not.toThrow();
    expect(() => demandConsistent({ price: 100, sale_price: null })).not.toThrow();
    for (const sale_price of [100, 101])
      expect(() => demandConsistent({ price: 100, sale_price })).toThrow(
        expect.objectContaining({ details: { errors: [{ path: 'sale_price', message: 'must be below the price' }] } }),
      );
  });

  it('says of every field what it is when nobody does', () => {
    expect(Object.keys({ ...LEFT_OUT, sku: '', slug: '', name: '', price: 1 }).sort()).toEqual([...FIELD_NAMES].sort());
  });

  it('spells differences as the API does', () => {
    const before = { name: 'a', price: 100, sale_price: 50, attributes: { a: 1, b: [1] } };
    expect(diffFields(before, { ...before, attributes: { b: [1], a: 1 } }, 'EUR')).toEqual({});
    expect(
      diffFields(before, { ...before, price: 120, sale_price: null, attributes: { a: 1, b: [2] } }, 'EUR'),
    ).toEqual({
      price: { from: '1.00', to: '1.20' },
      sale_price: { from: '0.50', to: null },
      attributes: { from: { a: 1, b: [1] }, to: { a: 1, b: [2] } },
    });
  });

  it('reads what it has read again to the same', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.record({ name: text, description: text, brand: text }), (given) => {
        let once: GivenFields;
        try {
          once = read(given) as GivenFields;
        } catch {
          return;
        }
        expect(read(once)).toEqual(once);
      }),
    );
  });
});
