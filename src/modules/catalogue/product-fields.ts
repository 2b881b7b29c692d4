import { isDeepStrictEqual } from 'node:util';
import Type, { type TSchema, type TStringOptions } from 'typebox';
import type { FieldError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/problem.ts';
import { formatMoney, parseMoney } from '../../kernel/money.ts';
import { readGtin } from './gtin.ts';
import { isSlug, MAX_GIVEN_SLUG } from './slug.ts';
import { AVAILABILITIES, type Availability, type Json } from './staging.ts';

/**
 * What people may write of a product, field by field and in one place: how it is documented, judged and stored, whether
 * it is searched for, and what it is when nobody says. Lengths and vocabularies are those of feeds, so that what is
 * written here leaves by the feed and comes in again as it is.
 */

/** As stored: texts are trimmed, money is in minor units of the shop's currency. */
export type ProductFields = {
  sku: string;
  slug: string;
  name: string;
  description: string;
  price: number;
  sale_price: number | null;
  featured: boolean;
  active: boolean;
  availability: Availability;
  category_id: string | null;
  brand: string | null;
  gender: string | null;
  condition: string | null;
  color: string | null;
  size: string | null;
  age_group: string | null;
  material: string | null;
  gtin: string | null;
  mpn: string | null;
  group_id: string | null;
  attributes: { [name: string]: Json };
};
export type FieldName = keyof ProductFields;

/** What was sent for each field, once its schema has let it pass. */
export type GivenFields = { [name in FieldName]?: unknown };

type Field<Stored> = {
  schema: TSchema;
  /** What is stored for it. Throws Unfit. */
  read(given: never, currency: string): Stored;
  /** How it is spelled in history and events, where that is not as it is stored. */
  spell?(stored: Stored, currency: string): unknown;
  /** Its words find the product, so that the title that searches look at is made anew. */
  searched?: true;
};

/** What is wrong with a value, as the rest of a sentence that begins with the field's name. */
class Unfit extends Error {}

const MAX_NAME = 500;
const MAX_SKU = 100;
const MAX_DESCRIPTION = 50_000;
const MAX_VALUE = 200;
/** An import's attributes may be more; these are about as many as anybody writes by hand. */
const MAX_ATTRIBUTES = 200;
const MAX_ATTRIBUTE_NAME = 100;
const MAX_ATTRIBUTES_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

/** Control characters, and code points that are never characters: PostgreSQL or XML could not hold them. */
const UNWANTED = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;
const UNWANTED_IN_LINES = /(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/u;

function within(text: string, max: number): string {
  if (text.length > max) throw new Unfit(`must not be longer than ${max} characters`);
  return text;
}

/** One line, its white space collapsed. */
function line(given: string, max: number): string {
  const text = given.replace(/\s+/g, ' ').trim();
  if (UNWANTED.test(text)) throw new Unfit('must not hold control characters');
  return within(text, max);
}

function lines(given: string, max: number): string {
  if (UNWANTED_IN_LINES.test(given)) throw new Unfit('must not hold control characters');
  return within(given.replace(/\r\n?/g, '\n').trim(), max);
}

function required(text: string): string {
  if (text === '') throw new Unfit('must not be empty');
  return text;
}

function money(given: string, currency: string): number {
  const minor = parseMoney(given, currency);
  if (minor === null) throw new Unfit(`must be an amount in ${currency}, such as ${formatMoney(1999, currency)}`);
  if (minor === 0) throw new Unfit('must be above zero');
  return minor;
}

function attributes(given: { [name: string]: Json }): ProductFields['attributes'] {
  const names = Object.keys(given);
  if (names.length > MAX_ATTRIBUTES) throw new Unfit(`must not be more than ${MAX_ATTRIBUTES}`);
  if (names.some((name) => name.trim() === '' || name.length > MAX_ATTRIBUTE_NAME))
    throw new Unfit(`must have names of 1 to ${MAX_ATTRIBUTE_NAME} characters`);
  judgeJson(given, 0);
  const text = JSON.stringify(given);
  if (Buffer.byteLength(text) > MAX_ATTRIBUTES_BYTES)
    throw new Unfit(`must not be larger than ${MAX_ATTRIBUTES_BYTES / 1024} kB together`);
  // As it will be read again: -0 is 0, and what is no number is null.
  return JSON.parse(text) as ProductFields['attributes'];
}

function judgeJson(value: Json, depth: number): void {
  if (typeof value === 'string') {
    if (UNWANTED_IN_LINES.test(value)) throw new Unfit('must not hold control characters');
  } else if (value !== null && typeof value === 'object') {
    if (depth === MAX_DEPTH) throw new Unfit(`must not be nested deeper than ${MAX_DEPTH} levels`);
    for (const [name, inner] of Object.entries(value)) {
      if (UNWANTED.test(name)) throw new Unfit('must not hold control characters');
      judgeJson(inner, depth + 1);
    }
  }
}

/** A text or null, as one schema: a union of two would tell about both whenever one is not met. */
const textOrNull = (options: TStringOptions & { enum?: (string | null)[] } = {}) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], ...options });
const amount = { minLength: 1, maxLength: 20, examples: ['19.99'] };
const choice = (...values: string[]): Field<string | null> => ({
  schema: textOrNull({ enum: [...values, null] }),
  read: (given: string | null) => given,
});
/** A text that may be missing; an empty one is. */
const short = (about: { description?: string; searched?: true } = {}): Field<string | null> => ({
  schema: textOrNull({ maxLength: MAX_VALUE, ...(about.description ? { description: about.description } : {}) }),
  read: (given: string | null) => (given === null ? null : line(given, MAX_VALUE) || null),
  ...(about.searched ? { searched: true } : {}),
});
const flag: Field<boolean> = { schema: Type.Boolean(), read: (given: boolean) => given };

/** The vocabularies are those of Google's product data specification, as feeds are read. */
export const FIELDS: { readonly [name in FieldName]: Field<ProductFields[name]> } = {
  sku: {
    schema: Type.String({ minLength: 1, maxLength: MAX_SKU, description: 'Unique in the shop.' }),
    read: (given: string) => required(line(given, MAX_SKU)),
    searched: true,
  },
  slug: {
    schema: Type.String({
      minLength: 1,
      maxLength: MAX_GIVEN_SLUG,
      description:
        'Its place in the address: words of a to z and digits, joined by hyphens. The old one leads on to the new.',
    }),
    read(given: string) {
      if (!isSlug(given))
        throw new Unfit(
          'must be words of a to z and digits joined by hyphens, neither an id nor “featured” or “filters”',
        );
      return given;
    },
  },
  name: {
    schema: Type.String({ minLength: 1, maxLength: MAX_NAME }),
    read: (given: string) => required(line(given, MAX_NAME)),
    searched: true,
  },
  description: {
    schema: Type.String({ maxLength: MAX_DESCRIPTION, description: 'Plain text.' }),
    read: (given: string) => lines(given, MAX_DESCRIPTION),
  },
  price: {
    schema: Type.String({ ...amount, description: "A decimal in the shop's currency, above zero." }),
    read: money,
    spell: formatMoney,
  },
  sale_price: {
    schema: textOrNull({ ...amount, description: 'What is to be paid now, below the price. Null ends the reduction.' }),
    read: (given: string | null, currency) => (given === null ? null : money(given, currency)),
    spell: (stored, currency) => (stored === null ? null : formatMoney(stored, currency)),
  },
  featured: flag,
  active: flag,
  availability: {
    schema: Type.Enum([...AVAILABILITIES], {
      description: 'Where stock is tracked, `in_stock` and `out_of_stock` follow what is on hand.',
    }),
    read: (given: Availability) => given,
  },
  category_id: {
    schema: textOrNull({ format: 'uuid' }),
    read: (given: string | null) => given?.toLowerCase() ?? null,
    searched: true,
  },
  brand: short({ searched: true }),
  gender: choice('male', 'female', 'unisex'),
  condition: choice('new', 'refurbished', 'used'),
  color: short(),
  size: short(),
  age_group: choice('newborn', 'infant', 'toddler', 'kids', 'adult'),
  material: short(),
  gtin: {
    schema: textOrNull({ maxLength: 30, description: 'A GTIN-8, -12, -13 or -14 with its check digit.' }),
    read(given: string | null) {
      const text = given === null ? '' : line(given, MAX_VALUE);
      if (text === '') return null;
      const gtin = readGtin(text);
      if (gtin === null) throw new Unfit('must be 8, 12, 13 or 14 digits, the last of them the right check digit');
      return gtin;
    },
    searched: true,
  },
  mpn: short({ searched: true }),
  group_id: short({ description: 'Products that share it are variants of one another.' }),
  attributes: {
    schema: Type.Record(Type.String(), Type.Unknown(), { description: 'Anything else, by name. Written as a whole.' }),
    read: attributes,
  },
};

export const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
/** Texts that lists never show stand in a table of their own; all else are columns of `products` under the same name. */
export const COLUMNS = FIELD_NAMES.filter((name) => name !== 'description' && name !== 'attributes');

/** What a product is where nobody says: when it is made, and when it is replaced. */
export const LEFT_OUT = Object.freeze({
  description: '',
  sale_price: null,
  featured: false,
  active: true,
  availability: 'in_stock',
  category_id: null,
  brand: null,
  gender: null,
  condition: null,
  color: null,
  size: null,
  age_group: null,
  material: null,
  gtin: null,
  mpn: null,
  group_id: null,
  attributes: {},
} satisfies Omit<ProductFields, 'sku' | 'slug' | 'name' | 'price'>);

/** The fields that were sent, as they are stored. Throws validation_failed with all that is wrong with them. */
export function readFields(given: GivenFields, currency: string): Partial<ProductFields> {
  const errors: FieldError[] = [];
  const fields: Partial<Record<FieldName, unknown>> = {};
  for (const name of FIELD_NAMES) {
    if (given[name] === undefined) continue;
    try {
      fields[name] = FIELDS[name].read(given[name] as never, currency);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      errors.push({ path: name, message: error.message });
    }
  }
  if (errors.length > 0) throw validationFailed('Some fields are not valid.', { errors });
  return fields as Partial<ProductFields>;
}

/** Throws validation_failed for one field. */
export function refuseField(path: string, message: string): never {
  throw validationFailed('Some fields are not valid.', { errors: [{ path, message }] });
}

/** What holds between fields. */
export function demandConsistent({ price, sale_price }: Pick<ProductFields, 'price' | 'sale_price'>): void {
  if (sale_price !== null && sale_price >= price) refuseField('sale_price', 'must be below the price');
}

export type FieldChanges = Record<string, { from: unknown; to: unknown }>;

/** Field by field what differs, in the API's spelling. */
export function diffFields(
  before: Partial<ProductFields>,
  after: Partial<ProductFields>,
  currency: string,
): FieldChanges {
  const spelled = (name: FieldName, fields: Partial<ProductFields>) => {
    const value = fields[name] ?? null;
    const { spell } = FIELDS[name] as Field<unknown>;
    return spell && value !== null ? spell(value, currency) : value;
  };
  return Object.fromEntries(
    FIELD_NAMES.filter((name) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null)).map((name) => [
      name,
      { from: spelled(name, before), to: spelled(name, after) },
    ]),
  );
}
