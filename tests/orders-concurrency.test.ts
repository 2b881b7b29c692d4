import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { cloneDatabase, eventually } from '../src/kernel/testing/index.ts';
import { changeStock } from '../src/modules/catalogue/index.ts';
import { makeProduct, unbalanced } from './support/buying.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** Many who buy the same things at once, beside everybody else who changes their stock. */

let shop: TestShop;
let staff: Caller;

async function openShop(options: { databaseUrl?: string } = {}): Promise<void> {
  shop = await startTestShop({ ...options, env: { DATABASE_POOL_SIZE: '16' } });
  staff = await shop.as('staff');
}

type Thing = { id: string; sku: string };

const customers = (count: number) => Promise.all(Array.from({ length: count }, () => shop.as('customer')));
const things = (count: number, stock: number) =>
  Promise.all(Array.from({ length: count }, () => makeProduct(staff, { stock }) as Promise<Thing>));

/** Puts one of each into a cart, in this order. */
async function fill(buyer: Caller, wanted: readonly Thing[]): Promise<void> {
  await shop.db.run(
    sql('insert into carts (id, is_guest, created_at, updated_at) values ($1, false, now(), now())', [buyer.userId]),
  );
  await shop.db.run(
    sql(
      `insert into cart_items (id, cart_id, product_id, quantity, sku, name, unit_price, added_at)
       select i.id, $1, p.id, 1, p.sku, p.name, p.effective_price, now()
       from unnest($2::uuid[], $3::uuid[]) i (id, product_id) join products p on p.id = i.product_id`,
      [buyer.userId, wanted.map(() => newId()), wanted.map(({ id }) => id)],
    ),
  );
}

const stockOf = async ({ id }: Thing) => (await shop.get(`/api/products/${id}`)).json.stock as number;

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** How many of each were sold and came back, by the orders and by the ledger: the same, if all is well. */
async function soldAndReturned(of: readonly Thing[]) {
  const ids = of.map(({ id }) => id);
  const byOrders = await shop.db.many(
    sql(
      `select product_id, sum(quantity)::int as sold, (sum(quantity) filter (where status = 'cancelled'))::int as returned
       from order_items i join orders o on o.id = i.order_id where product_id = any ($1) group by 1 order by 1`,
      [ids],
    ),
  );
  const byLedger = await shop.db.many(
    sql(
      `select product_id, -(sum(delta) filter (where reason = 'order'))::int as sold,
         (sum(delta) filter (where reason = 'cancellation'))::int as returned
       from stock_movements where product_id = any ($1) and reason in ('order', 'cancellation') group by 1 order by 1`,
      [ids],
    ),
  );
  return { byOrders, byLedger };
}

/** Movements that do not follow from the one before, or leave less than nothing: none, if all is well. */
function leaps(of: readonly Thing[]): Promise<unknown[]> {
  return shop.db.many(
    sql(
      `select * from (
         select product_id, delta, on_hand, lag(on_hand, 1, 0) over (partition by product_id order by id) as before
         from stock_movements where product_id = any ($1)
       ) m where on_hand <> before + delta or on_hand < 0`,
      [of.map(({ id }) => id)],
    ),
  );
}

/** A connection of its own, and how many orders wait for what others hold. */
async function another(): Promise<{ client: pg.Client; waiting(): Promise<number> }> {
  const client = new pg.Client({ connectionString: shop.directUrl });
  await client.connect();
  onTestFinished(() => client.end());
  return {
    client,
    async waiting() {
      // In a transaction the first look at others' is kept.
      await client.query('select pg_stat_clear_snapshot()');
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%place_order%'`,
      );
      return rows[0]!.count;
    },
  };
}

function byStatus(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const what = status >= 400 ? `${status} ${json?.code}` : String(status);
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

describe('the last ten of one thing', () => {
  beforeAll(() => openShop());
  afterAll(() => shop.stop());

  it('go to ten of two hundred who buy at once', async () => {
    const [thing] = (await things(1, 10)) as [Thing];
    const buyers = await customers(200);
    await Promise.all(buyers.map((buyer) => fill(buyer, [thing])));
    // Somebody holds it until more than ten, having seen that there are ten, wait to take one.
    const { client, waiting } = await another();
    await client.query('begin');
    await client.query('select from stock where product_id = $1 for update', [thing.id]);
    const ordering = Promise.all(buyers.map((buyer) => buyer.post('/api/orders', {})));
    await eventually(async () => expect(await waiting()).toBeGreaterThan(12));
    await client.query('commit');
    const answers = await ordering;
    expect(byStatus(answers)).toEqual({ 201: 10, '409 insufficient_stock': 190 });
    for (const { json } of answers.filter(({ status }) => status === 409))
      expect(json.lines).toEqual([expect.objectContaining({ product_id: thing.id, quantity: 1, left: 0 })]);
    expect(await stockOf(thing)).toBe(0);
    const { byOrders, byLedger } = await soldAndReturned([thing]);
    expect(byOrders).toEqual([{ product_id: thing.id, sold: 10, returned: null }]);
    expect(byLedger).toEqual(byOrders);
    expect(await unbalanced(shop)).toEqual([]);
    expect(await leaps([thing])).toEqual([]);
    // What was refused is still in the cart, and nothing of what was ordered.
    const carts = await Promise.all(buyers.map((buyer) => buyer.get('/api/cart')));
    expect(carts.map(({ json }) => json.items.length)).toEqual(answers.map(({ status }) => (status === 201 ? 0 : 1)));
  });
});

describe('a hundred carts with the same twenty things in different orders', () => {
  // PostgreSQL ends one of two who wait for each other, who then tries again and is only late: so none is ended here, and a
  // test in which any two wait for each other takes too long.
  const deadlocksLast = { timeout: 20_000 };
  beforeAll(async () => {
    const { url, drop } = await cloneDatabase();
    await openShop({ databaseUrl: `${url}?options=${encodeURIComponent('-c deadlock_timeout=60s')}` });
    return async () => {
      await shop.stop();
      await drop();
    };
  });

  let wanted: Thing[];
  let buyers: Caller[];
  beforeEach(async () => {
    wanted = await things(20, 40);
    buyers = await customers(100);
    await Promise.all(buyers.map((buyer) => fill(buyer, shuffled(wanted))));
  });
  const orderAll = () => Promise.all(buyers.map((buyer) => buyer.post('/api/orders', {})));

  it('sell what there is, and no more', deadlocksLast, async () => {
    expect(byStatus(await orderAll())).toEqual({ 201: 40, '409 insufficient_stock': 60 });
    const { byOrders, byLedger } = await soldAndReturned(wanted);
    expect(byOrders).toHaveLength(20);
    for (const one of byOrders) expect(one).toMatchObject({ sold: 40, returned: null });
    expect(byLedger).toEqual(byOrders);
    expect(await Promise.all(wanted.map(stockOf))).toEqual(wanted.map(() => 0));
    expect(await unbalanced(shop)).toEqual([]);
    expect(await leaps(wanted)).toEqual([]);
  });

  it(
    'never block one another, nor cancellations, corrections, edits of many and an import’s count',
    deadlocksLast,
    async () => {
      const earlier = await customers(10);
      await Promise.all(earlier.map((buyer) => fill(buyer, shuffled(wanted))));
      const orders = await Promise.all(earlier.map((buyer) => buyer.post('/api/orders', {})));
      expect(byStatus(orders)).toEqual({ 201: 10 });

      const times = <T>(count: number, work: (n: number) => Promise<T>) =>
        (async () => {
          const done: T[] = [];
          for (let n = 0; n < count; n++) done.push(await work(n));
          return done;
        })();
      const [answers, cancellations, corrections, edits] = await Promise.all([
        orderAll(),
        Promise.all(earlier.map((buyer, i) => buyer.post(`/api/orders/${orders[i]!.json.id}/cancel`))),
        Promise.all(
          shuffled([...wanted, ...wanted]).map(({ id }, i) =>
            staff.post(`/api/products/${id}/stock`, { delta: i % 2 === 0 ? 3 : -2, reason: 'Counted again' }),
          ),
        ),
        times(6, (n) =>
          staff.patch(
            '/api/products',
            shuffled(wanted).map(({ id }, i) =>
              i % 2 === 0 ? { id, color: `colour ${n}` } : { id, stock: 25, expected_stock: 20 + i },
            ),
          ),
        ),
        times(6, () =>
          shop.db.transaction((tx) =>
            changeStock(
              tx,
              shuffled(wanted).map(({ id }) => ({ productId: id, target: 30 })),
              { reason: 'import', reference: newId(), actorId: null, at: new Date() },
            ),
          ),
        ),
      ]);
      const placed = answers.filter(({ status }) => status === 201).length;
      expect(byStatus(answers)).toEqual({ 201: placed, '409 insufficient_stock': 100 - placed });
      expect(placed).toBeGreaterThan(0);
      expect(byStatus(cancellations)).toEqual({ 200: 10 });
      for (const { status, json } of corrections)
        expect(status === 200 || json.code === 'insufficient_stock', JSON.stringify(json)).toBe(true);
      expect(byStatus(edits)).toEqual({ 200: 6 });
      for (const item of edits.flatMap(({ json }) => json.items))
        expect([200, 409], JSON.stringify(item)).toContain(item.status);

      const { byOrders, byLedger } = await soldAndReturned(wanted);
      expect(byOrders).toHaveLength(20);
      for (const one of byOrders) expect(one).toMatchObject({ sold: placed + 10, returned: 10 });
      expect(byLedger).toEqual(byOrders);
      expect(await unbalanced(shop)).toEqual([]);
      expect(await leaps(wanted)).toEqual([]);
    },
  );
});

describe('one checkout that is sent twenty times at once', () => {
  beforeAll(() => openShop());
  afterAll(() => shop.stop());

  it('under one key is one order, and each answer is it, or that the key is in use', async () => {
    const [thing] = (await things(1, 100)) as [Thing];
    const buyer = await shop.as('customer');
    await fill(buyer, [thing]);
    const headers = { 'idempotency-key': newId() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => buyer.post('/api/orders', {}, headers)));
    const placed = answers.filter(({ status }) => status === 201);
    const busy = answers.filter(({ json }) => json.code === 'idempotency_key_in_use');
    expect(placed.length).toBeGreaterThan(0);
    expect(placed.length + busy.length, JSON.stringify(byStatus(answers))).toBe(20);
    expect(new Set(placed.map(({ json }) => json.id)).size).toBe(1);
    expect(placed.filter((answer) => answer.headers.get('idempotent-replayed') !== 'true')).toHaveLength(1);
    expect(await shop.db.many(sql('select 1 from orders where user_id = $1', [buyer.userId]))).toHaveLength(1);
    expect(await stockOf(thing)).toBe(99);
  });

  it('without a key is one order too: the cart is empty then', async () => {
    const [thing] = (await things(1, 100)) as [Thing];
    const buyer = await shop.as('customer');
    await fill(buyer, [thing]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => buyer.post('/api/orders', {})));
    expect(byStatus(answers)).toEqual({ 201: 1, '409 cart_empty': 19 });
    expect(await stockOf(thing)).toBe(99);
  });
});

describe('what happens between the look at a cart and its order', () => {
  beforeAll(() => openShop());
  afterAll(() => shop.stop());

  let buyer: Caller;
  let thing: Thing;
  let other: pg.Client;
  let waiting: () => Promise<number>;
  beforeEach(async () => {
    buyer = await shop.as('customer');
    [thing] = (await things(1, 5)) as [Thing];
    expect((await buyer.post('/api/cart/items', { product_id: thing.id, quantity: 2 })).status).toBe(201);
    ({ client: other, waiting } = await another());
    await other.query('begin');
  });

  /** Sends an order that has read its cart, and waits for what `other` holds. */
  async function orderThatWaits(order: object = {}): Promise<{ answer: Promise<Answer> }> {
    const answer = buyer.post('/api/orders', order);
    await eventually(async () => expect(await waiting()).toBe(1));
    return { answer };
  }
  const holdCart = () => other.query('select from carts where id = $1 for update', [buyer.userId]);

  it('a new price is what it costs', async () => {
    await holdCart();
    const { answer } = await orderThatWaits();
    expect((await staff.patch(`/api/products/${thing.id}`, { price: '12.50' })).status).toBe(200);
    await other.query('commit');
    expect((await answer).json).toMatchObject({
      total: '25.00',
      items: [{ unit_price: '12.50', line_total: '25.00' }],
    });
  });

  it('a new price is refused to who expected the old one, and placed for who expects the new', async () => {
    await holdCart();
    const { answer } = await orderThatWaits({ expected_total: '20.00' });
    expect((await staff.patch(`/api/products/${thing.id}`, { price: '12.50' })).status).toBe(200);
    await other.query('commit');
    expect((await answer).json).toMatchObject({ status: 409, code: 'price_changed', total: '25.00', currency: 'USD' });
    expect(await stockOf(thing)).toBe(5);
    const again = await buyer.post('/api/orders', { expected_total: '25.00' });
    expect(again.json).toMatchObject({ total: '25.00' });
  });

  it('another quantity is what is ordered', async () => {
    await other.query('update carts set version = version + 1 where id = $1', [buyer.userId]);
    await other.query('update cart_items set quantity = 3 where cart_id = $1', [buyer.userId]);
    const { answer } = await orderThatWaits();
    await other.query('commit');
    expect((await answer).json).toMatchObject({ total: '30.00', items: [{ quantity: 3 }] });
    expect(await stockOf(thing)).toBe(2);
  });

  it('what somebody else takes just then is not sold again', async () => {
    await other.query(
      `select change_stock(array[$1::uuid], array[-4], array[null::int], 'adjustment', 'Gone', null, now())`,
      [thing.id],
    );
    const { answer } = await orderThatWaits();
    await other.query('commit');
    expect((await answer).json).toMatchObject({ code: 'insufficient_stock', lines: [{ quantity: 2, left: 1 }] });
    expect(await stockOf(thing)).toBe(1);
  });

  it('one who is ended by PostgreSQL, since two wait for each other, orders again', async () => {
    // A first sale refers to the product, whose slug and stock somebody is changing together.
    await other.query(`set deadlock_timeout = '60s'`);
    await other.query('select from stock where product_id = $1 for update', [thing.id]);
    const { answer } = await orderThatWaits();
    await other.query(`update products set slug = slug || '-anew', version = version + 1 where id = $1`, [thing.id]);
    await other.query('commit');
    expect((await answer).status, (await answer).text).toBe(201);
    expect(await stockOf(thing)).toBe(3);
  });
});
