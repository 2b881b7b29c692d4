import { expect, it } from 'vitest';
import { crossesLowStock } from './low-stock-mails.ts';

it.each([
  [6, 5, true],
  [6, 0, true],
  [6, 6, false],
  [5, 4, false],
  [5, 6, false],
  [null, 3, false],
  [6, null, false],
])('stock that goes from %s to %s crosses 5: %s', (from, to, crosses) => {
  expect(crossesLowStock(from, to, 5)).toBe(crosses);
});

it('is never low at a threshold of 0', () => {
  expect(crossesLowStock(1, 0, 0)).toBe(false);
});
