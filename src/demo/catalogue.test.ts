import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { isCurrency, MAX_MINOR } from '../kernel/money.ts';
import { drawingKey, drawSvg, parseDrawingKey } from '../modules/catalogue/drawings/index.ts';
import { demoItems } from './catalogue.ts';
import { CATEGORIES } from './family.ts';
import { demoPrice } from './prices.ts';

const ITEMS = demoItems('USD');

const share = (test: (item: (typeof ITEMS)[number]) => boolean) => ITEMS.filter(test).length / ITEMS.length;

describe('the demonstration catalogue', () => {
  test('is about 300 products, always the same, in no order of families', () => {
    expect(ITEMS.length).toBeGreaterThanOrEqual(280);
    expect(ITEMS.length).toBeLessThanOrEqual(330);
    expect(demoItems('USD')).toEqual(ITEMS);
    const neighbours = ITEMS.filter(
      (item, i) => i > 0 && item.groupId !== null && item.groupId === ITEMS[i - 1]!.groupId,
    );
    expect(neighbours.length / ITEMS.length).toBeLessThan(0.05);
  });

  test('SKUs are unique, also in a feed that knows no case, and short', () => {
    expect(new Set(ITEMS.map(({ sku }) => sku.toLowerCase())).size).toBe(ITEMS.length);
    for (const { sku } of ITEMS) expect(sku).toMatch(/^VT-[A-Z]{3}-\d{4}(-[A-Z0-9]{1,6}){1,2}$/);
  });

  test('GTINs are unique, valid, and of the range that is nobody’s', () => {
    expect(new Set(ITEMS.map(({ gtin }) => gtin)).size).toBe(ITEMS.length);
    for (const { gtin } of ITEMS) {
      expect(gtin).toMatch(/^2\d{12}$/);
      // GS1's check: the digits, weighted 1 and 3 in turn, add up to a multiple of ten.
      const sum = Array.from(gtin!).reduce((total, digit, i) => total + Number(digit) * (i % 2 === 0 ? 1 : 3), 0);
      expect(sum % 10).toBe(0);
    }
  });

  test('names and descriptions are of a length that people read and feeds accept', () => {
    for (const { name, description, brand, attributes } of ITEMS) {
      expect(name.length).toBeLessThanOrEqual(70);
      expect(description.length).toBeGreaterThan(100);
      expect(description.length).toBeLessThan(500);
      const sentences = description.split(/[.!?](?: |$)/).filter((sentence) => sentence !== '');
      expect(sentences.length).toBeGreaterThanOrEqual(2);
      expect(sentences.length).toBeLessThanOrEqual(5);
      expect(brand).not.toBeNull();
      expect(attributes.origin).toMatch(/^\p{Lu}/u);
      expect((attributes.product_highlight as string[]).length).toBeGreaterThan(0);
      for (const text of [name, description, ...(attributes.product_highlight as string[])])
        expect(text).toBe(text.trim());
    }
    expect(new Set(ITEMS.map(({ description }) => description)).size).toBeGreaterThan(110);
  });

  test('some names have accents, and one has žluťoučký', () => {
    expect(ITEMS.filter(({ name }) => /[^ -~]/.test(name)).length).toBeGreaterThan(10);
    expect(ITEMS.filter(({ name }) => name.toLowerCase().includes('žluťoučký'))).toHaveLength(1);
  });

  test('the tree has 8 to 10 roots, 25 to 35 leaves and two or three levels, and no empty leaf', () => {
    const paths = Object.values(CATEGORIES).map(({ path }) => path);
    expect(new Set(paths.map(([root]) => root)).size).toBe(10);
    expect(paths.length).toBe(35);
    expect(paths.every(({ length }) => length === 2 || length === 3)).toBe(true);
    expect(new Set(ITEMS.map(({ categoryPath }) => categoryPath.join('>')))).toEqual(
      new Set(paths.map((path) => path.join('>'))),
    );
    expect(new Set(ITEMS.map(({ brand }) => brand)).size).toBeGreaterThanOrEqual(12);
  });

  test('a family is told apart by colour and size, and shares all else', () => {
    const families = Map.groupBy(
      ITEMS.filter(({ groupId }) => groupId !== null),
      ({ groupId }) => groupId,
    );
    expect(families.size).toBeGreaterThan(80);
    for (const variants of families.values()) {
      expect(variants.length).toBeGreaterThan(1);
      expect(new Set(variants.map(({ color, size }) => `${color}/${size}`)).size).toBe(variants.length);
      expect(new Set(variants.map(({ brand, description }) => `${brand}/${description}`)).size).toBe(1);
    }
  });

  test('about a fifth is reduced, and every state that a product can be in occurs', () => {
    expect(share(({ salePrice }) => salePrice !== null)).toBeGreaterThan(0.15);
    expect(share(({ salePrice }) => salePrice !== null)).toBeLessThan(0.26);
    expect(share(({ quantity }) => quantity === 0)).toBeGreaterThan(0.04);
    expect(share(({ quantity }) => quantity === 0)).toBeLessThan(0.15);
    expect(share(({ quantity }) => quantity !== null && quantity > 0 && quantity < 4)).toBeGreaterThan(0.05);
    expect(share(({ quantity }) => quantity === null)).toBeGreaterThan(0.02);
    expect(new Set(ITEMS.map(({ availability }) => availability))).toEqual(
      new Set(['in_stock', 'out_of_stock', 'preorder', 'backorder']),
    );
    expect(new Set(ITEMS.map(({ condition }) => condition))).toEqual(new Set(['new', 'refurbished', 'used']));
    expect(ITEMS.filter(({ featured }) => featured).length).toBeGreaterThanOrEqual(14);
    expect(ITEMS.filter(({ featured }) => featured).length).toBeLessThanOrEqual(18);
  });

  test('stock and availability agree', () => {
    for (const { quantity, availability } of ITEMS) {
      if (quantity === 0) expect(availability).not.toBe('in_stock');
      else expect(availability).toBe('in_stock');
    }
  });

  test('every product has one to three pictures, which can be drawn', () => {
    for (const { drawings } of ITEMS) {
      expect(drawings.map(({ view }) => view)).toEqual([1, 2, 3].slice(0, drawings.length));
      expect(drawings.length).toBeGreaterThan(0);
      for (const drawing of drawings) {
        expect(parseDrawingKey(drawingKey(drawing))).toEqual(drawing);
        const svg = drawSvg(drawing);
        expect(Buffer.byteLength(svg)).toBeLessThanOrEqual(4096);
        const parser = new SaxesParser();
        parser.on('error', (error) => {
          throw error;
        });
        parser.write(svg).close();
      }
    }
  });
});

describe('prices', () => {
  test.each([
    'USD',
    'EUR',
    'GBP',
    'CHF',
    'CAD',
    'AUD',
    'PLN',
    'CZK',
    'SEK',
    'NOK',
    'DKK',
    'HUF',
    'INR',
    'JPY',
    'KRW',
    'KWD',
    'AED',
    'XAF',
  ])('in %s are whole minor units, and a sale is a reduction', (currency) => {
    expect(isCurrency(currency)).toBe(true);
    for (const { sku, price, salePrice } of demoItems(currency)) {
      expect(Number.isSafeInteger(price) && price > 0 && price < MAX_MINOR).toBe(true);
      if (salePrice !== null) expect(salePrice > 0 && salePrice < price, sku).toBe(true);
    }
  });

  test('are worth about the same, rounded as people there write them', () => {
    expect(demoPrice(14.5, 'USD')).toBe(1450);
    expect(demoPrice(20, 'JPY')).toBe(3000);
    expect(demoPrice(18.5, 'JPY') % 10).toBe(0);
    expect(demoPrice(10, 'KWD')).toBe(3100);
    expect(demoPrice(14.5, 'KWD') % 50).toBe(0);
    expect(demoPrice(10, 'CZK')).toBe(23000);
    expect(demoPrice(10, 'EUR')).toBe(920);
    expect(demoPrice(18.4, 'XAF')).toBe(18);
  });
});
