import { currencyDigits, formatMoney, parseMoney } from '../kernel/money.ts';

/**
 * How pages write amounts and numbers. A page is cached for everybody, so it is written in one locale. Formatters are
 * made once: making one costs some 20 µs, using it less than one.
 */
const LOCALE = 'en';

const currencies = new Map<string, Intl.NumberFormat>();
const numbers = new Intl.NumberFormat(LOCALE);
const collator = new Intl.Collator(LOCALE, { numeric: true });

/** A decimal string as people write it: `money('1299.00', 'USD')` is `$1,299.00`. Exact: it never becomes a float. */
export function money(decimal: string, currency: string): string {
  let format = currencies.get(currency);
  if (!format) {
    const digits = currencyDigits(currency);
    format = new Intl.NumberFormat(LOCALE, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    currencies.set(currency, format);
  }
  return format.format(decimal as Intl.StringNumericLiteral);
}

/** What a reduction saves, and its share of the former price in whole per cent. */
export function saving(price: string, reduced: string, currency: string): { amount: string; percent: number } {
  const from = parseMoney(price, currency) ?? 0;
  const saved = from - (parseMoney(reduced, currency) ?? 0);
  return {
    amount: money(formatMoney(saved, currency), currency),
    percent: Math.round((saved * 100) / Math.max(1, from)),
  };
}

export function count(number: number): string {
  return numbers.format(number);
}

/** `1 product`, `1,204 products`, `about 12,000 products`. */
export function products(number: number, estimated = false): string {
  if (!estimated) return `${count(number)} ${number === 1 ? 'product' : 'products'}`;
  const digits = Math.max(0, String(number).length - 2);
  return `about ${count(Math.round(number / 10 ** digits) * 10 ** digits)} products`;
}

/** A shop's own word for what programs write: `shipping_weight` becomes `Shipping weight`. */
export function humanName(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gender: { male: 'Men', female: 'Women', unisex: 'Unisex' },
  condition: { new: 'New', refurbished: 'Refurbished', used: 'Used' },
  age_group: {
    newborn: 'Newborn',
    infant: 'Infants',
    toddler: 'Toddlers',
    kids: 'Children',
    adult: 'Adults',
    'all ages': 'All ages',
  },
};

/** A value of an attribute for people: Google's own vocabulary gets a word, all else stands as the shop wrote it. */
export function humanValue(attribute: string, value: string): string {
  return VALUES[attribute]?.[value.toLowerCase()] ?? value;
}

const LETTERS = ['xxxs', 'xxs', 'xs', 's', 'm', 'l', 'xl', 'xxl', '2xl', 'xxxl', '3xl', '4xl', '5xl'];

/** Sizes in the order of a rack: letters, then numbers by their worth, then words. */
export function compareSizes(a: string, b: string): number {
  return place(a) - place(b) || collator.compare(a, b);
}

function place(size: string): number {
  const letter = LETTERS.indexOf(size.trim().toLowerCase());
  if (letter >= 0) return letter;
  const number = /^\d+([.,]\d+)?/.exec(size.trim());
  return number ? 100 + Number(number[0].replace(',', '.')) : 1e9;
}
