import type { Product } from '../modules/catalogue/schemas.ts';
import { humanName, humanValue, money } from './format.ts';

/**
 * What a product page tells besides name, price and description. Known attributes have columns; all others come out of
 * the feed under the names of Google's product data specification, as text, a list, or members of their own.
 */

export type Row = { name: string; value: string };
export type Section = { name: string; rows: Row[] };

/** Written for programs and advertising, not for people. */
const HIDDEN = new RegExp(
  '^(id|title|name|description|link|price|quantity|adult|brand|availability|identifier_exists|is_bundle|mobile_.*|.*link|.*_url|.*_link(_.*)?|' +
    'google_.*|product_(type|highlight|detail)|custom_label_.*|ads_.*|adwords_.*|display_ads_.*|promotion_id|excluded_.*|included_.*|' +
    '(ios|android|iphone|ipad|windows).*|applink|tax|tax_category|shipping|shipping_label|cost_of_goods_sold|sale_price.*|' +
    'oldprice|finalprice|.*_orig_value|pause|short_title|structured_.*|loyalty_.*|auto_pricing_.*|virtual_.*|lifestyle_.*|free_shipping_.*|transit_.*|' +
    '.*_date|ships_from_country|installment|subscription_cost|unit_pricing_.*|sell_on_.*|store_code|pickup_.*)$',
);

const NAMES: Readonly<Record<string, string>> = {
  age_group: 'For ages',
  gender: 'For',
  gtin: 'GTIN',
  mpn: 'Part number',
  sku: 'Article number',
  color: 'Colour',
  multipack: 'Pieces in the pack',
  shipping_weight: 'Weight when shipped',
  energy_efficiency_class: 'Energy class',
};

const nameOf = (attribute: string) => NAMES[attribute] ?? humanName(attribute);

const KNOWN = ['brand', 'color', 'size', 'material', 'gender', 'age_group', 'condition'] as const;
/** What everybody takes for granted is not told. */
const OF_COURSE: Readonly<Record<string, string>> = { condition: 'new', age_group: 'adult' };
const NUMBERS = ['sku', 'gtin', 'mpn'] as const;

/** One row for each attribute that says something to people. */
export function detailRows(product: Product): Row[] {
  const known = KNOWN.flatMap((key) => {
    const value = product[key];
    return value === null || OF_COURSE[key] === value ? [] : [{ name: nameOf(key), value: humanValue(key, value) }];
  });
  const others = Object.entries(product.attributes).flatMap(([key, value]) => {
    const text = HIDDEN.test(key) ? '' : asText(value);
    return text === '' || isAddress(text) ? [] : [{ name: nameOf(key), value: text }];
  });
  const numbers = NUMBERS.flatMap((key) => (product[key] === null ? [] : [{ name: nameOf(key), value: product[key] }]));
  return [...known, ...others, ...numbers];
}

/** `product_highlight`: the points that a shopkeeper would make. */
export function highlights(product: Product): string[] {
  return listOf(product.attributes.product_highlight).map(asText).filter(Boolean);
}

/** `product_detail`: rows under the name of their section, in the feed's order. */
export function sections(product: Product): Section[] {
  const made = new Map<string, Row[]>();
  for (const detail of listOf(product.attributes.product_detail)) {
    const { section_name, attribute_name, attribute_value } = membersOf(detail);
    const row = { name: asText(attribute_name), value: asText(attribute_value) };
    if (row.name === '' || row.value === '') continue;
    const name = asText(section_name);
    made.set(name, [...(made.get(name) ?? []), row]);
  }
  return [...made].map(([name, rows]) => ({ name, rows }));
}

/** `shipping`: one sentence for each way that the feed gives. */
export function shippingLines(product: Product): Row[] {
  return listOf(product.attributes.shipping).flatMap((way) => {
    const { country, region, service, price } = membersOf(way);
    const where = [asText(region), countryName(asText(country))].filter(Boolean).join(', ');
    const name = [asText(service) || 'Delivery', where && `to ${where}`].filter(Boolean).join(' ');
    const value = shippingPrice(asText(price));
    return where === '' && value === '' ? [] : [{ name, value: value || 'On request' }];
  });
}

function shippingPrice(text: string): string {
  const match = /^(\d{1,12}(?:\.\d{1,4})?) ?([A-Z]{3})$/.exec(text.trim());
  if (!match) return text;
  return /^[0.]+$/.test(match[1]!) ? 'Free' : money(match[1]!, match[2]!);
}

const countries = new Intl.DisplayNames('en', { type: 'region' });

function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (countries.of(code) ?? code) : code;
}

function listOf(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value.replace(/\s+/g, ' ').trim();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (Array.isArray(value)) return value.map(asText).filter(Boolean).join(', ');
  const members = Object.entries(membersOf(value)).map(([name, member]) => [humanName(name), asText(member)] as const);
  return members
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}: ${text}`)
    .join('; ');
}

function isAddress(text: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text);
}
