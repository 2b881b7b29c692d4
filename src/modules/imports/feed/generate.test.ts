import { expect, test } from 'vitest';
import { generateFeed } from './generate.ts';
import { readAll } from './testing.ts';

const feed = (count: number, seed: number, currency = 'USD') => [...generateFeed(count, { seed, currency })].join('');

test('the same seed gives the same feed, another one another', () => {
  expect(feed(60, 7)).toBe(feed(60, 7));
  expect(feed(60, 7)).not.toBe(feed(60, 8));
});

test.each(['USD', 'JPY', 'KWD'])('every item is accepted in %s', async (currency) => {
  const { items, issues, summary } = await readAll(feed(500, 1, currency), { currency });
  expect(issues).toEqual([]);
  expect(summary).toEqual({ read: 500, accepted: 500, rejected: 0 });
  expect(new Set(items.map(({ sku }) => sku)).size).toBe(500);
});

test.each([0, 1, 49, 50, 51])('%i items are that many', async (count) => {
  expect((await readAll(feed(count, 1))).summary?.accepted).toBe(count);
});

test('it looks like a shop', async () => {
  const { items } = await readAll(feed(4_000, 1));
  const share = (matches: (item: (typeof items)[number]) => boolean) => items.filter(matches).length / items.length;
  expect(share(({ salePrice }) => salePrice !== null)).toBeCloseTo(0.2, 1);
  expect(share(({ quantity }) => quantity !== null)).toBeCloseTo(0.9, 1);
  expect(share(({ groupId }) => groupId !== null)).toBeGreaterThan(0.4);
  const distinct = (values: (string | null)[]) => new Set(values).size;
  expect(distinct(items.map(({ brand }) => brand))).toBeGreaterThan(200);
  expect(distinct(items.map(({ categoryPath }) => categoryPath.join()))).toBeGreaterThan(150);
  const words = items.flatMap(({ name }) => name.split(' '));
  expect(distinct(words)).toBeGreaterThan(1_000);
  const lengths = items.map(({ description }) => description.split(' ').length);
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(90);
});
