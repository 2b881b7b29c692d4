import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { readEvents } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { MAILBOX } from '../src/modules/notifications/index.ts';
import { buy, makeProduct } from './support/buying.ts';
import { type Following, follow } from './support/follow.ts';
import { deliverAgain, deliverEvents, writtenMails } from './support/mails.ts';
import { newPerson, PASSWORD } from './support/person.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What customers are told about their orders: by mail, and on their sockets as it happens. */

let shop: TestShop;
let staff: Caller;
let customer: Caller;

beforeAll(async () => {
  shop = await startTestShop({ env: { LOW_STOCK: '0' } });
  staff = await shop.as('staff');
  await staff.put('/api/profile/notifications', { product_changes: false });
});
afterAll(() => shop.stop());
beforeEach(async () => {
  await shop.db.run(sql('delete from emails'));
  customer = await shop.as('customer');
});

const become = (order: { id: string }, status: string) => staff.patch(`/api/orders/${order.id}/status`, { status });
/** What was written since the last look, once every event is delivered. */
async function mails() {
  await deliverEvents(shop);
  const written = await writtenMails(shop);
  await shop.db.run(sql('delete from emails'));
  return written;
}
const positions = async (type: string) =>
  (await readEvents(shop.db, { after: 0, limit: 1_000, types: [type] })).map(({ position }) => position);

describe('an order that is placed', () => {
  it('is told to the customer with what was ordered, what it costs, and where it is shown', async () => {
    const [kettle, lamp] = [
      await makeProduct(staff, { stock: 9, price: '19.99', name: 'A <kettle> of “brass”' }),
      await makeProduct(staff, { price: '1204.50', name: 'A lamp' }),
    ];
    const lines = [
      [kettle, 3],
      [lamp, 1],
    ] as const;
    const order = await buy(customer, lines, {
      shipping_address: { name: 'Ada Byron', line1: "12 St James's Square", city: 'London', country: 'GB' },
      note: 'Ring twice.',
    });
    await staff.patch(`/api/products/${lamp.id}`, { name: 'Another name', price: '2.00' });
    await deliverEvents(shop);
    const [mail, ...more] = await writtenMails(shop);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({
      template: 'order_placed',
      recipient_id: customer.userId,
      subject: `Your order ${order.number} at Vitrine`,
    });
    expect(mail!.text).toMatch(/A <kettle> of “brass” +3 +59\.97 USD A lamp +1 +1204\.50 USD/);
    expect(mail!.text).toContain(`Order: ${order.number} Total: 1264.47 USD`);
    expect(mail!.text).toContain(`https://shop.example/orders/${order.number}`);
    expect(mail!.text).toContain('https://shop.example/profile/notifications');
    const { html } = await shop.db.one(sql<{ html: Buffer }>('select html from emails'));
    const drawn = shop.secrets.decrypt(MAILBOX, html);
    expect(drawn).toContain('A &lt;kettle&gt; of');
    for (const text of [mail!.text, drawn])
      for (const personal of ['Ada', 'Square', 'Ring twice', customer.username, 'Another name'])
        expect(text).not.toContain(personal);
  });

  it('costs what it costs in the currency of the shop', async () => {
    const yen = await startTestShop({ env: { CURRENCY: 'JPY' } });
    try {
      const [seller, buyer] = [await yen.as('staff'), await yen.as('customer')];
      await buy(buyer, [[await makeProduct(seller, { price: '1500', name: 'A kettle' }), 2]]);
      await deliverEvents(yen);
      const [mail] = await writtenMails(yen, 'order_placed');
      expect(mail!.text).toMatch(/A kettle +2 +3000 JPY/);
      expect(mail!.text).toContain('Total: 3000 JPY');
    } finally {
      await yen.stop();
    }
  });

  it('is told once, however often its event is delivered', async () => {
    const order = await buy(customer, [[await makeProduct(staff), 1]]);
    await become(order, 'shipped');
    expect(await mails()).toHaveLength(2);
    for (const type of ['order.placed', 'order.status_changed'])
      await deliverAgain(shop, (await positions(type)).at(-1)!, 'mails.orders');
    expect(await writtenMails(shop)).toEqual([]);
  });
});

describe('an order that becomes', () => {
  const subjectsOf = async () => (await mails()).map(({ subject, template }) => `${template}: ${subject}`);

  it('shipped and delivered, or cancelled by whomever, is told so each time, in words', async () => {
    const product = await makeProduct(staff, { stock: 50 });
    const [kept, dropped, refused] = [
      await buy(customer, [[product, 1]]),
      await buy(customer, [[product, 1]]),
      await buy(customer, [[product, 1]]),
    ];
    expect(await mails()).toHaveLength(3);
    await become(kept, 'shipped');
    expect(await subjectsOf()).toEqual([`order_status_changed: Your order ${kept.number} has been shipped`]);
    await become(kept, 'delivered');
    expect(await subjectsOf()).toEqual([`order_status_changed: Your order ${kept.number} has been delivered`]);
    await customer.post(`/api/orders/${dropped.id}/cancel`);
    expect(await subjectsOf()).toEqual([`order_status_changed: Your order ${dropped.number} has been cancelled`]);
    await become(refused, 'cancelled');
    const [mail] = await mails();
    expect(mail).toMatchObject({
      recipient_id: customer.userId,
      subject: `Your order ${refused.number} has been cancelled`,
    });
    expect(mail!.text).toContain(`https://shop.example/orders/${refused.number}`);
    expect(mail!.text).not.toContain(staff.username);
    // What is refused is no news.
    expect((await become(kept, 'cancelled')).status).toBe(409);
    expect(await mails()).toEqual([]);
  });

  it('something that has no words yet is told as it stands', async () => {
    const data = { number: '482-1937-065', status: 'on_hold' };
    const subject = { type: 'order', id: newId() };
    await shop.db.transaction((tx) =>
      shop.events.append(tx, { type: 'order.status_changed', subject, data, userId: customer.userId }),
    );
    expect(await subjectsOf()).toEqual(['order_status_changed: Your order 482-1937-065 is now on_hold']);
  });
});

describe('nothing is written', () => {
  it('to whom opted out, is disabled or erased, though they have orders', async () => {
    const product = await makeProduct(staff, { stock: 50 });
    await customer.put('/api/profile/notifications', { orders: false });
    const opted = await buy(customer, [[product, 1]]);
    const disabled = await shop.as('customer');
    const theirs = await buy(disabled, [[product, 1]]);
    await shop.db.run(sql('update users set disabled_at = now() where id = $1', [disabled.userId]));
    const leaver = await newPerson(shop);
    await leaver.post('/api/cart/items', { product_id: product.id, quantity: 1 });
    const left = await leaver.post('/api/orders', {});
    expect(left.status).toBe(201);
    expect((await leaver.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    for (const order of [opted, theirs, left.json]) expect((await become(order, 'shipped')).status).toBe(200);
    expect(await mails()).toEqual([]);
    await customer.put('/api/profile/notifications', { orders: true });
    await become(opted, 'delivered');
    expect(await mails()).toHaveLength(1);
  });

  it('about what is nobody’s, or whose order is not to be found', async () => {
    const data = { number: '482-1937-065', status: 'pending', total: '5.00', currency: 'USD' };
    const placed = { type: 'order.placed', subject: { type: 'order', id: newId() }, data };
    await shop.db.transaction((tx) => shop.events.append(tx, { ...placed, userId: null }));
    await shop.db.transaction((tx) => shop.events.append(tx, { ...placed, userId: newId() }));
    expect(await mails()).toEqual([]);
    await shop.db.transaction((tx) => shop.events.append(tx, { ...placed, userId: customer.userId }));
    expect(await mails()).toMatchObject([{ text: expect.stringContaining('Total: 5.00 USD') }]);
  });
});

describe('on a socket', () => {
  const opened: Following[] = [];
  const open = async (path: string, headers: Record<string, string>) => {
    const following = await follow(shop.url, path, { headers });
    opened.push(following);
    return following;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  it('a customer is told of each order and each change as it happens, and of nobody else’s', async () => {
    const boss = await shop.as('superuser');
    const stranger = await shop.as('customer');
    const product = await makeProduct(staff, { stock: 20 });
    const path = `/ws/notifications/${customer.userId}`;
    const [own, watched, others] = [
      await open(path, customer.headers),
      await open(path, boss.headers),
      await open(`/ws/notifications/${stranger.userId}`, stranger.headers),
    ];
    const order = await buy(customer, [[product, 2]]);
    await become(order, 'shipped');
    await become(order, 'delivered');
    const second = await buy(customer, [[product, 3]]);
    await customer.post(`/api/orders/${second.id}/cancel`);
    const told = await own.has(5);
    const me = { id: customer.userId, username: customer.username };
    const event = (of: { id: string; number: string }, type: string, status: string, more: object) =>
      expect.objectContaining({ type, order: { id: of.id, number: of.number, status }, ...more });
    const changed = (from: string, to: string) => ({ changes: { status: { from, to } } });
    expect(told).toEqual([
      event(order, 'order.placed', 'pending', { actor: me }),
      // Which of the staff it was is not the customer's business.
      event(order, 'order.status_changed', 'shipped', { actor: null, ...changed('pending', 'shipped') }),
      event(order, 'order.status_changed', 'delivered', { actor: null, ...changed('shipped', 'delivered') }),
      event(second, 'order.placed', 'pending', { actor: me }),
      event(second, 'order.status_changed', 'cancelled', { actor: me, ...changed('pending', 'cancelled') }),
    ]);
    expect(JSON.stringify(told)).not.toContain(staff.userId);
    // Nor is how much of it there is, or was.
    expect(told.filter(({ subject }) => 'stock' in subject)).toEqual([]);
    expect(told[0].subject).toEqual({
      type: 'order',
      id: order.id,
      number: order.number,
      status: 'pending',
      total: '20.00',
      currency: 'USD',
      items: [{ product_id: product.id, sku: product.sku, quantity: 2 }],
    });
    const seen = await watched.has(5);
    expect(seen[0].subject.stock).toEqual({ [product.id]: { from: 20, to: 18 } });
    expect(seen[1]).toMatchObject({ actor: { id: staff.userId, username: staff.username } });
    expect(others.events).toEqual([]);

    const replayed = await open(`${path}?after=${told[0].cursor}`, customer.headers);
    expect(await replayed.has(4)).toEqual(told.slice(1));
  });

  it('staff who order something are told of the stock too, as everywhere', async () => {
    const product = await makeProduct(staff, { stock: 20 });
    const own = await open(`/ws/notifications/${staff.userId}`, staff.headers);
    await buy(staff, [[product, 2]]);
    const [placed] = await own.has(1);
    expect(placed.subject.stock).toEqual({ [product.id]: { from: 20, to: 18 } });
  });

  it('staff see orders among what happens to products, with what they took and gave back', async () => {
    const feed = await open('/ws/products?types=order.*', staff.headers);
    const product = await makeProduct(staff, { stock: 20 });
    const order = await buy(customer, [[product, 2]]);
    await become(order, 'cancelled');
    const [placed, cancelled] = await feed.has(2);
    const by = ({ userId, username }: Caller) => ({ id: userId, username });
    expect(placed).toMatchObject({
      type: 'order.placed',
      actor: by(customer),
      order: { id: order.id, number: order.number, status: 'pending' },
      subject: {
        type: 'order',
        id: order.id,
        total: '20.00',
        currency: 'USD',
        items: [{ product_id: product.id, sku: product.sku, quantity: 2 }],
        stock: { [product.id]: { from: 20, to: 18 } },
      },
    });
    expect(cancelled).toMatchObject({
      type: 'order.status_changed',
      actor: by(staff),
      order: { id: order.id, status: 'cancelled' },
      subject: { stock: { [product.id]: { from: 18, to: 20 } } },
    });
  });
});
