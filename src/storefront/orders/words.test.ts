import { describe, expect, it } from 'vitest';
import { changeWords } from './words.ts';

describe('a price that has changed', () => {
  const told = (from: string, to: string, currency = 'USD') =>
    changeWords({ code: 'price_changed', message: '', from, to }, currency);

  it('has gone up or come down', () => {
    expect(told('9.99', '10.00')).toBe('The price has gone up from $9.99 to $10.00.');
    expect(told('10.00', '9.99')).toBe('The price has come down from $10.00 to $9.99.');
    expect(told('99', '100', 'JPY')).toMatch(/gone up/);
  });

  it('is judged by its minor units, which numbers with a fraction cannot tell apart', () => {
    expect(Number('90071992547409.90')).toBe(Number('90071992547409.91'));
    expect(told('90071992547409.90', '90071992547409.91')).toMatch(/gone up/);
    expect(told('90071992547409.91', '90071992547409.90')).toMatch(/come down/);
  });
});
