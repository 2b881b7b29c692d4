import { describe, expect, test } from 'vitest';
import {
  readAgeGroup,
  readAvailability,
  readCondition,
  readGender,
  readGtin,
  readInterval,
  readQuantity,
} from './values.ts';

test.each([
  ['in_stock', 'in_stock'],
  ['in stock', 'in_stock'],
  ['In Stock', 'in_stock'],
  ['IN_STOCK', 'in_stock'],
  ['available for order', 'in_stock'],
  ['limited availability', 'in_stock'],
  ['https://schema.org/InStock', 'in_stock'],
  ['http://schema.org/LimitedAvailability', 'in_stock'],
  ['out of stock', 'out_of_stock'],
  ['out_of_stock', 'out_of_stock'],
  ['https://schema.org/OutOfStock', 'out_of_stock'],
  ['discontinued', 'out_of_stock'],
  ['https://schema.org/Discontinued', 'out_of_stock'],
  ['sold out', 'out_of_stock'],
  ['preorder', 'preorder'],
  ['pre-order', 'preorder'],
  ['https://schema.org/PreOrder', 'preorder'],
  ['backorder', 'backorder'],
  ['on display to order', 'backorder'],
  ['https://schema.org/BackOrder', 'backorder'],
  ['soonish', null],
  ['', null],
])('availability %j is %j', (text, value) => {
  expect(readAvailability(text)).toBe(value);
});

test.each([
  [readCondition, 'New', 'new'],
  [readCondition, 'https://schema.org/NewCondition', 'new'],
  [readCondition, 'Neuf', 'new'],
  [readCondition, 'pre-owned', 'used'],
  [readCondition, 'refurbished', 'refurbished'],
  [readCondition, 'mint', null],
  [readGender, 'Men', 'male'],
  [readGender, "Women's", 'female'],
  [readGender, 'Damen', 'female'],
  [readGender, 'HERREN', 'male'],
  [readGender, 'homme', 'male'],
  [readGender, 'unisex', 'unisex'],
  [readGender, 'constructor', null],
  [readAgeGroup, 'Adults', 'adult'],
  [readAgeGroup, 'kids', 'kids'],
  [readAgeGroup, 'teen', null],
])('%o of %j is %j', (read, text, value) => {
  expect(read(text)).toBe(value);
});

test.each([
  ['4006381333931', '4006381333931'],
  ['4006381333932', null],
  ['400-6381 333931', '4006381333931'],
  ['036000291452', '036000291452'],
  ['96385074', '96385074'],
  ['10614141000415', '10614141000415'],
  ['1061414100041', null],
  ['0000000000000', null],
  ['123', null],
  ['400638133393X', null],
  ['8.90123E+12', null],
  ['', null],
])('GTIN %j is %j', (text, gtin) => {
  expect(readGtin(text)).toBe(gtin);
});

test.each([
  ['0', 0],
  ['12', 12],
  ['12.00', 12],
  ['1000000000', 1_000_000_000],
  ['1000000001', null],
  ['-1', null],
  ['1.5', null],
  ['1e3', null],
  ['many', null],
  ['', null],
])('quantity %j is %j', (text, quantity) => {
  expect(readQuantity(text)).toBe(quantity);
});

describe('intervals', () => {
  const utc = (text: string) => Date.parse(text);
  test.each([
    ['2026-02-24T11:07+0100/2026-03-01T23:07+0100', '2026-02-24T10:07:00Z', '2026-03-01T22:07:00Z'],
    ['2026-02-24T11:07:31+01:00/2026-03-01T23:07:31-05:00', '2026-02-24T10:07:31Z', '2026-03-02T04:07:31Z'],
    ['2026-02-24T11:07Z / 2026-03-01T23:07Z', '2026-02-24T11:07:00Z', '2026-03-01T23:07:00Z'],
    ['2026-02-24/2026-03-01', '2026-02-24T00:00:00Z', '2026-03-01T23:59:59.999Z'],
    ['2026-02-24 11:07/2026-03-01 23:07', '2026-02-24T11:07:00Z', '2026-03-01T23:07:00Z'],
  ])('%s', (text, from, to) => {
    expect(readInterval(text)).toEqual({ from: utc(from), to: utc(to) });
  });

  test.each(['2026-02-24', '2026-03-01/2026-02-24', 'now/then', '2026-13-01/2026-14-01', '1/2/3', '/'])(
    '%s is none',
    (text) => {
      expect(readInterval(text)).toBeNull();
    },
  );
});
