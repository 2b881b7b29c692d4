import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { readEvents } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { fakeClock } from '../src/kernel/testing/index.ts';
import { buy } from './support/buying.ts';
import { fillCart, newProduct, stockOf } from './support/ordering.ts';
import { newPerson } from './support/person.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** From the cart to an order, over HTTP. */

const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
let staff: Caller;
let buyer: Caller;

beforeAll(async () => {
  shop = await startTestShop({ clock });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  buyer = await shop.as('customer');
});

const ADDRESS = { line1: '1 Long Lane', city: 'Leeds', postal_code: 'LS1 4AP', country: 'GB' };
const cartOf = async (caller: Caller) => (await caller.get('/api/cart')).json;
const ordersOf = async (caller: Caller) => (await caller.get('/api/profile/orders')).json.items;

describe('an order', () => {
  it('is what was in the cart, at the prices of the moment, and empties it', async () => {
    const lamp = await newProduct(staff, { name: 'A lamp', sku: 'LAMP-1', price: '19.99' });
    const mug = await newProduct(staff, { name: 'A mug', sku: 'MUG-1', price: '7.10', sale_price: '6.05' });
    await fillCart(buyer, [mug.id, 3], [lamp.id, 2]);
    const answer = await buyer.post('/api/orders', { shipping_address: ADDRESS, note: '  Ring twice.\r\nThen wait. ' });
    expect(answer.status).toBe(201);
    const placed = answer.json;
    expect(answer.headers.get('location')).toBe(`/api/orders/${placed.id}`);
    expect(answer.headers.get('etag')).toMatch(/^"1-[\w-]+"$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const user = { id: buyer.userId, username: buyer.username };
    expect(placed).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      number: expect.stringMatching(/^[1-9]\d\d-\d{4}-\d{3}$/),
      status: 'pending',
      items: [
        {
          product_id: mug.id,
          sku: 'MUG-1',
          name: 'A mug',
          image_url: mug.image_url,
          unit_price: '6.05',
          quantity: 3,
          line_total: '18.15',
        },
        {
          product_id: lamp.id,
          sku: 'LAMP-1',
          name: 'A lamp',
          image_url: lamp.image_url,
          unit_price: '19.99',
          quantity: 2,
          line_total: '39.98',
        },
      ],
      subtotal: '58.13',
      discount_total: '0.00',
      shipping_total: '0.00',
      tax_total: '0.00',
      total: '58.13',
      currency: 'USD',
      shipping_address: { name: '', line2: '', region: '', ...ADDRESS },
      note: 'Ring twice.\nThen wait.',
      user,
      placed_at: '2026-03-01T12:00:00.000Z',
      status_history: [{ status: 'pending', at: '2026-03-01T12:00:00.000Z', by: user }],
      version: 1,
    });
    const read = await buyer.get(`/api/orders/${placed.id}`);
    expect(read.json).toEqual(placed);
    expect(read.headers.get('etag')).toBe(answer.headers.get('etag'));
    expect(await cartOf(buyer)).toMatchObject({ items: [], total: '0.00' });
    expect(await stockOf(shop, mug.id)).toBe(7);
    expect(await stockOf(shop, lamp.id)).toBe(8);
  });

  it('leaves a movement of stock that refers to it, and one event that names nobody and no address', async () => {
    const lamp = await newProduct(staff);
    const thing = await newProduct(staff, { sku: 'UNTRACKED', stock: null });
    const before = shop.events.position();
    await fillCart(buyer, [lamp.id, 4], [thing.id, 2]);
    const { json: placed } = await buyer.post('/api/orders', { shipping_address: ADDRESS, note: 'Plantednote' });
    const moves = await shop.db.many(
      sql('select delta, on_hand, reason, reference, actor_id from stock_movements where product_id = $1 order by id', [
        lamp.id,
      ]),
    );
    expect(moves.at(-1)).toEqual({
      delta: -4,
      on_hand: 6,
      reason: 'order',
      reference: placed.id,
      actor_id: buyer.userId,
    });
    await shop.events.flush();
    const events = (await readEvents(shop.db, { after: before, limit: 100 })).filter(
      ({ subject_type }) => subject_type === 'order',
    );
    expect(events).toMatchObject([
      {
        type: 'order.placed',
        subject_id: placed.id,
        actor_id: buyer.userId,
        user_id: buyer.userId,
        changes: {},
        occurred_at: clock.now(),
      },
    ]);
    expect(events[0]!.data).toEqual({
      number: placed.number,
      status: 'pending',
      total: '60.00',
      currency: 'USD',
      items: [
        { product_id: lamp.id, sku: lamp.sku, quantity: 4 },
        { product_id: thing.id, sku: 'UNTRACKED', quantity: 2 },
      ],
      stock: { [lamp.id]: { from: 10, to: 6 } },
    });
  });

  it('is in the audit trail for whoever reads that next, though its answer waits for nothing', async () => {
    const lamp = await newProduct(staff);
    for (let i = 0; i < 5; i++) {
      await fillCart(buyer, [lamp.id, 1]);
      const { json: placed } = await buyer.post('/api/orders', {});
      const { json: trail } = await staff.get('/api/events?types=order.placed&before=9007199254740991&limit=1');
      expect(trail.items[0].order.number).toBe(placed.number);
    }
  });

  it('may be placed by whoever has not proved an e-mail address yet', async () => {
    const person = await newPerson(shop);
    expect((await person.get('/api/profile')).json.email_verified).toBe(false);
    const lamp = await newProduct(staff);
    await fillCart(person, [lamp.id, 1]);
    const placed = await person.post('/api/orders', {});
    expect(placed.json).toMatchObject({ status: 'pending', user: { id: person.id } });
  });

  it('keeps what it says when its products are renamed, priced anew and archived', async () => {
    const lamp = await newProduct(staff, { name: 'Before', sku: 'BEFORE', price: '5.00' });
    const placed = await buy(buyer, [[lamp, 2]]);
    await staff.patch(`/api/products/${lamp.id}`, { name: 'After', sku: 'AFTER', price: '9.00' });
    expect((await buyer.get(`/api/orders/${placed.id}`)).json).toEqual(placed);
    expect((await staff.delete(`/api/products/${lamp.id}`)).status).toBe(204);
    expect((await shop.get(`/api/products/${lamp.id}`)).status).toBe(404);
    expect((await buyer.get(`/api/orders/${placed.id}`)).json).toEqual(placed);
    expect((await staff.post(`/api/products/${lamp.id}/restore`)).json.sku).toBe('AFTER');
  });

  it('holds what a guest has gathered under a token that is sent along', async () => {
    const [lamp, mug] = [await newProduct(staff), await newProduct(staff)];
    const guest = await shop.send('POST', '/api/cart/items', { product_id: mug.id, quantity: 2 });
    const token = guest.headers.get('x-cart-token')!;
    expect(token).toBeTruthy();
    await fillCart(buyer, [lamp.id, 1]);
    const placed = await buyer.post('/api/orders', {}, { 'x-cart-token': token });
    expect(placed.json.items.map((item: Answer['json']) => [item.product_id, item.quantity])).toEqual(
      expect.arrayContaining([
        [lamp.id, 1],
        [mug.id, 2],
      ]),
    );
    expect((await shop.get('/api/cart', { 'x-cart-token': token })).json.items).toEqual([]);
  });

  it.each([
    ['USD', '19.99', 3, '59.97'],
    ['JPY', '1500', 2, '3000'],
    ['KWD', '1.250', 3, '3.750'],
  ])('in %s adds up in minor units', async (CURRENCY, price, quantity, total) => {
    const abroad = await startTestShop({ env: { CURRENCY } });
    try {
      const thing = await newProduct(await abroad.as('staff'), { price });
      const placed = await buy(await abroad.as('customer'), [[thing, quantity]]);
      expect(placed).toMatchObject({ total, subtotal: total, currency: CURRENCY, items: [{ unit_price: price }] });
    } finally {
      await abroad.stop();
    }
  });

  it('is exact where a float is not', async () => {
    const dear = await newProduct(staff, { price: '9999999999.99', stock: null });
    const cheap = await newProduct(staff, { price: '0.01', stock: null });
    const placed = await buy(buyer, [
      [dear, 900],
      [cheap, 1],
    ]);
    expect(placed).toMatchObject({ total: '8999999999991.01', items: [{ line_total: '8999999999991.00' }, {}] });
    expect((await buyer.get(`/api/orders/${placed.id}`)).json).toEqual(placed);
  });
});

describe('an order is refused', () => {
  /** Nothing of it was done. */
  async function expectUntouched(answer: Answer, code: string, lines: number): Promise<void> {
    expect(answer.json).toMatchObject({ status: 409, code });
    expect((await cartOf(buyer)).items).toHaveLength(lines);
    expect(await ordersOf(buyer)).toEqual([]);
  }

  it('of an empty cart, and of none', async () => {
    await expectUntouched(await buyer.post('/api/orders', {}), 'cart_empty', 0);
    const lamp = await newProduct(staff);
    await buy(buyer, [[lamp, 1]]);
    expect((await buyer.post('/api/orders', {})).json.code).toBe('cart_empty');
  });

  it('of more than there is, with each line that asks for it and what is left', async () => {
    const [lamp, mug, gone] = [await newProduct(staff), await newProduct(staff), await newProduct(staff)];
    await fillCart(buyer, [lamp.id, 5], [mug.id, 1], [gone.id, 2]);
    await staff.post(`/api/products/${lamp.id}/stock`, { delta: -7, reason: 'Broken' });
    await staff.patch(`/api/products/${gone.id}`, { active: false });
    const answer = await buyer.post('/api/orders', {});
    await expectUntouched(answer, 'insufficient_stock', 3);
    expect(answer.json.lines).toMatchObject([
      { product_id: lamp.id, sku: lamp.sku, quantity: 5, left: 3 },
      { product_id: gone.id, sku: gone.sku, quantity: 2, left: 0 },
    ]);
    expect(await stockOf(shop, lamp.id)).toBe(3);
    expect(await stockOf(shop, mug.id)).toBe(10);
  });

  it('of what is not counted once it is out of stock', async () => {
    const thing = await newProduct(staff, { stock: null, availability: 'preorder' });
    await fillCart(buyer, [thing.id, 700]);
    await staff.patch(`/api/products/${thing.id}`, { availability: 'out_of_stock' });
    await expectUntouched(await buyer.post('/api/orders', {}), 'insufficient_stock', 1);
    await staff.patch(`/api/products/${thing.id}`, { availability: 'backorder' });
    expect((await buyer.post('/api/orders', {})).status).toBe(201);
  });

  it('at another total than was expected, with what it is', async () => {
    const lamp = await newProduct(staff, { price: '10.00' });
    await fillCart(buyer, [lamp.id, 2]);
    await staff.patch(`/api/products/${lamp.id}`, { price: '12.00' });
    const answer = await buyer.post('/api/orders', { expected_total: '20.00' });
    await expectUntouched(answer, 'price_changed', 1);
    expect(answer.json).toMatchObject({ total: '24.00', currency: 'USD' });
    for (const total of ['24.001', '-24', '24,00', 'abc', ''])
      expect((await buyer.post('/api/orders', { expected_total: total })).json).toMatchObject({
        code: 'validation_failed',
        errors: [{ path: 'expected_total' }],
      });
    expect((await buyer.post('/api/orders', { expected_total: '24' })).status).toBe(201);
  });

  it('to nobody, to a guest and to a key that lacks the scope', async () => {
    const guest = await shop.send('POST', '/api/orders', {});
    expect([guest.status, guest.json.code]).toEqual([401, 'unauthenticated']);
  });
});

describe('where it goes', () => {
  const profile = { first_name: 'Ada', last_name: 'King', address: { ...ADDRESS, line2: 'Flat 2', region: '' } };
  const placeWith = async (body: object) => {
    const lamp = await newProduct(staff);
    await fillCart(buyer, [lamp.id, 1]);
    return buyer.post('/api/orders', body);
  };

  it('is what the profile says, unless it is said', async () => {
    await buyer.patch('/api/profile', profile);
    expect((await placeWith({})).json.shipping_address).toEqual({ name: 'Ada King', ...profile.address });
    const elsewhere = { line1: ' 2 Short Lane ', city: 'York' };
    expect((await placeWith({ shipping_address: elsewhere })).json.shipping_address).toEqual({
      name: 'Ada King',
      line1: '2 Short Lane',
      line2: '',
      city: 'York',
      region: '',
      postal_code: '',
      country: '',
    });
    const named = { ...elsewhere, name: 'Mary' };
    expect((await placeWith({ shipping_address: named })).json.shipping_address.name).toBe('Mary');
  });

  it('is nowhere when neither says enough', async () => {
    expect((await placeWith({})).json.shipping_address).toBeNull();
    await buyer.patch('/api/profile', { address: { country: 'GB', city: 'Leeds' } });
    expect((await placeWith({})).json.shipping_address).toBeNull();
  });

  it.each([
    [{ shipping_address: {} }, ['shipping_address.line1', 'shipping_address.city']],
    [{ shipping_address: { line1: '  ', city: 'York' } }, ['shipping_address.line1']],
    [{ shipping_address: { ...ADDRESS, country: 'XX' } }, ['shipping_address.country']],
    [{ shipping_address: { ...ADDRESS, country: 'gb' } }, ['shipping_address.country']],
    [{ shipping_address: { ...ADDRESS, line2: 'a\nb' } }, ['shipping_address.line2']],
    [{ shipping_address: { ...ADDRESS, city: 'x'.repeat(101) } }, ['shipping_address.city']],
    [{ shipping_address: { ...ADDRESS, planet: 'Mars' } }, ['shipping_address.planet']],
    [{ shipping_address: null }, ['shipping_address']],
    [{ note: 'a\tb' }, ['note']],
    [{ note: 'a\u001bb' }, ['note']],
    [{ note: 'a\u0085b' }, ['note']],
    [{ note: 'x'.repeat(1_001) }, ['note']],
    [{ note: 7 }, ['note']],
    [{ total: '10.00' }, ['total']],
    [
      { shipping_address: { city: 'York' }, note: '\u0007', expected_total: 'x' },
      ['shipping_address.line1', 'note', 'expected_total'],
    ],
  ])('and the note are refused when they are not right: %j', async (body, paths) => {
    const answer = await placeWith(body);
    expect(answer.json).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.json.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
    expect(await ordersOf(buyer)).toEqual([]);
  });

  it('may be followed by a note in any writing, with line breaks', async () => {
    const note = 'Bitte klingeln 🔔\n\n第二行\u2028👩‍🚀';
    expect((await placeWith({ note })).json.note).toBe(note);
    expect((await placeWith({ note: ' \n ' })).json.note).toBe('');
    expect((await placeWith({ note: '🔔'.repeat(1_000) })).json.note).toHaveLength(2_000);
  });
});

describe('an order without a body', () => {
  it('is one that says nothing of itself', async () => {
    const lamp = await newProduct(staff);
    await fillCart(buyer, [lamp.id, 1]);
    const key = { 'idempotency-key': newId() };
    const placed = await buyer.post('/api/orders', undefined, key);
    expect([placed.status, placed.json.note], placed.text).toEqual([201, '']);
    expect((await buyer.post('/api/orders', {}, key)).text).toBe(placed.text);
    const json = { 'content-type': 'application/json' };
    expect((await buyer.post('/api/orders', 'null', json)).json.code).toBe('validation_failed');
  });
});

describe('an order under an idempotency key', () => {
  it('that is answered again tells how many things are in the cart by then', async () => {
    const lamp = await newProduct(staff);
    const headers = { 'idempotency-key': newId() };
    const countOf = ({ headers }: Answer) =>
      headers.getSetCookie().flatMap((cookie) => /cart_count=([^;]*)/.exec(cookie)?.[1] ?? []);
    await fillCart(buyer, [lamp.id, 2]);
    expect(countOf(await buyer.post('/api/orders', {}, headers))).toEqual(['']);
    expect(countOf(await buyer.post('/api/orders', {}, headers))).toEqual(['']);
    await fillCart(buyer, [lamp.id, 3]);
    const again = await buyer.post('/api/orders', {}, headers);
    expect([again.status, again.headers.get('idempotent-replayed'), countOf(again)]).toEqual([201, 'true', ['3']]);
  });

  it('is answered again as it was, with its head, by what was kept with it', async () => {
    const lamp = await newProduct(staff);
    await fillCart(buyer, [lamp.id, 2]);
    const headers = { 'idempotency-key': newId() };
    const first = await buyer.post('/api/orders', { note: 'Once.' }, headers);
    expect(first.status).toBe(201);
    const kept = await shop.db.many(
      sql("select state, status from idempotency_keys where state = 'answered' and status = 201"),
    );
    expect(kept.length).toBeGreaterThan(0);
    const again = await buyer.post('/api/orders', { note: 'Once.' }, headers);
    expect([again.status, again.text]).toEqual([201, first.text]);
    for (const name of ['location', 'etag', 'cache-control', 'content-type'])
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await ordersOf(buyer)).toHaveLength(1);
    expect(await stockOf(shop, lamp.id)).toBe(8);
  });

  it('is kept in the very transaction that places it', async () => {
    const lamp = await newProduct(staff);
    await fillCart(buyer, [lamp.id, 1]);
    await shop.db.run(sql('delete from idempotency_keys'));
    // At the commit it sees both, or ends it.
    await shop.db.run(
      sql(`create function witness() returns trigger language plpgsql as $$
        begin
          if not exists (select from idempotency_keys where state = 'answered') then
            raise exception 'The answer is not kept.';
          end if;
          return null;
        end $$`),
    );
    await shop.db.run(
      sql(`create constraint trigger witness after insert on orders deferrable initially deferred
           for each row execute function witness()`),
    );
    try {
      const placed = await buyer.post('/api/orders', {}, { 'idempotency-key': newId() });
      expect(placed.status, placed.text).toBe(201);
      // Without a key there is nothing to keep, which the witness does not take.
      await shop.db.run(sql('delete from idempotency_keys'));
      await fillCart(buyer, [lamp.id, 1]);
      expect((await buyer.post('/api/orders', {})).status).toBe(500);
    } finally {
      await shop.db.run(sql('drop function witness() cascade'));
    }
  });

  it('that is refused may be placed under the same key once it can be', async () => {
    const headers = { 'idempotency-key': newId() };
    expect((await buyer.post('/api/orders', {}, headers)).json.code).toBe('cart_empty');
    const lamp = await newProduct(staff);
    await fillCart(buyer, [lamp.id, 1]);
    expect((await buyer.post('/api/orders', {}, headers)).status).toBe(201);
  });
});
