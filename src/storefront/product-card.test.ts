import { describe, expect, it } from 'vitest';
import { mergeSizes, onePerFamily, productGrid, stockOf } from './product-card.ts';
import { exampleItem } from './testing.ts';

describe('a product in a list', () => {
  it.each([
    [{ stock: 3 }, 'few', 'Only 3 left'],
    [{ stock: 0, in_stock: false }, 'gone', 'Sold out'],
    [{ stock: null }, 'available', 'In stock'],
    [{ availability: 'preorder' as const, in_stock: false }, 'later', 'Preorder'],
    [{ availability: 'backorder' as const, in_stock: false, stock: 0 }, 'later', 'On backorder'],
  ])('with %j is told as %s', (changes, state, text) => {
    expect(stockOf(exampleItem(changes))).toEqual({ state, text });
  });

  it('shows the price that it had, and that it is reduced', () => {
    const card = productGrid([exampleItem({ price: '25.00', sale_price: '20.00' })]).text;
    expect(card).toMatch(/\$20\.00.*<s>.*was.*\$25\.00<\/s>/s);
    expect(card).toContain('>Sale<');
    expect(productGrid([exampleItem()]).text).not.toContain('>Sale<');
  });

  it('holds its picture’s place, and loads it when it comes into view', () => {
    const grid = productGrid([exampleItem(), exampleItem()], 1).text;
    const [first, second] = grid.match(/<img[^>]*>/g)!;
    expect(first).toMatch(/width="800" height="1000"/);
    expect(first).not.toContain('lazy');
    expect(second).toContain('loading="lazy"');
  });

  it('is one card with its sizes, and apart from what looks or costs otherwise', () => {
    const shirt = { group_id: 'G', name: 'Shirt', color: 'Black' };
    const items = [
      exampleItem({ ...shirt, size: 'XL', slug: 'xl' }),
      exampleItem({ ...shirt, size: 'S', slug: 's', in_stock: false, stock: 0 }),
      exampleItem({ ...shirt, size: 'M', slug: 'm', color: 'White' }),
      exampleItem({ ...shirt, size: 'L', slug: 'l', price: '99.00' }),
      exampleItem({ group_id: null, size: 'M', slug: 'other' }),
    ];
    expect(mergeSizes(items).map(({ item, sizes }) => [item.slug, ...sizes.map((size) => size.size)])).toEqual([
      ['xl', 'S', 'XL'],
      ['m', 'M'],
      ['l', 'L'],
      ['other', 'M'],
    ]);
    const grid = productGrid(items).text;
    for (const { slug } of items) expect(grid).toContain(`href="/products/${slug}"`);
  });

  it('says what its name leaves open, once', () => {
    const about = (changes: Parameters<typeof exampleItem>[0]) =>
      /<p class="about"><bdi>(.*?)<\/bdi>/.exec(productGrid([exampleItem({ brand: 'Kobo', ...changes })]).text)?.[1];
    expect(about({ group_id: 'G', name: 'Linen Shirt, Pale Blue', color: 'Pale blue', size: 'S' })).toBe('Kobo · S');
    expect(about({ group_id: 'G', name: 'Linen Shirt', color: 'Blue', size: null })).toBe('Kobo · Blue');
    expect(about({ group_id: null, name: 'Linen Shirt', color: 'Blue', size: 'S' })).toBe('Kobo');
    expect(about({ brand: null })).toBeUndefined();
  });

  it('stands for its family where a row is short', () => {
    const [a, b, c] = [exampleItem({ group_id: 'G' }), exampleItem({ group_id: 'G' }), exampleItem()];
    expect(onePerFamily([a, b, c])).toEqual([a, c]);
    expect(onePerFamily([a, b, c], new Set(['G']))).toEqual([c]);
  });
});
