/**
 * From an item's fields to a product: Google's product data specification
 * (https://support.google.com/merchants/answer/7052112) and the extensions seen in the wild. A row is rejected only for
 * what makes it unsellable or too long; anything else that is wrong is told, and the value kept among the attributes.
 *
 * What it makes of an export of its own products is those products again: each value is either canonical or kept as it
 * is, never changed twice.
 */
import type { Availability, Json, StagedItem } from '../../catalogue/index.ts';
import { MAX_ON_HAND } from '../../catalogue/staging.ts';
import type { FeedIssue, FeedIssueCode } from './issue.ts';
import type { RawItem } from './item-reader.ts';
import { createPriceReader } from './price.ts';
import { readPrices } from './prices.ts';
import { fieldWithText, type Row, takeText, takeTexts } from './row.ts';
import { plainLine, plainText, singleLine } from './text.ts';
import { readAgeGroup, readAvailability, readCondition, readGender, readGtin, readQuantity } from './values.ts';

/** In UTF-16 units. What is longer: SKU and name reject the row, a description is cut, others become attributes. */
const MAX_SKU = 100;
const MAX_NAME = 500;
const MAX_DESCRIPTION = 50_000;
const MAX_VALUE = 200;
/** As much as people may make of the tree by hand. */
const MAX_CATEGORY_LEVELS = 10;
const MAX_CATEGORY_NAME = 100;

/** Attributes that Google lets repeat: always a list, so that their shape does not depend on the number. */
const LISTS = new Set(
  `additional_image_link ads_redirects applink certification excluded_destination free_shipping_threshold
  handling_cutoff_time included_destination installment lifestyle_image_link loyalty_program minimum_order_value
  product_detail product_highlight product_type promotion_id shipping shopping_ads_excluded_country
  subscription_cost tax video_link`.split(/\s+/),
);

/**
 * A mapper for a shop of `currency`; `now` decides which sales are running. It gives null for a rejected row, after
 * exactly one issue with `rejected: true`.
 */
export function createItemMapper(
  options: { currency: string; now: Date },
  onIssue: (issue: FeedIssue) => void,
): (item: RawItem) => StagedItem | null {
  const money = createPriceReader(options.currency);
  const now = options.now.getTime();

  return (item) => {
    const { line } = item;
    const row: Row = {
      sku: null,
      fields: item.fields,
      attributes: {},
      note: (field, code, message) => onIssue({ line, sku: row.sku, field, code, message, rejected: false }),
      reject(field, code, message) {
        onIssue({ line, sku: row.sku, field, code, message, rejected: true });
        return null;
      },
    };
    const sku = singleLine(takeText(row, 'id') ?? '');
    if (sku !== '') row.sku = sku.slice(0, MAX_SKU);
    if (item.tooLarge) return row.reject(null, 'item_too_large', 'The item has too many elements or too much text.');
    if (sku === '') return row.reject('id', 'id_missing', 'The item has no id.');
    if (sku.length > MAX_SKU) return row.reject('id', 'value_too_long', `The id is longer than ${MAX_SKU} characters.`);
    const name = plainLine(takeText(row, 'title') ?? '');
    if (name === '') return row.reject('title', 'title_missing', 'The item has no title.');
    if (name.length > MAX_NAME) {
      return row.reject('title', 'value_too_long', `The title is longer than ${MAX_NAME} characters.`);
    }
    const quantity = takeQuantity(row);
    if (quantity === 'rejected') return null;
    const prices = readPrices(row, money, now);
    if (prices === null) return null;

    const description = takeDescription(row);
    const availability = takeAvailability(row, quantity);
    const condition = takeWord(row, 'condition', readCondition, 'condition_unknown');
    const gender = takeWord(row, 'gender', readGender, 'gender_unknown');
    const ageGroup = takeWord(row, 'age_group', readAgeGroup, 'age_group_unknown');
    const gtin = takeGtin(row);
    return {
      line,
      sku,
      name,
      description,
      price: prices.price,
      salePrice: prices.salePrice,
      quantity,
      availability,
      categoryPath: categoryPath(row),
      brand: takeShort(row, 'brand', plainLine),
      gender,
      condition,
      color: takeJoined(row, 'color'),
      size: takeJoined(row, 'size'),
      ageGroup,
      material: takeJoined(row, 'material'),
      gtin,
      mpn: takeShort(row, 'mpn', singleLine),
      groupId: takeShort(row, 'item_group_id', singleLine),
      attributes: takeRest(row),
    };
  };
}

function takeQuantity(row: Row): number | null | 'rejected' {
  const field = fieldWithText(row, ['quantity', 'sell_on_google_quantity', 'inventory']);
  const text = field === undefined ? null : takeText(row, field);
  if (field === undefined || text === null) return null;
  const quantity = readQuantity(text.trim());
  if (quantity !== null) return quantity;
  row.reject(
    field,
    'quantity_invalid',
    `“${excerpt(text)}” is no quantity: it must be a whole number from 0 to ${MAX_ON_HAND}.`,
  );
  return 'rejected';
}

/** Atom has summary and content where RSS has description; what is not needed of them stays an attribute. */
function takeDescription(row: Row): string {
  let text = '';
  for (const field of ['description', 'summary', 'content']) {
    if (text === '') text = plainText(takeText(row, field) ?? '');
  }
  if (text.length <= MAX_DESCRIPTION) return text;
  row.note('description', 'description_cut', `The description is cut to ${MAX_DESCRIPTION} characters.`);
  // Never through a surrogate pair: half of one is not a character.
  return text
    .slice(0, MAX_DESCRIPTION)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
}

function takeAvailability(row: Row, quantity: number | null): Availability {
  const text = takeText(row, 'availability');
  if (text === null) return quantity === 0 ? 'out_of_stock' : 'in_stock';
  const availability = readAvailability(singleLine(text));
  if (availability !== null) return availability;
  row.note(
    'availability',
    'availability_unknown',
    `The availability “${excerpt(text)}” is not known: taken as out of stock.`,
  );
  return 'out_of_stock';
}

/** A word of a fixed vocabulary; an unknown one stays an attribute. */
function takeWord(row: Row, field: string, read: (text: string) => string | null, code: FeedIssueCode): string | null {
  const text = takeText(row, field);
  if (text === null) return null;
  const word = singleLine(text);
  const value = read(word);
  if (value !== null) return value;
  row.note(field, code, `The value “${excerpt(word)}” of ${field} is not known: kept as an attribute only.`);
  row.attributes[field] = word;
  return null;
}

function takeGtin(row: Row): string | null {
  const field = fieldWithText(row, ['gtin', 'ean', 'upc', 'isbn']);
  const text = field === undefined ? null : takeText(row, field);
  if (field === undefined || text === null) return null;
  const word = singleLine(text);
  const gtin = readGtin(word);
  if (gtin !== null) return gtin;
  row.note(
    field,
    'gtin_invalid',
    `“${excerpt(word)}” is no valid GTIN (its check digit or length is wrong): kept as an attribute only.`,
  );
  row.attributes[field] = word;
  return null;
}

function takeShort(row: Row, field: string, clean: (text: string) => string): string | null {
  const text = takeText(row, field);
  return text === null ? null : short(row, field, clean(text));
}

/** Several values as Google joins them: `red/green`. */
function takeJoined(row: Row, field: string): string | null {
  const texts = takeTexts(row, field);
  if (texts.length === 0) return null;
  return short(row, field, texts.length === 1 ? plainLine(texts[0]!) : [...new Set(texts.map(plainLine))].join('/'));
}

function short(row: Row, field: string, text: string): string | null {
  if (text.length <= MAX_VALUE) return text === '' ? null : text;
  row.note(
    field,
    'value_too_long',
    `The value of ${field} is longer than ${MAX_VALUE} characters: kept as an attribute only.`,
  );
  row.attributes[field] = text;
  return null;
}

/**
 * From the first product_type that names one, which is used up by it, else Google's category unless that is a number.
 * Whichever it came from, an export writes the path as the first product_type, so that it comes in again as it is.
 */
function categoryPath(row: Row): string[] {
  const own = takeTexts(row, 'product_type');
  while (own.length > 0) {
    const path = readPath(row, 'product_type', own.shift()!);
    if (path.length === 0) continue;
    if (own.length > 0) row.fields.set('product_type', own);
    return path;
  }
  const googles = row.fields.get('google_product_category')?.find((value) => typeof value === 'string');
  return googles === undefined ? [] : readPath(row, 'google_product_category', googles);
}

function readPath(row: Row, field: string, text: string): string[] {
  const names = plainLine(text)
    .replace(/^\d+\s*(?:-\s+|$)/, '')
    .split('>')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const path = names.slice(0, MAX_CATEGORY_LEVELS).map((name) => {
    return name
      .slice(0, MAX_CATEGORY_NAME)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd();
  });
  if (names.length > path.length || path.some((name, i) => name !== names[i])) {
    const limits = `${MAX_CATEGORY_LEVELS} levels of ${MAX_CATEGORY_NAME} characters`;
    row.note(field, 'category_cut', `The category path is cut to ${limits}.`);
  }
  return path;
}

/** All fields not used yet, as attributes. */
function takeRest(row: Row): { [name: string]: Json } {
  const { fields, attributes } = row;
  const images = fields.get('image_link');
  if (images !== undefined && images.length > 1) {
    fields.set('additional_image_link', [...images.splice(1), ...(fields.get('additional_image_link') ?? [])]);
  }
  for (const [name, values] of fields) {
    const clean = values
      .map((value) => (typeof value === 'string' ? singleLine(value) : value))
      .filter((value) => value !== '');
    if (clean.length === 0) continue;
    if (LISTS.has(name)) attributes[name] = clean;
    else attributes[name] = clean.length === 1 || name === 'link' || name === 'mobile_link' ? clean[0]! : clean;
  }
  return attributes;
}

const excerpt = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
