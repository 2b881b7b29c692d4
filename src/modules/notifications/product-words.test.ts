import { expect, it } from 'vitest';
import { changesInWords } from './product-words.ts';

const vocabulary = {
  currency: 'KWD',
  categoryNames: async (id: string) => (id === 'c1' ? ['Home', 'Kitchen'] : []),
};
const updated = async (field: string, from: unknown, to: unknown) =>
  (await changesInWords('updated', { [field]: { from, to } }, vocabulary))[0];

it.each([
  ['price', '1.250', '1.000', 'Price', '1.250 KWD → 1.000 KWD'],
  ['sale_price', null, '0.900', 'Sale price', 'none → 0.900 KWD'],
  ['category_id', 'c1', 'gone', 'Category', 'Home › Kitchen → a category that is gone'],
  ['availability', 'in_stock', 'out_of_stock', 'Availability', 'in stock → out of stock'],
  ['active', true, false, 'Active', 'yes → no'],
  ['brand', '', 'Acme', 'Brand', 'none → Acme'],
  ['gtin', null, '4006381333931', 'GTIN', 'none → 4006381333931'],
  ['description', 'Old.', 'New.', 'Description', 'changed'],
  ['description', '', 'New.', 'Description', 'added'],
  ['attributes', { a: 1 }, {}, 'Attributes', 'a removed'],
  ['attributes', { a: 1, b: [1], c: 1 }, { a: 2, b: [1], care_label: 'x' }, 'Attributes', 'a, c, care label changed'],
  ['name', 'a\n b', 'x'.repeat(200), 'Name', `a b → ${'x'.repeat(99)}…`],
])('%s from %j to %j is told as %s: %s', async (field, from, to, name, text) => {
  expect(await updated(field, from, to)).toEqual({ field: name, text });
});

it('tells of a new product what it has, beyond what the message says anyway', async () => {
  const changes = Object.fromEntries(
    Object.entries({
      ...{ sku: 'A', slug: 'a', name: 'A', price: '1.000', sale_price: null, featured: false },
      ...{ category_id: 'c1', brand: null, description: 'Long.', attributes: {} },
    }).map(([field, to]) => [field, { from: null, to }]),
  );
  expect(await changesInWords('created', changes, vocabulary)).toEqual([
    { field: 'Price', text: '1.000 KWD' },
    { field: 'Featured', text: 'no' },
    { field: 'Category', text: 'Home › Kitchen' },
    { field: 'Description', text: 'added' },
  ]);
});
