/**
 * The goods of an invented shop, put on the shelves of a new installation so that every page has something to show. The
 * same currency always gives the same items, in the same order.
 */

import { createHash } from 'node:crypto';
import type { Drawing, StagedItem } from '../modules/catalogue/index.ts';
import { BATH } from './data/bath.ts';
import { CLOTHING } from './data/clothing.ts';
import { HOME } from './data/home.ts';
import { KITCHEN } from './data/kitchen.ts';
import { OUTDOOR } from './data/outdoor.ts';
import { PAPER } from './data/paper.ts';
import { TECH } from './data/tech.ts';
import { TOYS } from './data/toys.ts';
import { WEAR } from './data/wear.ts';
import { CATEGORIES, type Family } from './family.ts';
import { demoPrice } from './prices.ts';

export type DemoItem = Omit<StagedItem, 'line'> & {
  featured: boolean;
  /** One to three pictures, the main one first. */
  drawings: Drawing[];
};

const FAMILIES: readonly Family[] = [
  ...KITCHEN,
  ...HOME,
  ...CLOTHING,
  ...WEAR,
  ...PAPER,
  ...OUTDOOR,
  ...TECH,
  ...BATH,
  ...TOYS,
];

/**
 * About 300 products with prices in minor units of `currency` (ISO 4217). Variants of a family are not neighbours: a shop
 * that lists its goods in this order shows a mixed shelf, not a row of the same shirt.
 */
export function demoItems(currency: string): DemoItem[] {
  return FAMILIES.flatMap((family) => variantsOf(family, currency)).sort((a, b) => chanceOf(a.sku) - chanceOf(b.sku));
}

function variantsOf(family: Family, currency: string): DemoItem[] {
  const colors = Object.entries(family.colors);
  const sizes = sizesOf(family);
  const count = colors.length * sizes.length;
  const { path, ground } = CATEGORIES[family.in];
  return colors.flatMap(([color, tint], c) =>
    sizes.map(([size, dollars], s): DemoItem => {
      const sku = ['VT', family.code, short(color), ...(size === null ? [] : [short(size)])].join('-');
      const quantity = family.stock === undefined ? usualStock(sku) : family.stock;
      const reduced = family.sale === undefined ? null : family.sale * (dollars / family.price);
      return {
        sku,
        name: colors.length > 1 ? `${family.name}, ${color}` : family.name,
        description: family.description,
        price: demoPrice(dollars, currency),
        salePrice: reduced === null ? null : demoPrice(Math.round(reduced * 2) / 2, currency),
        quantity,
        availability: availabilityOf(family, quantity),
        categoryPath: [...path],
        brand: family.brand,
        gender: family.gender ?? null,
        condition: family.condition ?? 'new',
        color,
        size,
        ageGroup: family.ageGroup ?? null,
        material: family.material,
        gtin: gtin(family.code, c * sizes.length + s),
        mpn: family.mpn ?? null,
        groupId: count > 1 ? `VT-${family.code}` : null,
        attributes: attributesOf(family),
        featured: family.featured === true && c === 0 && s === 0,
        drawings: ([1, 2, 3] as const)
          .slice(0, family.pictures ?? 3)
          .map((view) => ({ kind: family.drawing, color: tint, view, ground })),
      };
    }),
  );
}

function sizesOf({ sizes, price }: Family): (readonly [string | null, number])[] {
  if (sizes === undefined) return [[null, price]];
  if (!Array.isArray(sizes)) return Object.entries(sizes as Readonly<Record<string, number>>);
  return sizes.map((size: string) => [size, price] as const);
}

/** A colour or size as it stands in a SKU: `Oat` → `OAT`, `5.5 l` → `55L`, `80 × 150 cm` → `80X150`. */
function short(option: string): string {
  const letters = option
    .replace('×', 'x')
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase();
  return letters.slice(0, /\d/.test(letters) ? 6 : 3);
}

function availabilityOf(family: Family, quantity: number | null): StagedItem['availability'] {
  if (family.availability !== undefined) return family.availability;
  return quantity === 0 ? 'out_of_stock' : 'in_stock';
}

/** A number of 32 bits that looks like chance and is always the same. */
function chanceOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}

/** One in twelve is sold out, one in eight nearly so. */
function usualStock(sku: string): number {
  const chance = chanceOf(`stock of ${sku}`);
  if (chance % 12 === 0) return 0;
  if (chance % 8 === 1) return 1 + (chance % 3);
  return 4 + (chance % 61);
}

function attributesOf({ care, dimensions, origin, highlights }: Family): StagedItem['attributes'] {
  return {
    ...(care === undefined ? {} : { care }),
    ...(dimensions === undefined ? {} : { dimensions }),
    origin,
    product_highlight: [...highlights],
  };
}

/** A GTIN-13 beginning with 21: GS1 leaves 20 to 29 to a shop's own use, so it is nobody else's. */
function gtin(code: string, variant: number): string {
  const digits = `210000${code.slice(-4)}${String(variant).padStart(2, '0')}`;
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += Number(digits[i]) * (i % 2 === 0 ? 1 : 3);
  return digits + ((10 - (sum % 10)) % 10);
}
