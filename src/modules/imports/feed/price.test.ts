import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMoney, MAX_MINOR } from '../../../kernel/money.ts';
import { createPriceReader } from './price.ts';

const read = (text: string, currency: string) => {
  const result = createPriceReader(currency)(text);
  return typeof result === 'number' ? formatMoney(result, currency) : result.code;
};

const NBSP = '\u00a0';
const NARROW = '\u202f';
const THIN = '\u2009';

test.each([
  // text, currency, amount
  ['19.99 USD', 'USD', '19.99'],
  ['19.99USD', 'USD', '19.99'],
  ['USD 19.99', 'USD', '19.99'],
  ['USD19.99', 'USD', '19.99'],
  ['usd 19.99', 'USD', '19.99'],
  ['19.99', 'USD', '19.99'],
  ['19,99', 'USD', '19.99'],
  ['19.9', 'USD', '19.90'],
  ['19,9 EUR', 'EUR', '19.90'],
  ['20', 'USD', '20.00'],
  ['2499 INR', 'INR', '2499.00'],
  ['0.01', 'USD', '0.01'],
  ['.50', 'USD', '0.50'],
  ['$.50', 'USD', '0.50'],
  ['007.50', 'USD', '7.50'],
  ['1 299.00', 'USD', '1299.00'],
  ['1 234', 'USD', '1234.00'],
  ['1 234,50', 'USD', '1234.50'],
  ['1 234 567,50', 'USD', '1234567.50'],
  [`1${NBSP}234,50 EUR`, 'EUR', '1234.50'],
  [`1${NARROW}234,50${NBSP}€`, 'EUR', '1234.50'],
  [`1${THIN}234.50`, 'EUR', '1234.50'],
  ['1,234.50', 'USD', '1234.50'],
  ['1.234,50', 'USD', '1234.50'],
  ['1,234,567.89', 'USD', '1234567.89'],
  ['1.234.567,89', 'USD', '1234567.89'],
  ['1,234,567', 'USD', '1234567.00'],
  ['1.234.567', 'USD', '1234567.00'],
  ["1'234.50", 'CHF', '1234.50'],
  ['1’234.50 CHF', 'CHF', '1234.50'],
  ['1,29,999.00', 'INR', '129999.00'],
  ['1,00,000', 'INR', '100000.00'],
  ['19.-', 'CHF', '19.00'],
  ['19,- €', 'EUR', '19.00'],
  ['19,–', 'EUR', '19.00'],
  ['CHF 19.—', 'CHF', '19.00'],
  ['19.', 'USD', '19.00'],
  ['+19.99', 'USD', '19.99'],
  // trailing zeros are no further digits
  ['19.9900', 'USD', '19.99'],
  ['1,234.500', 'USD', '1234.50'],
  ['1500.00', 'JPY', '1500'],
  ['1500.0 JPY', 'JPY', '1500'],
  // three decimals
  ['19.900', 'KWD', '19.900'],
  ['19.90 KWD', 'KWD', '19.900'],
  ['19,900 KWD', 'KWD', '19.900'],
  ['1,234.567', 'KWD', '1234.567'],
  ['1.234', 'KWD', '1.234'],
  ['٣٫٢٥٠ د.ك', 'KWD', '3.250'],
  ['١٬٢٣٤٫٥', 'KWD', '1234.500'],
  ['KD 5', 'KWD', '5.000'],
  // no decimals
  ['1500', 'JPY', '1500'],
  ['1,234', 'JPY', '1234'],
  ['1.234', 'JPY', '1234'],
  ['12.000 ₫', 'VND', '12000'],
  ['￥1,500', 'JPY', '1500'],
  ['1500円', 'JPY', '1500'],
  // signs that fit
  ['$19.99', 'USD', '19.99'],
  ['US$ 19.99', 'USD', '19.99'],
  ['$19.99', 'CAD', '19.99'],
  ['€ 19,99', 'EUR', '19.99'],
  ['19,99€', 'EUR', '19.99'],
  ['£5', 'GBP', '5.00'],
  ['₹1,299.50', 'INR', '1299.50'],
  ['Rs.1,299.50', 'INR', '1299.50'],
  ['Rs 99', 'INR', '99.00'],
  ['1 299 Kč', 'CZK', '1299.00'],
  ['49,90 zł', 'PLN', '49.90'],
  ['kr. 100', 'DKK', '100.00'],
  ['$ 19.99 USD', 'USD', '19.99'],
  ['9999999999.99', 'USD', '9999999999.99'],
])('%j in %s is %s', (text, currency, amount) => {
  expect(read(text, currency)).toBe(amount);
});

test.each([
  // text, currency, code
  ['1.234', 'USD', 'price_ambiguous'],
  ['1,234', 'USD', 'price_ambiguous'],
  ['1.234 EUR', 'EUR', 'price_ambiguous'],
  ['€ 1,234', 'EUR', 'price_ambiguous'],
  ['19.900', 'USD', 'price_ambiguous'],
  ['1234.500', 'USD', 'price_ambiguous'],
  ['0.999', 'USD', 'price_ambiguous'],
  ['0', 'USD', 'price_not_usable'],
  ['0.00 USD', 'USD', 'price_not_usable'],
  ['0', 'JPY', 'price_not_usable'],
  ['-5', 'USD', 'price_not_usable'],
  ['-$5.00', 'USD', 'price_not_usable'],
  ['$-5.00', 'USD', 'price_not_usable'],
  ['−5,00 EUR', 'EUR', 'price_not_usable'],
  ['10000000000.00', 'USD', 'price_not_usable'],
  ['99999999999999999999', 'USD', 'price_not_usable'],
  ['19.9999', 'USD', 'price_precision'],
  ['1,234.567', 'USD', 'price_precision'],
  ['1 234,567', 'USD', 'price_precision'],
  ['1500.5', 'JPY', 'price_precision'],
  ['1.2345', 'KWD', 'price_precision'],
  ['19.99 EUR', 'USD', 'price_currency_mismatch'],
  ['EUR 19.99', 'USD', 'price_currency_mismatch'],
  ['19.99 eur', 'USD', 'price_currency_mismatch'],
  ['$19.99 EUR', 'USD', 'price_currency_mismatch'],
  ['€19.99', 'USD', 'price_currency'],
  ['$19.99', 'EUR', 'price_currency'],
  ['CA$19.99', 'USD', 'price_currency'],
  ['US$19.99', 'CAD', 'price_currency'],
  ['£5', 'EUR', 'price_currency'],
  ['free', 'USD', 'price_invalid'],
  ['USD', 'USD', 'price_invalid'],
  ['NaN', 'USD', 'price_invalid'],
  ['Infinity', 'USD', 'price_invalid'],
  ['1e5', 'USD', 'price_invalid'],
  ['0x10', 'USD', 'price_invalid'],
  ['10-20', 'USD', 'price_invalid'],
  ['10 - 20 USD', 'USD', 'price_invalid'],
  ['from 19.99', 'USD', 'price_invalid'],
  ['19.99 each', 'USD', 'price_invalid'],
  ['12 34', 'USD', 'price_invalid'],
  ['1,23,4', 'USD', 'price_invalid'],
  ['1.234,567.89', 'USD', 'price_invalid'],
  ['1..5', 'USD', 'price_invalid'],
  ['1,2,3', 'USD', 'price_invalid'],
  ['0,123,456', 'USD', 'price_invalid'],
  ['19.99.00', 'USD', 'price_invalid'],
  ['(19.99)', 'USD', 'price_invalid'],
  ['1½', 'USD', 'price_invalid'],
  ['9'.repeat(100_000), 'USD', 'price_invalid'],
  ['', 'USD', 'price_invalid'],
])('%j in %s is refused: %s', (text, currency, code) => {
  expect(read(text, currency)).toBe(code);
});

test('every amount is read back from how this shop writes it, with and without its currency', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MAX_MINOR }),
      fc.constantFrom('USD', 'JPY', 'KWD', 'CLF'),
      (minor, currency) => {
        const money = createPriceReader(currency);
        const text = formatMoney(minor, currency);
        expect(money(text)).toBe(minor);
        expect(money(`${text} ${currency}`)).toBe(minor);
      },
    ),
  );
});

test('any text gives an amount within bounds or a problem, and never takes long', () => {
  const money = createPriceReader('USD');
  const characters = fc.constantFrom(..."0123456789.,' -+$€eEUSD\u00a0\u202f٣٫", '٬');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: characters, maxLength: 60 })), (text) => {
      const result = money(text);
      if (typeof result === 'number') {
        expect(Number.isSafeInteger(result)).toBe(true);
        expect(result).toBeGreaterThan(0);
        expect(result).toBeLessThanOrEqual(MAX_MINOR);
      } else {
        expect(result.message).not.toBe('');
      }
    }),
    { numRuns: 2_000 },
  );
});
