import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fillCart, newProduct, stockOf } from '../../../tests/support/ordering.ts';
import { newPerson, PASSWORD } from '../../../tests/support/person.ts';
import { type Caller, startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { type Database, sql } from '../../kernel/db.ts';
import { eventually } from '../../kernel/testing/index.ts';
import { forgetCustomer } from './forget-customer.ts';
import { placeOrder } from './place-order.ts';

/** What may happen between the look at a cart and the statement that orders it. */

let shop: TestShop;
let staff: Caller;
let buyer: Caller;
let lamp: { id: string };

beforeAll(async () => {
  shop = await startTestShop({ env: { DATABASE_POOL_SIZE: '24' } });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  buyer = await shop.as('customer');
  lamp = await newProduct(staff, { stock: 10 });
  await fillCart(buyer, [lamp.id, 1]);
});

const isSale = (query: unknown) => /place_order\(/.test((query as { text?: string }).text ?? '');

/** The shop's orders, on a database in which `between` happens after each look, before what is written. */
function disturbed(between: (tries: number) => Promise<unknown>) {
  let tries = 0;
  const one: Database['one'] = async (query) => {
    if (isSale(query)) await between(++tries);
    return shop.db.one(query);
  };
  return { context: { ...shop.orders, db: { ...shop.db, one } }, tries: () => tries };
}

const ordersOf = (userId: string) =>
  shop.db.many(
    sql<{ shipping_address: unknown; note: string }>('select shipping_address, note from orders where user_id = $1', [
      userId,
    ]),
  );

describe('an order is looked at again', () => {
  it('when a price changes just then, and is placed at the new one', async () => {
    const { context, tries } = disturbed(
      async (n) => n === 1 && staff.patch(`/api/products/${lamp.id}`, { price: '11.00' }),
    );
    expect(await placeOrder(context, buyer.userId, {})).toMatchObject({ total: '11.00' });
    expect(tries()).toBe(2);
  });

  it('but is refused then when it was to cost what it did', async () => {
    const { context } = disturbed(async () => staff.patch(`/api/products/${lamp.id}`, { price: '11.00' }));
    await expect(placeOrder(context, buyer.userId, { expected_total: '10.00' })).rejects.toMatchObject({
      code: 'price_changed',
      details: { total: '11.00' },
    });
    expect(await ordersOf(buyer.userId)).toEqual([]);
    expect((await buyer.get('/api/cart')).json.items).toHaveLength(1);
  });

  it('when the cart changes just then, and holds all that is in it', async () => {
    const { context } = disturbed(async (n) => n === 1 && fillCart(buyer, [lamp.id, 2]));
    expect(await placeOrder(context, buyer.userId, {})).toMatchObject({ items: [{ quantity: 3 }] });
    expect((await buyer.get('/api/cart')).json.items).toEqual([]);
  });

  it.each([
    ['is sold out', () => staff.post(`/api/products/${lamp.id}/stock`, { delta: -10, reason: 'Gone' })],
    ['is hidden', () => staff.patch(`/api/products/${lamp.id}`, { active: false })],
    ['is erased', () => staff.delete(`/api/products/${lamp.id}`)],
  ])('when its product %s just then, and refused', async (_, happens) => {
    const { context } = disturbed(happens);
    await expect(placeOrder(context, buyer.userId, {})).rejects.toMatchObject({
      code: 'insufficient_stock',
      details: { lines: [{ product_id: lamp.id, left: 0 }] },
    });
    expect(await ordersOf(buyer.userId)).toEqual([]);
  });

  it('when the stock begins to be counted just then', async () => {
    const thing = await newProduct(staff, { stock: null });
    const other = await shop.as('customer');
    await fillCart(other, [thing.id, 2]);
    const { context } = disturbed(
      async (n) => n === 1 && staff.patch(`/api/products/${thing.id}`, { stock: 5, expected_stock: null }),
    );
    await placeOrder(context, other.userId, {});
    expect(await stockOf(shop, thing.id)).toBe(3);
  });

  it('but not without end: whoever has no luck is asked to try again', async () => {
    const { context, tries } = disturbed(async (n) => staff.patch(`/api/products/${lamp.id}`, { price: `${n}.50` }));
    await expect(placeOrder(context, buyer.userId, {})).rejects.toMatchObject({
      code: 'orders_busy',
      status: 503,
      details: { headers: { 'retry-after': '1' } },
    });
    expect(tries()).toBe(20);
    expect(await ordersOf(buyer.userId)).toEqual([]);
    expect(await stockOf(shop, lamp.id)).toBe(10);
  });
});

describe('the statement that places an order', () => {
  /** Has the first of all orders from here on meet with what is written in SQL. */
  async function plant(happens: string): Promise<void> {
    // A sequence is not rolled back, so that it knows of what was.
    await shop.db.run(sql('create sequence planted'));
    await shop.db.run(
      sql(`create function planted() returns trigger language plpgsql as $$
        begin
          if nextval('planted') = 1 then ${happens}; end if;
          return new;
        end $$`),
    );
    await shop.db.run(sql('create trigger planted before insert on orders for each row execute function planted()'));
  }
  const tries = async () => (await shop.db.one(sql<{ n: number }>('select last_value as n from planted'))).n;

  afterEach(async () => {
    await shop.db.run(sql('drop function planted cascade'));
    await shop.db.run(sql('drop sequence planted'));
  });

  it('goes again under another number when it has met one that is taken', async () => {
    const first = await placeOrder(shop.orders, buyer.userId, {});
    await plant(`new.number := '${first.number}'`);
    await fillCart(buyer, [lamp.id, 1]);
    const second = await placeOrder(shop.orders, buyer.userId, {});
    expect(await tries()).toBe(2);
    expect(second.number).not.toBe(first.number);
    expect((await ordersOf(buyer.userId)).length).toBe(2);
    expect(await stockOf(shop, lamp.id)).toBe(8);
  });

  it('goes again when PostgreSQL ends it as one of two that waited for each other', async () => {
    await plant("raise exception 'planted' using errcode = '40P01'");
    await placeOrder(shop.orders, buyer.userId, {});
    expect(await tries()).toBe(2);
    expect((await ordersOf(buyer.userId)).length).toBe(1);
  });

  it('does not go again when it fails for a reason that nobody foresaw', async () => {
    await plant("raise exception 'planted' using errcode = '23505'");
    await expect(placeOrder(shop.orders, buyer.userId, {})).rejects.toThrow('planted');
    expect(await tries()).toBe(1);
    expect(await ordersOf(buyer.userId)).toEqual([]);
    expect((await buyer.get('/api/cart')).json.items).toHaveLength(1);
  });
});

describe('whoever erases their account while they order', () => {
  const ADDRESS = { line1: '1 Plantedlane', city: 'Leeds' };
  const placing = { shipping_address: ADDRESS, note: 'Plantednote' };
  const waiting = () =>
    eventually(async () => {
      const blocked = await shop.db.many(
        sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"),
      );
      expect(blocked.length).toBeGreaterThan(0);
    });
  const personWithCart = async () => {
    const person = await newPerson(shop);
    await fillCart(person, [lamp.id, 1]);
    return person;
  };
  it.each([
    ['', forgetCustomer],
    [', even if a cart were there again', async () => {}],
  ])('is not left with an order that comes after it%s, nor do the two wait for each other', async (_, forget) => {
    const person = await personWithCart();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>();
    const erasure = shop.db.transaction(async (tx) => {
      await tx.run(sql('select from users where id = $1 for update', [person.id]));
      isLocked();
      await mayCommit;
      await tx.run(
        sql('update users set erased_at = now(), email = null, username = $2 where id = $1', [
          person.id,
          `erased:${person.id.slice(-12)}`,
        ]),
      );
      await forget(tx, person.id);
    });
    await locked;
    const order = placeOrder(shop.orders, person.id, placing);
    const refused = expect(order).rejects.toMatchObject({ code: 'user_not_found' });
    await waiting();
    commit();
    await erasure;
    await refused;
    expect(await ordersOf(person.id)).toEqual([]);
    expect(await stockOf(shop, lamp.id)).toBe(10);
  });

  it('has the address taken off an order that was placed just before', async () => {
    const person = await personWithCart();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const { promise: placed, resolve: isPlaced } = Promise.withResolvers<void>();
    const one: Database['one'] = (query) =>
      isSale(query)
        ? shop.db.transaction(async (tx) => {
            const row = await tx.one(query);
            isPlaced();
            await mayCommit;
            return row;
          })
        : shop.db.one(query);
    const order = placeOrder({ ...shop.orders, db: { ...shop.db, one } }, person.id, placing);
    await placed;
    const erasure = person.send('DELETE', '/api/profile', { password: PASSWORD });
    await waiting();
    commit();
    await order;
    expect((await erasure).status).toBe(204);
    expect(await ordersOf(person.id)).toEqual([{ shipping_address: null, note: '' }]);
    expect(await shop.db.many(sql('select from carts where id = $1', [person.id]))).toEqual([]);
  });
});
