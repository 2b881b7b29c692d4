import { afterAll, beforeAll, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { makeProduct } from './support/buying.ts';
import { startTestShop, type TestShop } from './support/shop.ts';

/** A stock that somebody holds and does not let go, such as a process that is frozen in the middle of a change. */

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop({ env: { DATABASE_POOL_SIZE: '6' } });
});
afterAll(() => shop.stop());

it('holds up those who want the thing for a few seconds, and nobody else', async () => {
  const staff = await shop.as('staff');
  const product = await makeProduct(staff, { stock: 100 });
  const buyers = await Promise.all(Array.from({ length: 6 }, () => shop.as('customer')));
  for (const buyer of buyers) await buyer.post('/api/cart/items', { product_id: product.id, quantity: 1 });
  const pending = (await buyers[0]!.post('/api/orders', {})).json;
  await buyers[0]!.post('/api/cart/items', { product_id: product.id, quantity: 1 });

  await shop.db.transaction(async (tx) => {
    await tx.run(sql('select from stock where product_id = $1 for update', [product.id]));
    const cancelled = buyers[0]!.post(`/api/orders/${pending.id}/cancel`);
    const ordered = Promise.all(buyers.map((buyer) => buyer.post('/api/orders', {})));
    const began = performance.now();
    expect((await buyers[1]!.get('/api/cart')).status).toBe(200);
    expect((await shop.get(`/api/products?search=${product.name}`)).status).toBe(200);
    // Fewer buyers at once than there are connections: whoever only looks need not wait for any of them.
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const { status, json, headers } of [...(await ordered), await cancelled]) {
      expect([status, json.code]).toEqual([503, 'orders_busy']);
      expect(headers.get('retry-after')).toBeTruthy();
    }
  });

  const again = await Promise.all(buyers.map((buyer) => buyer.post('/api/orders', {})));
  expect(again.map(({ status }) => status)).toEqual(buyers.map(() => 201));
  expect((await buyers[0]!.post(`/api/orders/${pending.id}/cancel`)).json.status).toBe('cancelled');
  expect((await staff.get(`/api/products/${product.id}/stock`)).json.stock).toBe(94);
}, 60_000);
