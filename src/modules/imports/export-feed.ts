import { formatMoney } from '../../kernel/money.ts';
import { availabilityOf, type Catalogue, type ExportRow, imageUrl } from '../catalogue/index.ts';

/**
 * The active catalogue as a Google Merchant feed (Google Merchant Center Help, "Product data specification"; RSS 2.0
 * with the namespace http://base.google.com/ns/1.0). What it writes comes in again without a difference: attributes are
 * written back as they came, and the links and pictures, which are this shop's own, are not read again.
 */

/** A bare carriage return would be read as a line feed (XML 1.0, 2.11). */
const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
/** What XML 1.0 cannot hold (section 2.2), should it ever have come into the database. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function xml(text: string): string {
  return text.replace(NOT_XML, '').replace(/[&<>\r]/g, (character) => XML[character]!);
}

function element(name: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map((item) => element(name, item)).join('');
  if (typeof value === 'object') {
    return `<g:${name}>${Object.entries(value)
      .map(([inner, text]) => element(inner, text))
      .join('')}</g:${name}>`;
  }
  return `<g:${name}>${xml(String(value))}</g:${name}>`;
}

/** Names that cannot be an XML element are left out; an import never makes one. */
const NAME = /^[\p{L}_][\p{L}\p{N}\p{M}._-]*$/u;

/** Written from the product itself. */
const OWN = new Set(['link', 'image_link', 'additional_image_link', 'mobile_link']);

export async function* writeGoogleFeed(
  catalogue: Catalogue,
  shop: { name: string; url: string; currency: string },
): AsyncGenerator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n<title>${xml(shop.name)}</title>\n<link>${xml(shop.url)}</link>\n<description>${xml(`Products of ${shop.name}`)}</description>\n`;
  for await (const rows of catalogue.export()) {
    let text = '';
    for (const row of rows) text += item(row, await catalogue.categoryNames(row.category_id), shop);
    yield text;
  }
  yield '</channel>\n</rss>\n';
}

function item(row: ExportRow, categoryNames: readonly string[], shop: { url: string; currency: string }): string {
  const money = (minor: number) => `${formatMoney(minor, shop.currency)} ${shop.currency}`;
  const { product_type: furtherTypes, ...attributes } = row.attributes;
  const types = [
    ...(categoryNames.length > 0 ? [categoryNames.join(' > ')] : []),
    ...(Array.isArray(furtherTypes) ? furtherTypes : []),
  ];
  const fields: [string, unknown][] = [
    ['id', row.sku],
    ['title', row.name],
    ['description', row.description],
    ['link', `${shop.url}/products/${row.slug}`],
    ['image_link', `${shop.url}${imageUrl(row.image)}`],
    ['availability', availabilityOf(row)],
    ['quantity', row.on_hand],
    ['price', money(row.price)],
    ['sale_price', row.sale_price === null ? null : money(row.sale_price)],
    ['brand', row.brand],
    ['condition', row.condition],
    ['gender', row.gender],
    ['age_group', row.age_group],
    ['color', row.color],
    ['size', row.size],
    ['material', row.material],
    ['gtin', row.gtin],
    ['mpn', row.mpn],
    ['item_group_id', row.group_id],
    ['product_type', types],
    ...Object.entries(attributes).filter(([name]) => !OWN.has(name) && NAME.test(name)),
  ];
  return `<item>${fields.map(([name, value]) => element(name, value)).join('')}</item>\n`;
}
