import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, type Sql, type Statement, sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import type { Paging } from '../src/kernel/paging.ts';
import { hashToken } from '../src/kernel/secrets.ts';
import { stockLedger } from '../src/modules/catalogue/stock-ledger.ts';
import { buy, makeProduct, tryToBuy, unbalanced } from './support/buying.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** The ledger of a product's stock: what staff read of it, and that it always adds up to the stock. */

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
type Json = any;

let shop: TestShop;
let staff: Caller;
let customer: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  [staff, customer] = [await shop.as('staff'), await shop.as('customer')];
});
afterAll(() => shop.stop());

const pathOf = ({ id }: { id: string }, query = '') => `/api/products/${id}/stock${query}`;
async function ledger(product: { id: string }, query = ''): Promise<Json> {
  const answer = await staff.get(pathOf(product, query));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}
const adjust = (product: { id: string }, delta: number, reason = 'counted') =>
  staff.post(`/api/products/${product.id}/stock`, { delta, reason });
const importStock = (sku: string, quantity: number, price = '10.00') =>
  shop.importText(
    feedOf([
      { id: sku, title: 'A thing', price: `${price} USD`, availability: 'in_stock', quantity: String(quantity) },
    ]),
    'upsert',
  );

describe('the ledger of a product', () => {
  it('tells of every kind of movement, the newest first: what it came to, why, when and by whom', async () => {
    const imported = await importStock('LEDGER-1', 20);
    const { items } = (await staff.get('/api/products?search=LEDGER-1')).json;
    const product = items[0];
    await adjust(product, -3, 'Broken by Mr. Smith');
    await staff.patch(`/api/products/${product.id}`, { stock: 30, expected_stock: 17 });
    const kept = await buy(customer, [[product, 4]]);
    const dropped = await buy(customer, [[product, 5]]);
    await customer.post(`/api/orders/${dropped.id}/cancel`);
    await staff.patch(`/api/orders/${kept.id}/status`, { status: 'cancelled' });

    const answer = await staff.get(pathOf(product));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const by = ({ userId, username }: Caller) => ({ id: userId, username });
    const none = { reason: null, order_id: null, import_id: null };
    const expected = [
      { delta: 4, stock: 30, kind: 'cancellation', ...none, order_id: kept.id, actor: by(staff) },
      { delta: 5, stock: 26, kind: 'cancellation', ...none, order_id: dropped.id, actor: by(customer) },
      { delta: -5, stock: 21, kind: 'order', ...none, order_id: dropped.id, actor: by(customer) },
      { delta: -4, stock: 26, kind: 'order', ...none, order_id: kept.id, actor: by(customer) },
      { delta: 13, stock: 30, kind: 'adjustment', ...none, actor: by(staff) },
      { delta: -3, stock: 17, kind: 'adjustment', ...none, reason: 'Broken by Mr. Smith', actor: by(staff) },
      { delta: 20, stock: 20, kind: 'import', ...none, import_id: imported.id, actor: null },
    ];
    const whole = (movement: object) => ({
      ...movement,
      id: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(answer.json).toEqual({
      items: expected.map(whole),
      stock: 30,
      page: 1,
      page_size: 10,
      total: 7,
      total_pages: 1,
      next_cursor: null,
    });
    expect(await ledger({ id: product.slug })).toEqual(answer.json);
  });

  it('is empty where stock is not tracked, and begins with the first count, be it zero', async () => {
    const untracked = await makeProduct(staff);
    expect(await ledger(untracked)).toMatchObject({
      items: [],
      stock: null,
      total: 0,
      total_pages: 0,
      next_cursor: null,
    });
    const none = await makeProduct(staff, { stock: 0 });
    expect(await ledger(none)).toMatchObject({
      items: [{ delta: 0, stock: 0, kind: 'adjustment' }],
      stock: 0,
      total: 1,
    });
  });

  it('can be read of what is archived, and not of what is erased or never was', async () => {
    const [sold, unsold] = [await makeProduct(staff, { stock: 5 }), await makeProduct(staff, { stock: 5 })];
    await buy(customer, [[sold, 1]]);
    for (const { id } of [sold, unsold]) expect((await staff.delete(`/api/products/${id}`)).status).toBe(204);
    expect((await ledger(sold)).items.map(({ delta }: Json) => delta)).toEqual([-1, 5]);
    for (const key of [unsold.id, newId(), 'no-such-thing'])
      expect((await staff.get(pathOf({ id: key }))).json).toMatchObject({ status: 404, code: 'product_not_found' });
  });

  it('names no customer to a key that may not read orders', async () => {
    const buyer = await shop.as('customer');
    const product = await makeProduct(staff, { stock: 5 });
    await buy(buyer, [[product, 1]]);
    const as = async (scopes: string[]) => {
      const key = `vk_${newId()}`;
      await shop.db.run(
        build.insertInto('api_keys').values({
          ...{
            id: newId(),
            name: 'test',
            hint: key.slice(0, 9),
            hash: hashToken(key),
            scopes,
            created_by: boss.userId,
          },
          ...{ created_at: shop.clock.now(), expires_at: null },
        }),
      );
      const answer = await shop.get(pathOf(product), { authorization: `Bearer ${key}` });
      return answer.json.items.map(({ actor }: Json) => actor?.username ?? null);
    };
    const boss = await shop.as('superuser');
    expect(await as(['catalogue:read', 'orders:read'])).toEqual([buyer.username, staff.username]);
    expect(await as(['catalogue:read'])).toEqual([null, staff.username]);
  });
});

describe('pages of a ledger', () => {
  it('give every movement once by number and by cursor, in the same order', async () => {
    const product = await makeProduct(staff, { stock: 100 });
    const deltas = [100];
    for (let n = 1; n <= 22; n++) {
      const delta = n % 3 === 0 ? -n : n;
      deltas.unshift(delta);
      expect((await adjust(product, delta)).status).toBe(200);
    }
    for (const size of [1, 4, 23, 100]) {
      const [byPage, byCursor]: Json[][] = [[], []];
      for (let page = 1; page <= Math.ceil(23 / size); page++) {
        const found = await ledger(product, `?page=${page}&page_size=${size}`);
        expect(found).toMatchObject({ page, page_size: size, total: 23, total_pages: Math.ceil(23 / size) });
        byPage!.push(...found.items);
      }
      for (let cursor = ''; ; ) {
        const found = await ledger(product, `?page_size=${size}${cursor}`);
        byCursor!.push(...found.items);
        if (found.next_cursor === null) break;
        expect(found.items).toHaveLength(size);
        cursor = `&cursor=${found.next_cursor}`;
      }
      expect(byPage!.map(({ delta }) => delta)).toEqual(deltas);
      expect(byCursor).toEqual(byPage);
    }
  });

  it('go on from a cursor however much has happened since', async () => {
    const product = await makeProduct(staff, { stock: 10 });
    for (const delta of [1, 2, 3]) await adjust(product, delta);
    const first = await ledger(product, '?page_size=2');
    await adjust(product, 50);
    const second = await ledger(product, `?page_size=2&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ page: null, stock: 66, total: 5, next_cursor: null });
    expect(second.items.map(({ delta }: Json) => delta)).toEqual([1, 10]);
  });

  it('cost the same however deep, and count no further than 10,000', async () => {
    const product = await makeProduct(staff, { stock: 100_000 });
    // As change_stock would write them, in a hundredth of the time.
    await shop.db.run(
      sql(
        `with sold as (
           insert into stock_movements (product_id, delta, on_hand, reason, reference, at)
           select $1, -1, 100000 - n, 'order', $2, now() from generate_series(1, 10500) n
         )
         update stock set on_hand = on_hand - 10500 where product_id = $1`,
        [product.id, newId()],
      ),
    );
    await shop.db.run(sql('analyze stock_movements'));
    const newest = await ledger(product, '?page_size=100');
    expect(newest).toMatchObject({ stock: 89_500, total: 10_001, total_is_estimate: true });
    expect(newest.items[0]).toMatchObject({ delta: -1, stock: 89_500 });
    const deep = await ledger(product, `?page_size=2&cursor=${newest.items[0].id - 10_400}`);
    expect(deep.items.map(({ stock }: Json) => stock)).toEqual([99_901, 99_902]);
    expect((await staff.get(pathOf(product, '?page=101&page_size=100'))).json.code).toBe('page_too_deep');

    const blocks = async (query: Paging) => {
      const asked: Statement[] = [];
      const recording: Sql = {
        ...shop.db,
        many(statement) {
          asked.push(statement as Statement);
          return shop.db.many(statement);
        },
      };
      await stockLedger(recording, { scopes: null }, product.id, query);
      const { text, values } = asked.find((statement) => statement.text.includes('stock_movements'))!;
      const plan = await shop.db.one<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>({
        text: `explain (analyze, buffers, format json) ${text}`,
        values,
      });
      expect(JSON.stringify(plan)).not.toMatch(/"Seq Scan"/);
      const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = plan['QUERY PLAN'][0].Plan;
      return hit! + read!;
    };
    const [shallow, far] = [await blocks({ page: 1 }), await blocks({ cursor: String(newest.items[0].id - 10_400) })];
    expect(far).toBeLessThan(shallow * 1.2);
  });

  it.each(['x', '0', '-1', '1e3', '9'.repeat(16), newId()])('refuse the cursor %s', async (cursor) => {
    const product = await makeProduct(staff, { stock: 1 });
    expect((await staff.get(pathOf(product, `?cursor=${cursor}`))).json).toMatchObject({ code: 'invalid_cursor' });
  });
});

describe('stock', () => {
  /** One thing that is done to one of the products; what is refused changes nothing. */
  type Step =
    | { do: 'adjust'; at: number; units: number }
    | { do: 'set'; at: number; units: number }
    | { do: 'import'; at: number; units: number }
    | { do: 'order'; lines: { at: number; units: number }[] }
    | { do: 'cancel'; which: number };
  const COUNT = 3;
  const at = fc.nat(COUNT - 1);
  const anImport = fc.record({ do: fc.constant('import' as const), at, units: fc.nat(12) });
  const anything: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('adjust' as const), at, units: fc.integer({ min: -8, max: 8 }) }),
    fc.record({ do: fc.constant('set' as const), at, units: fc.nat(12) }),
    fc.record({
      do: fc.constant('order' as const),
      lines: fc.uniqueArray(fc.record({ at, units: fc.integer({ min: 1, max: 6 }) }), {
        selector: (line) => line.at,
        minLength: 1,
        maxLength: COUNT,
      }),
    }),
    fc.record({ do: fc.constant('cancel' as const), which: fc.nat(5) }),
  );
  // An import takes as long as twenty other things.
  const step = fc.oneof({ weight: 9, arbitrary: anything }, { weight: 1, arbitrary: anImport });

  it('is the sum of its ledger whatever is done to it, and never less than nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const products = await Promise.all(Array.from({ length: COUNT }, () => makeProduct(staff, { stock: 5 })));
        const stock = products.map(() => 5);
        const orders: { id: string; lines: { at: number; units: number }[]; cancelled: boolean }[] = [];
        for (const one of steps) {
          if (one.do === 'order') {
            await customer.delete('/api/cart');
            const enough = one.lines.every((line) => stock[line.at]! >= line.units);
            const answer = await tryToBuy(
              customer,
              one.lines.map((line) => [products[line.at], line.units]),
            );
            expect(answer.status, answer.text).toBe(enough ? 201 : 409);
            if (!enough) continue;
            orders.push({ id: answer.json.id, lines: one.lines, cancelled: false });
            for (const line of one.lines) stock[line.at]! -= line.units;
          } else if (one.do === 'cancel') {
            const order = orders[one.which];
            if (!order) continue;
            const answer = await customer.post(`/api/orders/${order.id}/cancel`);
            expect(answer.status).toBe(order.cancelled ? 409 : 200);
            if (!order.cancelled) for (const line of order.lines) stock[line.at]! += line.units;
            order.cancelled = true;
          } else if (one.do === 'import') {
            await importStock(products[one.at].sku, one.units);
            stock[one.at] = one.units;
          } else if (one.do === 'set') {
            const body = { stock: one.units, expected_stock: stock[one.at] };
            expect((await staff.patch(`/api/products/${products[one.at].id}`, body)).status).toBe(200);
            stock[one.at] = one.units;
          } else {
            const answer = await adjust(products[one.at], one.units);
            const possible = stock[one.at]! + one.units >= 0;
            expect(answer.status).toBe(one.units === 0 ? 400 : possible ? 200 : 409);
            if (answer.status === 200) stock[one.at]! += one.units;
          }
        }
        for (const [index, product] of products.entries()) {
          const { items, stock: onHand, total } = await ledger(product, '?page_size=100');
          expect(onHand).toBe(stock[index]);
          expect(items).toHaveLength(total);
          let sum = 0;
          for (const { delta, stock: after } of items.toReversed()) {
            sum += delta;
            expect(after).toBe(sum);
            expect(after).toBeGreaterThanOrEqual(0);
          }
          expect(sum).toBe(onHand);
        }
        expect(await unbalanced(shop)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});
