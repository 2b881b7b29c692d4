/**
 * Amounts of money as feeds write them. A price is never guessed at: what could be read in two ways is refused, since a
 * shop that sells at a thousandth of the price has a worse day than one that has to correct its feed.
 *
 * | written                                              | read as                                                |
 * | ---------------------------------------------------- | ------------------------------------------------------ |
 * | `1,234.50` `1.234,50`                                | both separators: the last one is the decimal point     |
 * | `1 234,50` `1'234.50` (any kind of space)            | spaces and apostrophes group, so what is left is it     |
 * | `19.99` `19,99` `19,9` `19.-`                        | a decimal point                                        |
 * | `1,234,567` `1,00,000` (Indian)                      | groups                                                 |
 * | `1.234` `1,234`, a currency with two decimals        | ambiguous                                              |
 * | the same, a currency with three (KWD)                | a decimal point: 1.234                                 |
 * | the same, a currency with none (JPY)                 | groups: 1234, as there is nothing to point at          |
 */
import { currencyDigits, formatMoney, isCurrency, MAX_MINOR } from '../../../kernel/money.ts';

type PriceProblem = {
  code:
    | 'price_invalid'
    | 'price_ambiguous'
    | 'price_precision'
    | 'price_not_usable'
    | 'price_currency'
    | 'price_currency_mismatch';
  message: string;
};

/** An amount in minor units of the shop's currency, above zero and at most MAX_MINOR, or why there is none. */
export type PriceReader = (text: string) => number | PriceProblem;

/** Ways of writing a currency that Intl does not list as its symbol. */
const MORE_SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  INR: ['rs', '₨'],
  PKR: ['rs', '₨'],
  LKR: ['rs', '₨'],
  KWD: ['kd', 'د.ك'],
  AED: ['dhs', 'dh', 'د.إ'],
  SAR: ['sr', 'ر.س', '﷼'],
  QAR: ['qr', 'ر.ق'],
  BHD: ['bd', 'د.ب'],
  OMR: ['ر.ع'],
  EGP: ['le', 'ج.م'],
  CHF: ['fr', 'sfr'],
  CZK: ['kc'],
  PLN: ['zl'],
  TRY: ['tl'],
  RUB: ['руб', 'р'],
  BGN: ['лв'],
  UAH: ['грн'],
  JPY: ['円'],
  CNY: ['元', 'rmb'],
  KRW: ['원'],
  MYR: ['rm'],
  ZAR: ['r'],
  USD: ['us$'],
};
const GROUPED = /^[1-9]\d{0,2}(?:([ ',.])\d{3})(?:\1\d{3})*$/;
const GROUPED_INDIAN = /^[1-9]\d?(?:,\d{2})+,\d{3}$/;
const INVISIBLE = /[\u200b-\u200f\u061c\u202a-\u202e\u2060-\u2069\ufeff]/g;
const MAX_LENGTH = 60;

/** A reader for prices in a shop of `currency` (ISO 4217). Sums with a sign of another currency are problems. */
export function createPriceReader(currency: string): PriceReader {
  const digits = currencyDigits(currency);
  const unit = 10 ** digits;
  const symbols = symbolsOf(currency);
  // `19.99`, `19.99 USD`: nearly all prices. Anything longer or odder takes the long way.
  const plain = new RegExp(`^(\\d{1,9})${digits > 0 ? `(?:\\.(\\d{1,${digits}}))?` : '()'}(?: ?${currency})?$`);

  const fail = (code: PriceProblem['code'], message: string): PriceProblem => ({ code, message });
  const notUsable = (text: string) =>
    fail(
      'price_not_usable',
      `“${text}” is no usable price: it must be above zero and not beyond ${formatMoney(MAX_MINOR, currency)}.`,
    );

  const symbolProblem = (symbol: string, text: string): PriceProblem | null => {
    const name = symbol.trim();
    if (name === '' || name.toUpperCase() === currency) return null;
    if (isCurrency(name.toUpperCase())) {
      return fail(
        'price_currency_mismatch',
        `“${text}” is in ${name.toUpperCase()}, but this shop sells in ${currency}.`,
      );
    }
    if (symbols.has(bare(name))) return null;
    if (/\p{Sc}/u.test(name)) return fail('price_currency', `The sign in “${text}” does not stand for ${currency}.`);
    return fail('price_invalid', `“${text}” is not a price in ${currency}: “${name}” was not understood.`);
  };

  const readNumber = (number: string, text: string): number | PriceProblem => {
    const parts = splitDecimals(number, digits);
    if (parts === 'ambiguous') {
      const other = number.replace(/[.,]/, '');
      const message = `“${text}” can mean ${other} or ${number.replace(',', '.')}: write it with two decimals.`;
      return fail('price_ambiguous', message);
    }
    if (parts === 'invalid') {
      return fail('price_invalid', `“${text}” is not a price: write it like ${formatMoney(1250 * unit, currency)}.`);
    }
    const whole = parts.whole.replace(/^0+/, '');
    const fraction = parts.fraction.replace(/0+$/, '');
    if (fraction.length > digits) {
      return fail('price_precision', `“${text}” has more decimals than ${currency}, which has ${digits}.`);
    }
    if (whole.length > 15) return notUsable(text);
    const minor = Number(whole + fraction.padEnd(digits, '0'));
    return minor > 0 && minor <= MAX_MINOR ? minor : notUsable(text);
  };

  return (text) => {
    const match = plain.exec(text);
    if (match) {
      const minor = Number(match[1]) * unit + Number((match[2] ?? '').padEnd(digits, '0'));
      return minor > 0 && minor <= MAX_MINOR ? minor : notUsable(text);
    }
    if (text.length > MAX_LENGTH) return fail('price_invalid', `“${text.slice(0, MAX_LENGTH)}…” is not a price.`);

    const normal = normalise(text);
    const number = /\d(?:.*\d)?/s.exec(normal);
    if (!number) return fail('price_invalid', `“${text}” is not a price: it has no digits.`);
    let digitsText = number[0];
    let before = normal.slice(0, number.index);
    const after = normal.slice(number.index + digitsText.length).replace(/^[.,]-*/, '');
    if (/(?:^|[^\p{L}])\.$/u.test(before)) {
      digitsText = `0.${digitsText}`;
      before = before.slice(0, -1);
    }
    const negative = before.includes('-');
    const problem = symbolProblem(before.replace(/[-+]/, ''), text) ?? symbolProblem(after, text);
    if (problem) return problem;
    return negative ? notUsable(text) : readNumber(digitsText, text);
  };
}

/** `1.234,50` as whole `1234` and fraction `50`, for a currency of so many digits. */
function splitDecimals(number: string, digits: number): { whole: string; fraction: string } | 'ambiguous' | 'invalid' {
  const points = number.match(/[.,]/g) ?? [];
  const last = Math.max(number.lastIndexOf('.'), number.lastIndexOf(','));
  const behind = number.length - last - 1;
  const spaced = /[ ']/.test(number);
  let decimalAt = -1;
  if (new Set(points).size === 2) decimalAt = last;
  else if (points.length === 1 && (spaced || behind !== 3 || digits > 2)) decimalAt = last;
  else if (points.length === 1 && digits === 2) return 'ambiguous';

  const whole = decimalAt < 0 ? number : number.slice(0, decimalAt);
  const fraction = decimalAt < 0 ? '' : number.slice(decimalAt + 1);
  const isNumber = /^\d+$/.test(whole) || GROUPED.test(whole) || GROUPED_INDIAN.test(whole);
  if (!isNumber || !/^\d*$/.test(fraction)) return 'invalid';
  return { whole: whole.replace(/\D/g, ''), fraction };
}

/** One kind of space, minus, apostrophe and digit, however the feed writes them. */
function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[`´‘’ʼ٬]/g, "'")
    .replaceAll('٫', ',')
    .replace(/\s+/g, ' ')
    .trim();
}

const bare = (symbol: string) => symbol.toLowerCase().replace(/[.\s\u200f]/g, '');

function symbolsOf(currency: string): Set<string> {
  const symbols = new Set((MORE_SYMBOLS[currency] ?? []).map(bare));
  for (const currencyDisplay of ['symbol', 'narrowSymbol'] as const) {
    for (const locale of ['en', 'de', 'ar', 'cs', 'ja']) {
      const format = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay });
      const symbol = format.formatToParts(1).find(({ type }) => type === 'currency')?.value;
      if (symbol) symbols.add(bare(symbol.normalize('NFKC').replace(INVISIBLE, '')));
    }
  }
  return symbols;
}
