import { drawingFor, drawingKey } from './drawings/index.ts';
import { productSlugBase } from './slug.ts';

export { readGtin } from './gtin.ts';

/**
 * What an import hands to the catalogue, and how it is staged: the catalogue's second face, apart from index.ts so that a
 * process which only reads a feed loads no database and no schemas.
 */

/** What availability a product can have, in the words of Google's product data specification. */
export const AVAILABILITIES = ['in_stock', 'out_of_stock', 'preorder', 'backorder'] as const;
export type Availability = (typeof AVAILABILITIES)[number];

/**
 * What people and feeds may say is on hand, at most. The column holds twice as much, so that what was sold finds room when
 * it comes back by a cancellation.
 */
export const MAX_ON_HAND = 1_000_000_000;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One product as a feed gives it: validated, trimmed, money in minor units of the shop's currency. */
export type StagedItem = {
  /** Line of the file at which the item begins. */
  line: number;
  sku: string;
  name: string;
  description: string;
  price: number;
  salePrice: number | null;
  /** Units on hand; null when the feed gives none. */
  quantity: number | null;
  availability: Availability;
  /** Names from the root category down to the product's own; empty for none. */
  categoryPath: string[];
  brand: string | null;
  gender: string | null;
  condition: string | null;
  color: string | null;
  size: string | null;
  ageGroup: string | null;
  material: string | null;
  gtin: string | null;
  mpn: string | null;
  groupId: string | null;
  /** Every other attribute, under its name without `g:`. */
  attributes: { [name: string]: Json };
};

/**
 * Where an import's rows wait until the file has proved well-formed: a temporary table of the transaction that will
 * merge them, so that nothing is left behind however it ends, and nothing of it is logged.
 */
export const CREATE_STAGING = `
  create temporary table staged (
    n integer not null,
    line integer not null,
    id uuid not null,
    sku text not null,
    slug_base text not null,
    name text not null,
    description text not null,
    price bigint not null,
    sale_price bigint,
    quantity integer,
    availability text not null,
    category_path text not null,
    brand text,
    gender text,
    condition text,
    color text,
    size text,
    age_group text,
    material text,
    gtin text,
    mpn text,
    group_id text,
    image text not null,
    attributes jsonb not null,
    existing_id uuid
  ) on commit drop`;

export const COPY_STAGED = `copy staged (n, line, id, sku, slug_base, name, description, price, sale_price, quantity, availability,
  category_path, brand, gender, condition, color, size, age_group, material, gtin, mpn, group_id, image, attributes) from stdin`;

/**
 * An item as a line of COPY's text format (PostgreSQL, "COPY", File Formats), in the order of COPY_STAGED: the n-th of its
 * file, with the id that it gets if it is new. `image` is the key of its picture; one is drawn for it when left out.
 */
export function stageItem(item: StagedItem, n: number, id: string, image = drawnFor(item)): string {
  // Counted stock says itself whether there is any; the column is kept for what can be ordered without.
  const availability = item.quantity !== null && item.availability === 'out_of_stock' ? 'in_stock' : item.availability;
  return `${n}\t${item.line}\t${id}\t${copyText(item.sku)}\t${productSlugBase(item)}\t${copyText(item.name)}\t${copyText(item.description)}\t${item.price}\t${
    item.salePrice ?? '\\N'
  }\t${item.quantity ?? '\\N'}\t${availability}\t${copyText(JSON.stringify(item.categoryPath))}\t${field(item.brand)}\t${field(item.gender)}\t${field(
    item.condition,
  )}\t${field(item.color)}\t${field(item.size)}\t${field(item.ageGroup)}\t${field(item.material)}\t${field(item.gtin)}\t${field(item.mpn)}\t${field(
    item.groupId,
  )}\t${image}\t${copyText(JSON.stringify(item.attributes))}\n`;
}

function drawnFor({ name, categoryPath, color, sku }: StagedItem): string {
  return drawingKey(drawingFor({ name, categoryNames: categoryPath, color, sku }));
}

function field(value: string | null): string {
  return value === null ? '\\N' : copyText(value);
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function copyText(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character]!) : text;
}
