import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { readEvents } from '../src/kernel/events.ts';
import type { Job } from '../src/kernel/jobs.ts';
import { fakeClock } from '../src/kernel/testing/index.ts';
import { fallenByImport, namesOfProducts } from '../src/modules/catalogue/index.ts';
import { lowStockMails } from '../src/modules/notifications/low-stock-mails.ts';
import type { Mail } from '../src/modules/notifications/mails.ts';
import { buy, makeProduct } from './support/buying.ts';
import { deliverAgain, deliverEvents, writtenMails } from './support/mails.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** What staff are written to about stock that ran low because it was sold. The threshold is 5. */

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
type Json = any;

/** Later than the database's own time, so that nothing is due before a test says so. */
const BEGINNING = '2040-01-15T12:00:00.000Z';
const WINDOW = 5 * 60_000;
const clock = fakeClock(BEGINNING);

let shop: TestShop;
let staff: Caller;

beforeEach(async () => {
  clock.set(BEGINNING);
  shop = await startTestShop({ clock });
  staff = await shop.as('staff');
});
afterEach(() => shop.stop());

const told = () => writtenMails(shop, 'low_stock');
const product = (stock: number, name: string): Promise<Json> => makeProduct(staff, { stock, name });
const placed = async () =>
  (await readEvents(shop.db, { after: 0, limit: 1_000, types: ['order.placed'] })).map(({ position }) => position);
async function writeDigests(): Promise<void> {
  const waiting = await shop.db.many(
    sql<{ payload: object }>(
      `select j.payload from graphile_worker._private_jobs j
       join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'mails.low_stock_digest'`,
    ),
  );
  const job = shop.jobs.find(({ name }) => name === 'mails.low_stock_digest') as Job<object>;
  for (const { payload } of waiting) await job.run(payload, {} as never);
}

describe('an order that lets stock run low', () => {
  it('is told of in one message, with all that it let fall and nothing else, once', async () => {
    const other = await shop.as('superuser');
    const customer = await shop.as('customer');
    const [kettle, lamp, chair, table] = [
      await product(6, 'A kettle'),
      await product(9, 'A lamp'),
      await product(7, 'A chair'),
      await product(20, 'A table'),
    ];
    const [low, untracked] = [await product(4, 'A low one'), await makeProduct(staff, { name: 'A boundless one' })];
    await staff.patch(`/api/products/${lamp.id}`, { active: true, name: 'A bright lamp' });
    const order = await buy(customer, [
      [kettle, 1],
      [table, 3],
      [lamp, 9],
      [low, 1],
      [untracked, 50],
      [chair, 2],
    ]);
    await deliverEvents(shop);
    const mails = await told();
    expect(mails.map(({ recipient_id }) => recipient_id)).toEqual([staff.userId, other.userId]);
    for (const { subject, text } of mails) {
      expect(subject).toBe('Low stock: 3 products');
      expect(text).toContain('The stock of 3 products has fallen to 5 or fewer.');
      for (const [name, { sku }, left] of [
        ['A kettle', kettle, 5],
        ['A bright lamp', lamp, 0],
        ['A chair', chair, 5],
      ] as const)
        expect(text).toMatch(new RegExp(`${name} +${sku} +${left}\\b`));
      for (const name of ['A table', 'A low one', 'A boundless one', order.number, customer.username])
        expect(text).not.toContain(name);
    }

    for (const position of await placed()) await deliverAgain(shop, position, 'mails.low_stock');
    expect(await told()).toHaveLength(2);
  });

  it('is told of again only after the stock was above the threshold, be it by a cancellation', async () => {
    const customer = await shop.as('customer');
    const kettle = await product(8, 'A kettle');
    const many = async () => {
      await deliverEvents(shop);
      return (await told()).map(({ subject }) => subject);
    };
    const order = await buy(customer, [[kettle, 4]]);
    expect(await many()).toEqual(['Low stock: A kettle (4 left)']);
    await buy(customer, [[kettle, 1]]);
    expect(await many()).toHaveLength(1);
    expect((await customer.post(`/api/orders/${order.id}/cancel`)).json.status).toBe('cancelled');
    expect(await many()).toHaveLength(1);
    await buy(customer, [[kettle, 5]]);
    expect(await many()).toEqual(['Low stock: A kettle (4 left)', 'Low stock: A kettle (2 left)']);
  });

  it('is told of up to three times in five minutes, whoever buys, the further ones as one list', async () => {
    const products: Json[] = [];
    for (let n = 0; n < 14; n++) products.push(await product(6, `Thing no. ${n}`));
    for (let n = 0; n < 6; n++)
      await buy(
        await shop.as('customer'),
        products.slice(n * 2, n * 2 + 2).map((one) => [one, 1 + (n % 2)]),
      );
    // What staff take is counted apart.
    for (const { id } of products.slice(12))
      await staff.post(`/api/products/${id}/stock`, { delta: -1, reason: 'broken' });
    await deliverEvents(shop);
    expect((await told()).map(({ subject }) => subject).sort()).toEqual([
      'Low stock: 2 products',
      'Low stock: 2 products',
      'Low stock: 2 products',
      'Low stock: Thing no. 12 (5 left)',
      'Low stock: Thing no. 13 (5 left)',
    ]);
    clock.advance(WINDOW);
    await writeDigests();
    await writeDigests();
    const [list, ...more] = (await told()).slice(5);
    expect(more).toEqual([]);
    expect(list!.subject).toBe('Low stock: 6 products');
    const named = (await told()).flatMap(({ text }) => text.match(/Thing no\. \d+/g)!);
    expect(new Set(named).size).toBe(14);
  });

  it('lists a hundred at most, and says how many more there are', async () => {
    const customer = await shop.as('customer');
    // Each order has as many lines as a cart holds.
    const imported = feedOf(
      Array.from({ length: 400 }, (_, n) => ({
        ...{ id: `S-${n}`, title: `Thing ${n}`, price: '1.00 USD', availability: 'in_stock', quantity: '6' },
      })),
    );
    await shop.importText(imported);
    const rows = await shop.db.many(sql<{ id: string }>('select id from products order by id'));
    for (let n = 0; n < 4; n++) {
      await shop.db.run(
        sql(
          `with cart as (
             insert into carts (id, is_guest, created_at, updated_at) values ($1, false, now(), now())
             on conflict (id) do update set version = carts.version + 1
           )
           insert into cart_items (id, cart_id, product_id, quantity, sku, name, unit_price, added_at)
           select gen_random_uuid(), $1, p.id, 1, p.sku, p.name, p.price, now() from products p where p.id = any ($2)`,
          [customer.userId, rows.slice(n * 100, n * 100 + 100).map(({ id }) => id)],
        ),
      );
      expect((await customer.post('/api/orders', {})).status).toBe(201);
    }
    await deliverEvents(shop);
    expect((await told()).map(({ subject }) => subject)).toEqual(Array(3).fill('Low stock: 100 products'));
    const two = await product(6, 'One more');
    await buy(customer, [[two, 1]]);
    await deliverEvents(shop);
    await writeDigests();
    const list = (await told()).at(-1)!;
    expect(list.subject).toBe('Low stock: 101 products');
    expect(list.text).toContain('And 1 more product.');
    expect(list.text.match(/\bS-\d+/g)).toHaveLength(100);
  });

  it('is not told of a product that is archived by then, nor to whom opted out', async () => {
    const customer = await shop.as('customer');
    await staff.put('/api/profile/notifications', { low_stock: false });
    const other = await shop.as('staff');
    const [kettle, lamp] = [await product(6, 'A kettle'), await product(6, 'A lamp')];
    await buy(customer, [
      [kettle, 1],
      [lamp, 1],
    ]);
    await staff.delete(`/api/products/${kettle.id}`);
    await deliverEvents(shop);
    expect(await told()).toMatchObject([{ recipient_id: other.userId, subject: 'Low stock: A lamp (5 left)' }]);
    const chair = await product(6, 'A chair');
    await buy(customer, [[chair, 1]]);
    await staff.delete(`/api/products/${chair.id}`);
    await deliverEvents(shop);
    expect(await told()).toHaveLength(1);
  });
});

describe('a threshold of 0', () => {
  it('tells of nothing that is sold, adjusted or imported, also when an event was found to be wanted before', async () => {
    const kettle = await product(6, 'A kettle');
    await buy(await shop.as('customer'), [[kettle, 6]]);
    await staff.patch(`/api/products/${kettle.id}`, { stock: 3, expected_stock: 0 });
    await staff.post(`/api/products/${kettle.id}/stock`, { delta: -3, reason: 'broken' });
    await staff.patch(`/api/products/${kettle.id}`, { stock: 3, expected_stock: 0 });
    await shop.importText(
      feedOf([{ id: kettle.sku, title: 'A kettle', price: '10.00 USD', availability: 'in_stock', quantity: '0' }]),
      'upsert',
    );
    const mails: Mail[] = [];
    const handle = async (threshold: number) => {
      const { subscriber } = lowStockMails({
        ...shop,
        config: { ...shop.config, LOW_STOCK: threshold },
        categoryNames: async () => [],
        importOutcomes: async function* () {},
        linesOfOrder: async () => [],
        fallenByImport,
        namesOfProducts,
        sendMail: async (_tx, mail) => void mails.push(mail),
      });
      for (const event of await readEvents(shop.db, { after: 0, limit: 100, types: subscriber.types }))
        await shop.db.transaction((tx) => subscriber.handle(tx, event));
      return mails.splice(0).length;
    };
    expect(await handle(0)).toBe(0);
    // The same events do tell of something.
    expect(await handle(2)).toBe(3);
  });
});
