import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { fakeClock, testKernel } from '../../kernel/testing/index.ts';
import { changeProduct, readChange } from './change-product.ts';
import { createProduct } from './create-product.ts';
import { priceHistory } from './price-history.ts';

const clock = fakeClock();
const DAY = 86_400_000;
const actor = { userId: newId(), role: 'staff' } as const;
let kernel: Kernel;
beforeAll(async () => {
  kernel = await testKernel({ clock });
});
afterAll(() => kernel.close());

let id: string;
beforeEach(() => clock.set('2026-01-01T00:00:00.000Z'));

type Prices = { price?: string; sale_price?: string | null };
const make = async (prices: Prices) => {
  id = await createProduct(kernel, actor, { name: 'Priced', ...prices }, async () => []);
};
const set = (prices: Prices) =>
  changeProduct(kernel, actor, id, readChange(prices, 'USD', { replace: false, version: null }));
const pass = (n: number) => clock.advance(n * DAY);
const day = (n: number) => new Date(Date.parse('2026-01-01T00:00:00.000Z') + n * DAY).toISOString();
const lowest = async () => (await priceHistory(kernel.db, id, 'USD')).lowest_30_days;

describe('the lowest price of the 30 days before a reduction', () => {
  it('is null while there is none, and of the price before where there is one', async () => {
    await make({ price: '100' });
    pass(60);
    expect(await lowest()).toBeNull();
    // A price that is lower from now on is no reduction that is announced.
    await set({ price: '90' });
    expect(await lowest()).toBeNull();
    pass(60);
    await set({ sale_price: '70' });
    expect(await lowest()).toEqual({ price: '90.00', from: day(90), to: day(120) });
    pass(10);
    await set({ sale_price: null });
    expect(await lowest()).toBeNull();
  });

  it('is not the one that the price was raised to just before', async () => {
    await make({ price: '100' });
    pass(60);
    await set({ price: '150' });
    pass(5);
    await set({ sale_price: '120' });
    expect(await lowest()).toMatchObject({ price: '100.00', to: day(65) });
    // Not when both came at once either.
    await make({ price: '100' });
    pass(60);
    await set({ price: '150', sale_price: '99' });
    expect(await lowest()).toMatchObject({ price: '100.00' });
  });

  it('stays that before the first step of one that is increased step by step', async () => {
    await make({ price: '100' });
    pass(60);
    await set({ sale_price: '90' });
    for (const sale_price of ['80', '70', '75']) {
      pass(20);
      await set({ sale_price });
      expect(await lowest()).toEqual({ price: '100.00', from: day(30), to: day(60) });
    }
    await set({ price: '110' });
    expect(await lowest()).toEqual({ price: '100.00', from: day(30), to: day(60) });
  });

  it('counts an earlier reduction that ended within the 30 days', async () => {
    await make({ price: '100' });
    pass(60);
    await set({ sale_price: '60' });
    pass(7);
    await set({ sale_price: null });
    pass(22);
    await set({ sale_price: '80' });
    expect(await lowest()).toEqual({ price: '60.00', from: day(59), to: day(89) });
    pass(1);
    await set({ sale_price: null });
    pass(9);
    // The 60 ended 32 days before this one, the 80 nine.
    await set({ sale_price: '90' });
    expect(await lowest()).toMatchObject({ price: '80.00' });
  });

  it('counts the price in force when the 30 days opened, and none that had ended by then', async () => {
    for (const [days, expected] of [
      [29, '50.00'],
      [30, '100.00'],
      [31, '100.00'],
    ] as const) {
      clock.set('2026-01-01T00:00:00.000Z');
      await make({ price: '50' });
      pass(40);
      // From here on, `days` before the reduction.
      await set({ price: '100' });
      pass(days);
      await set({ sale_price: '70' });
      expect(await lowest(), `${days} days`).toMatchObject({ price: expected });
    }
    // A price that was set long before and held: it was applied throughout.
    clock.set('2026-01-01T00:00:00.000Z');
    await make({ price: '50' });
    pass(300);
    await set({ price: '80', sale_price: '70' });
    expect(await lowest()).toMatchObject({ price: '50.00', from: day(270) });
  });

  it('is of all its days for a product that is younger, and null for one that began reduced', async () => {
    await make({ price: '100' });
    pass(3);
    await set({ price: '95' });
    pass(3);
    await set({ sale_price: '70' });
    expect(await lowest()).toEqual({ price: '95.00', from: day(0), to: day(6) });
    await make({ price: '100', sale_price: '50' });
    expect(await lowest()).toBeNull();
    pass(3);
    await set({ sale_price: '40' });
    expect(await lowest()).toBeNull();
  });
});

describe('price history', () => {
  it('tells each price once, the newest first, and keeps their order when a clock is behind', async () => {
    await make({ price: '10' });
    await set({ sale_price: '9' });
    pass(1);
    await set({ price: '12' });
    clock.set('2026-01-01T12:00:00.000Z');
    await set({ sale_price: null });
    const { currency, items } = await priceHistory(kernel.db, id, 'USD');
    expect(currency).toBe('USD');
    expect(items).toEqual([
      { valid_from: day(1), price: '12.00', sale_price: null, effective_price: '12.00' },
      { valid_from: day(0), price: '10.00', sale_price: '9.00', effective_price: '9.00' },
    ]);
  });
});
