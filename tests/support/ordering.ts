import { expect } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import type { Answer, Caller, TestShop } from './shop.ts';

/** What tests of carts and orders do before they begin. */

/** Makes a product, by somebody who may, and answers it; ten of it are in stock unless said otherwise. */
export async function newProduct(by: Caller, fields: Record<string, unknown> = {}): Promise<Answer['json']> {
  const made = await by.post('/api/products', { name: 'A quiet lamp', price: '10.00', stock: 10, ...fields });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

/** Puts so many of each into somebody's cart. */
export async function fillCart(buyer: Pick<Caller, 'post'>, ...lines: [id: string, quantity: number][]): Promise<void> {
  for (const [product_id, quantity] of lines) {
    const added = await buyer.post('/api/cart/items', { product_id, quantity });
    expect(added.status, added.text).toBe(201);
  }
}

/** What is on hand; it must be the sum of the ledger. */
export async function stockOf({ db }: Pick<TestShop, 'db'>, productId: string): Promise<number> {
  const { on_hand, moved } = await db.one(
    sql<{ on_hand: number; moved: number }>(
      `select s.on_hand, (select sum(m.delta) from stock_movements m where m.product_id = s.product_id) as moved
       from stock s where s.product_id = $1`,
      [productId],
    ),
  );
  expect(on_hand).toBe(moved);
  return on_hand;
}
