import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencyDigits, formatMoney, isCurrency, MAX_MINOR, parseMoney } from './money.ts';

describe('money', () => {
  it.each([
    [1999, 'USD', '19.99'],
    [5, 'USD', '0.05'],
    [0, 'USD', '0.00'],
    [-1250, 'EUR', '-12.50'],
    [1500, 'JPY', '1500'],
    [1250, 'KWD', '1.250'],
    [7, 'KWD', '0.007'],
  ])('%i minor units of %s are %s', (minor, currency, text) => {
    expect(formatMoney(minor, currency)).toBe(text);
  });

  it('has the digits of ISO 4217 where CLDR has others', () => {
    expect(currencyDigits('IQD')).toBe(3);
    expect(currencyDigits('UGX')).toBe(0);
    expect(currencyDigits('HUF')).toBe(2);
  });

  it('reads what it writes, in every currency', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: MAX_MINOR }),
        fc.constantFrom('USD', 'JPY', 'KWD', 'CLF'),
        (minor, currency) => {
          expect(parseMoney(formatMoney(minor, currency), currency)).toBe(minor);
        },
      ),
    );
  });

  it.each(['', '-1', '1e3', '1,5', '.5', '5.', ' 5', '0x10', '1.999', 'NaN', '9999999999999999', '10000000000.00'])(
    'refuses %j as dollars',
    (text) => {
      expect(parseMoney(text, 'USD')).toBeNull();
    },
  );

  it('allows zeros beyond the digits, since they say nothing', () => {
    expect(parseMoney('19.9900', 'USD')).toBe(1999);
    expect(parseMoney('1500.00', 'JPY')).toBe(1500);
  });

  it('knows currencies by their code in capitals', () => {
    expect([isCurrency('EUR'), isCurrency('eur'), isCurrency('XYZ')]).toEqual([true, false, false]);
  });
});
