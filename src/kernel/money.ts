/**
 * Money is an integer number of the currency's minor units (cents, fils; yen have none). It becomes a decimal string
 * only at the edges, and is never a float in between.
 */

/** ISO 4217 minor-unit digits where they are not two. CLDR (and so Intl) differs from ISO for some, hence the table. */
const DIGITS: Readonly<Record<string, number>> = Object.freeze({
  ...Object.fromEntries(
    [
      'BIF',
      'CLP',
      'DJF',
      'GNF',
      'ISK',
      'JPY',
      'KMF',
      'KRW',
      'PYG',
      'RWF',
      'UGX',
      'UYI',
      'VND',
      'VUV',
      'XAF',
      'XOF',
      'XPF',
    ].map((code) => [code, 0]),
  ),
  ...Object.fromEntries(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
});

const KNOWN = new Set(Intl.supportedValuesOf('currency'));

/** Whether `code` is an ISO 4217 currency code, in capitals. */
export function isCurrency(code: string): boolean {
  return KNOWN.has(code);
}

/** How many digits of minor units the ISO 4217 currency has: 2 for USD, 0 for JPY, 3 for KWD. */
export function currencyDigits(currency: string): number {
  return DIGITS[currency] ?? 2;
}

/** The largest amount accepted anywhere, in minor units: leaves room to add up a million lines exactly. */
export const MAX_MINOR = 999_999_999_999;

/** Minor units as the currency's decimal string: `formatMoney(1999, 'USD')` is `"19.99"`. */
export function formatMoney(minor: number | bigint, currency: string): string {
  const digits = currencyDigits(currency);
  const sign = minor < 0 ? '-' : '';
  const text = String(minor < 0 ? -minor : minor).padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * A plain decimal string (`"19.99"`, `"19.9"`, `"20"`) as minor units; null when it is no such number, has more digits
 * than the currency, or is beyond `max`. Signs, exponents and separators of thousands are not accepted here: what
 * feeds write is read by the imports module.
 */
export function parseMoney(text: string, currency: string, max: number = MAX_MINOR): number | null {
  const match = /^(\d{1,15})(?:\.(\d{1,4}))?$/.exec(text);
  if (!match) return null;
  const digits = currencyDigits(currency);
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > digits) return null;
  const minor = Number(match[1]! + fraction.padEnd(digits, '0'));
  return Number.isSafeInteger(minor) && minor <= max ? minor : null;
}
