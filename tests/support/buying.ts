import { expect } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Answer, Caller } from './shop.ts';

/** Products and what is bought of them, as programs do it. */

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
type Json = any;

let made = 0;

/** A product of the staff's; without a stock it is not tracked. */
export async function makeProduct(
  staff: Caller,
  { stock = null as number | null, price = '10.00', name = `Thing ${made}` } = {},
): Promise<Json> {
  const answer = await staff.post('/api/products', { name, price, stock, sku: `THING-${made++}` });
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
}

/** Puts these into the caller's cart and orders them; answers whatever that was answered. */
export async function tryToBuy(
  caller: Caller,
  lines: readonly (readonly [product: { id: string }, quantity: number])[],
  order: object = {},
): Promise<Answer> {
  for (const [{ id }, quantity] of lines) {
    const added = await caller.post('/api/cart/items', { product_id: id, quantity });
    if (added.status !== 201) return added;
  }
  return caller.post('/api/orders', order);
}

/** The order that comes of it. */
export async function buy(...args: Parameters<typeof tryToBuy>): Promise<Json> {
  const answer = await tryToBuy(...args);
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
}

/** Products whose stock is not the sum of their ledger, or not what its last movement says: none, if all is well. */
export function unbalanced({ db }: Pick<Kernel, 'db'>): Promise<{ product_id: string }[]> {
  return db.many(
    sql(
      `select product_id from stock s full join (
         select product_id, sum(delta) as total, (array_agg(on_hand order by id desc))[1] as last
         from stock_movements group by product_id
       ) m using (product_id)
       where s.on_hand is distinct from m.total or s.on_hand is distinct from m.last`,
    ),
  );
}
