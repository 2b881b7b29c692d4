/**
 * An item's price and sale price. Google has `price` (before a reduction) and `sale_price`; some exporters write
 * `oldprice` and `finalprice` instead or besides, or the price twice.
 */
import type { FeedIssueCode } from './issue.ts';
import type { PriceReader } from './price.ts';
import { type Row, takeText, takeTexts } from './row.ts';
import { singleLine } from './text.ts';
import { readInterval } from './values.ts';

/** In minor units; null, and told, when the row has no usable price. `now` in milliseconds since 1970. */
export function readPrices(
  row: Row,
  money: PriceReader,
  now: number,
): { price: number; salePrice: number | null } | null {
  const listed = readListPrice(row, money);
  if (listed === 'rejected') return null;
  const sale = readSalePrice(row, money, now);
  const { price, salePrice } = withOldAndFinal(row, money, listed, sale);
  if (price === null) return row.reject('price', 'price_missing', 'The item has no price.');
  if (salePrice === null || salePrice < price) return { price, salePrice };
  row.note('sale_price', 'sale_price_not_lower', 'The sale price is not below the price: left out.');
  return { price, salePrice: null };
}

/**
 * Where the price stands twice, the higher one is the list price: exporters that write a price of their own behind the
 * template's (`price 2499, sale_price 2499, price 3999`) mean a reduction, and a reduction is never made up: without
 * a sale price the lower one is left out.
 */
function readListPrice(row: Row, money: PriceReader): number | null | 'rejected' {
  const texts = takeTexts(row, 'price');
  if (texts.length === 0) return null;
  let highest: number | null = null;
  let problem: { code: FeedIssueCode; message: string } | null = null;
  for (const text of texts) {
    const read = money(singleLine(text));
    if (typeof read !== 'number') problem ??= read;
    else if (highest === null || read > highest) highest = read;
  }
  if (highest === null && problem !== null) {
    row.reject('price', problem.code, problem.message);
    return 'rejected';
  }
  if (texts.some((text) => text !== texts[0])) {
    row.note(
      'price',
      'price_repeated',
      'The item has several prices: the highest usable one is taken as the list price.',
    );
  }
  return highest;
}

/** Null when there is none, when it is not usable, and outside of its dates. */
function readSalePrice(row: Row, money: PriceReader, now: number): number | null {
  const text = takeText(row, 'sale_price');
  if (text === null) return null;
  const read = money(singleLine(text));
  if (typeof read !== 'number') {
    row.note('sale_price', read.code, `Sale price left out: ${read.message}`);
    return null;
  }
  const dates = row.fields.get('sale_price_effective_date')?.[0];
  if (typeof dates !== 'string') return read;
  const interval = readInterval(singleLine(dates));
  if (interval === null) {
    const message =
      'The sale price is left out, as its dates are not written like 2026-02-24T00:00Z/2026-03-01T23:59Z.';
    row.note('sale_price_effective_date', 'sale_price_date_invalid', message);
    return null;
  }
  return interval.from <= now && now <= interval.to ? read : null;
}

/**
 * `oldprice` is the price before the reduction, `finalprice` the one to pay. They speak where `price` is missing or
 * repeats one of them; beside a third price they stay attributes.
 */
function withOldAndFinal(
  row: Row,
  money: PriceReader,
  price: number | null,
  salePrice: number | null,
): { price: number | null; salePrice: number | null } {
  if (!row.fields.has('oldprice') && !row.fields.has('finalprice')) return { price, salePrice };
  const oldText = takeText(row, 'oldprice');
  const finalText = takeText(row, 'finalprice');
  const oldRead = readOptional(row, 'oldprice', oldText, money);
  const finalRead = readOptional(row, 'finalprice', finalText, money);
  const before = oldRead ?? price ?? finalRead;
  const toPay = salePrice ?? finalRead ?? price;
  if (before === null || toPay === null || (price !== null && price !== before && price !== toPay)) {
    if (oldRead !== null) row.attributes.oldprice = singleLine(oldText!);
    if (finalRead !== null) row.attributes.finalprice = singleLine(finalText!);
    return { price: price ?? before, salePrice };
  }
  if (toPay > before) {
    row.note('oldprice', 'old_price_not_higher', 'The old price is below the price to pay: left out.');
    return { price: price ?? toPay, salePrice };
  }
  return { price: before, salePrice: toPay < before ? toPay : null };
}

/** Exporters say by a zero or without digits that there is none; anything else that is no price is told and kept. */
function readOptional(row: Row, field: string, text: string | null, money: PriceReader): number | null {
  if (text === null) return null;
  const read = money(singleLine(text));
  if (typeof read === 'number') return read;
  if (/^[^1-9]*$/.test(text)) return null;
  row.note(field, read.code, `The value of ${field} is left out: ${read.message}`);
  row.attributes[field] = singleLine(text);
  return null;
}
