import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, sql, type Tx } from '../src/kernel/db.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { changeProduct, readChange } from '../src/modules/catalogue/change-product.ts';
import { deleteProduct } from '../src/modules/catalogue/delete-product.ts';
import { placeOrder } from '../src/modules/orders/index.ts';
import { buy, makeProduct, tryToBuy, unbalanced } from './support/buying.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** Products that are deleted, or change, at the very moment at which they are sold for the first time. */

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
type Json = any;

let shop: TestShop;
let staff: Caller;
let customer: Caller;

beforeAll(async () => {
  shop = await startTestShop({ env: { DATABASE_POOL_SIZE: '24' } });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  customer = await shop.as('customer');
});

/** A transaction that has done all its work, and commits, or not, when it is told to. */
type Held = { db: Database; atWork: Promise<void>; commit(): void; rollBack(): void };

const isSale = (query: unknown) => /place_order\(/.test((query as { text?: string }).text ?? '');

function hold(): Held {
  const begun = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const stay = async <T>(done: T): Promise<T> => {
    begun.resolve();
    await told.promise;
    return done;
  };
  const transaction: Database['transaction'] = (work, options) =>
    shop.db.transaction(async (tx: Tx) => stay(await work(tx)), options);
  return {
    db: {
      ...shop.db,
      transaction,
      one: (query) => (isSale(query) ? transaction((tx) => tx.one(query)) : shop.db.one(query)),
    },
    atWork: begun.promise,
    commit: () => told.resolve(),
    rollBack: () => told.reject(new Error('given up')),
  };
}

const waiting = () =>
  eventually(async () => {
    const { n } = await shop.db.one(
      sql<{ n: number }>(
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      ),
    );
    expect(n).toBeGreaterThan(0);
  });

/** What there is of a product: nothing once it is erased. */
const stateOf = async ({ id }: { id: string }) => {
  const row = await shop.db.maybe(
    sql<{ archived: boolean; sold: boolean; on_hand: number | null }>(
      `select archived_at is not null as archived, on_hand,
         exists (select from sold_products where product_id = p.id) as sold
       from products p left join stock s on s.product_id = p.id where p.id = $1`,
      [id],
    ),
  );
  return row ?? 'erased';
};
const ordersOf = ({ id }: { id: string }) => shop.db.many(sql('select from order_items where product_id = $1', [id]));
const remove = ({ id }: { id: string }) => staff.delete(`/api/products/${id}`);

async function fillCart(...products: Json[]): Promise<void> {
  for (const { id } of products)
    expect((await customer.post('/api/cart/items', { product_id: id, quantity: 2 })).status).toBe(201);
}

describe.each([['tracked', 5] as const, ['not tracked', null] as const])('a product that is %s', (_, stock) => {
  it('is archived, not erased, by who deletes it while its first sale has yet to commit', async () => {
    const product = await makeProduct(staff, { stock });
    await fillCart(product);
    const held = hold();
    const order = placeOrder({ ...shop.orders, db: held.db }, customer.userId, {});
    await held.atWork;
    const deletion = remove(product);
    await waiting();
    held.commit();
    await order;
    expect((await deletion).status).toBe(204);
    expect(await stateOf(product)).toEqual({ archived: true, sold: true, on_hand: stock && stock - 2 });
    expect(await ordersOf(product)).toHaveLength(1);
  });

  it('is erased when that sale is given up', async () => {
    const product = await makeProduct(staff, { stock });
    await fillCart(product);
    const held = hold();
    const order = placeOrder({ ...shop.orders, db: held.db }, customer.userId, {});
    await held.atWork;
    const deletion = remove(product);
    await waiting();
    held.rollBack();
    await expect(order).rejects.toThrow('given up');
    expect((await deletion).status).toBe(204);
    expect(await stateOf(product)).toBe('erased');
    expect(await ordersOf(product)).toEqual([]);
  });

  it('is sold to nobody who orders while its erasure has yet to commit, and is then said to be gone', async () => {
    const [product, other] = [await makeProduct(staff, { stock }), await makeProduct(staff, { stock: 9 })];
    await fillCart(other, product);
    const held = hold();
    const deletion = deleteProduct({ ...shop, db: held.db }, { userId: staff.userId, role: 'staff' }, product.id, null);
    await held.atWork;
    const order = customer.post('/api/orders', {});
    await waiting();
    held.commit();
    await deletion;
    expect(await order).toMatchObject({
      status: 409,
      json: { code: 'insufficient_stock', lines: [{ product_id: product.id, quantity: 2, left: 0 }] },
    });
    expect(await stateOf(product)).toBe('erased');
    expect(await stateOf(other)).toEqual({ archived: false, sold: false, on_hand: 9 });
    expect([await ordersOf(product), await ordersOf(other)]).toEqual([[], []]);
    expect((await customer.get('/api/cart')).json.items).toHaveLength(2);
  });

  it('is sold when that erasure is given up', async () => {
    const product = await makeProduct(staff, { stock });
    await fillCart(product);
    const held = hold();
    const deletion = deleteProduct({ ...shop, db: held.db }, { userId: staff.userId, role: 'staff' }, product.id, null);
    await held.atWork;
    const order = customer.post('/api/orders', {});
    await waiting();
    held.rollBack();
    await expect(deletion).rejects.toThrow('given up');
    expect((await order).status).toBe(201);
    expect(await stateOf(product)).toEqual({ archived: false, sold: true, on_hand: stock && stock - 2 });
  });

  it('that was sold before is archived beside who orders it', async () => {
    const product = await makeProduct(staff, { stock });
    await buy(await shop.as('customer'), [[product, 1]]);
    await fillCart(product);
    const held = hold();
    const order = placeOrder({ ...shop.orders, db: held.db }, customer.userId, {});
    await held.atWork;
    const deletion = remove(product);
    held.commit();
    await order;
    expect((await deletion).status).toBe(204);
    expect(await stateOf(product)).toEqual({ archived: true, sold: true, on_hand: stock && stock - 3 });
    expect((await tryToBuy(await shop.as('customer'), [[product, 1]])).status).toBe(404);
  });
});

describe('many products and customers at once', () => {
  const ok = (answers: readonly Answer[], ...statuses: number[]) => {
    for (const { status, text } of answers) expect(statuses, text).toContain(status);
  };

  it('come to an order of what is there, or to none, whoever deletes it meanwhile', async () => {
    for (let round = 0; round < 4; round++) {
      const products = await Promise.all(
        Array.from({ length: 8 }, (_, n) => makeProduct(staff, { stock: n % 4 === 0 ? null : 50 })),
      );
      const customers = await Promise.all(Array.from({ length: 8 }, () => shop.as('customer')));
      await Promise.all(
        customers.map(async (one, n) => {
          // Each has other products, and in another order.
          for (const at of [0, 3, 5].map((step) => (n * 3 + step) % 8))
            await one.post('/api/cart/items', { product_id: products[at].id, quantity: 1 });
        }),
      );
      const [bought, deleted] = await Promise.all([
        Promise.all(customers.map((one) => one.post('/api/orders', {}))),
        Promise.all(products.filter((_, n) => n % 2 === 0).map(remove)),
      ]);
      ok(bought, 201, 409);
      ok(deleted, 204);
      const lost = await shop.db.many(
        sql('select from order_items i where not exists (select from products p where p.id = i.product_id)'),
      );
      expect(lost).toEqual([]);
      expect(await unbalanced(shop)).toEqual([]);
    }
  });

  it('order also when PostgreSQL ends the sale for somebody who waits for it as it waits for them', async () => {
    const product = await makeProduct(staff, { stock: 5 });
    await fillCart(product);
    let order: Promise<Answer> | undefined;
    // Whoever changes both locks the stock first, and then the key of the product, which the sale has by then.
    const db: Database = {
      ...shop.db,
      transaction: (work, options) =>
        shop.db.transaction(
          (tx) =>
            work({
              ...tx,
              async many(query) {
                const rows = await tx.many(query);
                if (!order && /from stock where .* for update/.test((query as { text: string }).text)) {
                  order = customer.post('/api/orders', {});
                  await waiting();
                }
                return rows as never;
              },
            }),
          options,
        ),
    };
    const change = readChange({ slug: 'another-slug', stock: 6, expected_stock: 5 }, 'USD', {
      replace: false,
      version: null,
    });
    await changeProduct({ ...shop, db }, { userId: staff.userId, role: 'staff' }, product.id, change);
    expect(await order).toMatchObject({ status: 201 });
    expect(await stateOf(product)).toEqual({ archived: false, sold: true, on_hand: 4 });
    expect(await unbalanced(shop)).toEqual([]);
  });

  it('are never in the way of who gives a product another slug and a new stock', async () => {
    for (let round = 0; round < 3; round++) {
      const products = await Promise.all(Array.from({ length: 4 }, () => makeProduct(staff, { stock: 50 })));
      const customers = await Promise.all(Array.from({ length: 6 }, () => shop.as('customer')));
      const [bought, changed] = await Promise.all([
        Promise.all(
          customers.map((one) =>
            tryToBuy(
              one,
              products.map((product) => [product, 1] as const),
            ),
          ),
        ),
        Promise.all(
          products.map(({ id }, n) =>
            staff.patch(`/api/products/${id}`, { slug: `other-${round}-${n}`, stock: 60, expected_stock: 50 }),
          ),
        ),
      ]);
      ok(bought, 201);
      ok(changed, 200, 409);
      expect(await unbalanced(shop)).toEqual([]);
    }
  });
});
