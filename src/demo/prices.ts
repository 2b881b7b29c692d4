import { currencyDigits } from '../kernel/money.ts';

/** Rough worth of a US dollar, and the step to which prices are rounded there, both in units of the currency. */
const CURRENCIES: Readonly<Record<string, readonly [rate: number, step: number]>> = {
  EUR: [0.92, 0.1],
  GBP: [0.79, 0.1],
  CHF: [0.9, 0.1],
  CAD: [1.36, 0.1],
  AUD: [1.5, 0.1],
  PLN: [4, 0.5],
  CZK: [23, 1],
  SEK: [10.5, 1],
  NOK: [10.7, 1],
  DKK: [6.9, 1],
  HUF: [360, 10],
  INR: [84, 1],
  JPY: [150, 10],
  KRW: [1350, 100],
  KWD: [0.31, 0.05],
  AED: [3.67, 0.5],
};

/**
 * A price given in US dollars as minor units of `currency`, rounded as shops there would; dollars, and currencies not
 * listed, take the number as it stands.
 */
export function demoPrice(dollars: number, currency: string): number {
  const minor = 10 ** currencyDigits(currency);
  const known = CURRENCIES[currency];
  if (!known) return Math.max(1, Math.round(dollars * minor));
  const [rate, step] = known;
  return Math.max(1, Math.round((dollars * rate) / step)) * Math.round(step * minor);
}
