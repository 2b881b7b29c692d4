import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import {
  faultsOf,
  formOf,
  noticeOf,
  type Page,
  registered,
  titleOf,
  type Visitor,
  visitor,
} from '../account/testing.ts';
import { ADDRESS, linesOf, putIn, totalOf } from './testing.ts';

/** The way from a cart to an order, as a browser without script goes it. */

const HOSTILE = `"><script>alert('x')</script></textarea><b onclick=alert(1)>`;

let shop: TestShop;
let staff: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());

let made = 0;
async function product(fields: Record<string, unknown> = {}): Promise<{ id: string; name: string }> {
  const answer = await staff.post('/api/products', { name: `Bowl ${++made}`, price: '10.00', stock: 10, ...fields });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json;
}

/** Somebody with something in the cart, at the checkout. */
async function atCheckout(quantity = 2, fields: Record<string, unknown> = {}) {
  const { one, username } = await registered(shop.url);
  const thing = await product(fields);
  await putIn(one, thing.id, quantity);
  const page = await one.open('/checkout');
  expect(titleOf(page)).toBe('Check out');
  return { one, username, thing, page };
}
const send = (one: Visitor, page: Page, values: Record<string, string> = {}) =>
  one.submit(page, '/checkout', { ...ADDRESS, ...values });
const ordersOf = (username: string) =>
  shop.db.many(
    sql<{ number: string; total: number; note: string; shipping_address: Record<string, string> }>(
      'select o.* from orders o join users u on u.id = o.user_id where u.username = $1 order by o.id',
      [username],
    ),
  );

describe('the checkout', () => {
  it('is for whoever is logged in, and the cart comes along', async () => {
    const { username } = await registered(shop.url);
    const one = visitor(shop.url);
    const thing = await product();
    await putIn(one, thing.id, 3);
    const cart = await one.open('/cart');
    expect(cart.text).toContain('You log in, or open an account, on the way.');
    const asked = await one.request('GET', '/checkout');
    expect([asked.status, asked.location]).toEqual([303, '/login?next=%2Fcheckout']);
    const page = await one.send(await one.open(asked.location!), '/login', {
      login: username,
      password: 'correct horse battery',
    });
    expect([page.path, titleOf(page)]).toEqual(['/checkout', 'Check out']);
    expect(linesOf(page)).toMatchObject([{ name: thing.name, about: ['3 × $10.00'], total: '$30.00' }]);
    expect(totalOf(page)).toBe('$30.00');
  });

  it('begins with what the profile says', async () => {
    const { one, username } = await registered(shop.url);
    await shop.db.run(
      sql('update users set first_name = $2, last_name = $3, address = $4 where username = $1', [
        username,
        'Ada',
        'Lovelace',
        JSON.stringify({ ...ADDRESS, line2: 'Flat 2', region: 'Greater London' }),
      ]),
    );
    await putIn(one, (await product()).id);
    const page = await one.open('/checkout');
    expect(Object.fromEntries(formOf(page, '/checkout'))).toMatchObject({
      ...ADDRESS,
      line2: 'Flat 2',
      region: 'Greater London',
      note: '',
      expected_total: '10.00',
    });
    // There is one in the profile: another is not put over it unasked.
    expect(formOf(page, '/checkout').has('keep_address')).toBe(false);
  });

  it('with nothing in the cart, or what cannot be had, leads back to the cart', async () => {
    const { one } = await registered(shop.url);
    expect((await one.request('GET', '/checkout')).location).toBe('/cart');
    const thing = await product();
    await putIn(one, thing.id, 3);
    await staff.post(`/api/products/${thing.id}/stock`, { delta: -9, reason: 'loss' });
    const cart = await one.open('/checkout');
    expect([cart.path, noticeOf(cart)]).toEqual([
      '/cart?done=cart_changed',
      'Something in your cart cannot be had as it is. Change what is marked, then check out.',
    ]);
  });

  it('says all that is missing or wrong at its fields, and keeps what was written', async () => {
    const { one, page } = await atCheckout();
    const empty = await send(one, page, { name: '', line1: ' ', city: '', country: '' });
    expect([empty.status, faultsOf(empty)]).toEqual([
      400,
      ['Enter the name of who receives it.', 'Enter a street and number.', 'Enter a city.', 'Enter a country.'],
    ]);
    const wrong = await send(one, page, {
      name: 'x'.repeat(1_000),
      postal_code: '1'.repeat(21),
      country: 'XX',
      note: 'n'.repeat(1_001),
      line2: 'Flat 2',
    });
    expect([wrong.status, faultsOf(wrong)]).toEqual([
      400,
      [
        expect.stringMatching(/^Name must have at most 20\d characters\.$/),
        'Postal code must have at most 20 characters.',
        'A note for us must have at most 1000 characters.',
        'Choose a country from the list.',
      ],
    ]);
    expect(formOf(wrong, '/checkout').get('line2')).toBe('Flat 2');
    expect(await shop.db.many(sql('select from orders where note like $1', ['nnn%']))).toEqual([]);
    // Sent once more, filled in, it is an order: what was refused has not used the form up.
    expect((await send(one, wrong, { note: '' })).location).toMatch(/^\/orders\/\d{3}-\d{4}-\d{3}\?done=placed$/);
  });
});

describe('the order', () => {
  it('is placed as it was seen, and the cart is empty then', async () => {
    const { one, username, thing, page } = await atCheckout(2);
    const note = 'Ring twice.\r\nThe dog is friendly.';
    const sent = await send(one, page, { note });
    expect(sent.status).toBe(303);
    const [order, ...others] = await ordersOf(username);
    expect(others).toEqual([]);
    expect(sent.location).toBe(`/orders/${order!.number}?done=placed`);
    expect(order).toMatchObject({
      total: 2_000,
      note: 'Ring twice.\nThe dog is friendly.',
      shipping_address: { ...ADDRESS, line2: '', region: '' },
    });
    expect(one.cookies.get('__Host-vitrine_cart_count')).toBeUndefined();
    const shown = await one.open(sent.location!);
    expect([titleOf(shown), noticeOf(shown)]).toEqual([`Order ${order!.number}`, 'Thank you: your order is placed.']);
    expect(linesOf(shown)).toMatchObject([{ name: thing.name, total: '$20.00' }]);
    expect((await shop.get(`/api/products/${thing.id}`)).json.stock).toBe(8);
    expect(linesOf(await one.open('/cart'))).toEqual([]);
  });

  it('keeps its address in the profile when asked to, and not otherwise', async () => {
    const { one, page } = await atCheckout();
    expect(formOf(page, '/checkout').get('keep_address')).toBe('on');
    await send(one, page);
    expect(formOf(await one.open('/profile'), '/profile').get('address.line1')).toBe(ADDRESS.line1);
    await putIn(one, (await product()).id);
    const next = await one.open('/checkout');
    expect((await send(one, next, { line1: 'Elsewhere 1' })).status).toBe(303);
    expect(formOf(await one.open('/profile'), '/profile').get('address.line1')).toBe(ADDRESS.line1);
  });

  it('sent twenty times at once is one order, and each answer leads to it', async () => {
    const { one, username, page } = await atCheckout();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(one, page)));
    const [order, ...others] = await ordersOf(username);
    expect(others).toEqual([]);
    expect(new Set(answers.map(({ status, location }) => `${status} ${location}`))).toEqual(
      new Set([`303 /orders/${order!.number}?done=placed`]),
    );
  });

  it('sent again later is the same order, whatever is in the cart by then', async () => {
    const { one, username, thing, page } = await atCheckout();
    const first = await send(one, page);
    expect((await send(one, page)).location).toBe(first.location);
    await putIn(one, thing.id, 2);
    expect((await send(one, page)).location).toBe(first.location);
    expect(await ordersOf(username)).toHaveLength(1);
    expect(linesOf(await one.open('/cart'))).toHaveLength(1);
    expect(one.cookies.get('__Host-vitrine_cart_count')).toBe('2');
  });

  it('of a form that has had its order and was changed is not placed unasked', async () => {
    const { one, username, thing, page } = await atCheckout();
    await send(one, page);
    expect((await send(one, page, { note: 'Another one' })).location).toBe('/orders');
    await putIn(one, thing.id, 2);
    const told = await send(one, page, { note: 'Another one' });
    expect([told.status, faultsOf(told)]).toEqual([
      422,
      [
        'This form has placed an order already, which is among your orders. What is in the cart now is not ordered yet.',
      ],
    ]);
    expect(await ordersOf(username)).toHaveLength(1);
    expect((await send(one, told, { note: 'Another one' })).location).toMatch(/done=placed$/);
    expect(await ordersOf(username)).toHaveLength(2);
  });

  it('is not placed at a price that was not seen', async () => {
    const { one, username, thing, page } = await atCheckout(2);
    expect((await staff.patch(`/api/products/${thing.id}`, { price: '12.00' })).status).toBe(200);
    const told = await send(one, page, { note: 'kept' });
    expect([told.status, faultsOf(told)]).toEqual([
      409,
      ['The total was $20.00 and is $24.00 now. Nothing is ordered yet: look at it, then place the order.'],
    ]);
    expect(linesOf(told)[0]!.amber).toEqual(['The price has gone up from $10.00 to $12.00.']);
    expect([totalOf(told), formOf(told, '/checkout').get('note')]).toEqual(['$24.00', 'kept']);
    expect(await ordersOf(username)).toEqual([]);
    await send(one, told);
    expect((await ordersOf(username)).map(({ total }) => total)).toEqual([2_400]);
  });

  it('of what has run short leads back to the cart, which says at which line', async () => {
    const { one, username, thing, page } = await atCheckout(3);
    await staff.post(`/api/products/${thing.id}/stock`, { delta: -8, reason: 'loss' });
    const sent = await send(one, page);
    expect(sent.location).toBe('/cart?done=cart_changed');
    const cart = await one.open(sent.location!);
    expect(linesOf(cart)[0]!.amber).toEqual(['Only 2 left.']);
    expect(await ordersOf(username)).toEqual([]);
    // What was refused is not used up: with fewer in the cart, the same form works.
    await one.send(cart, `/cart/items/${linesOf(cart)[0]!.id}`, { quantity: '2' });
    const again = await one.open('/checkout');
    expect((await send(one, again)).location).toMatch(/done=placed$/);
  });

  it('is nothing when the cart was ordered in another tab, or emptied', async () => {
    const { one, username, page } = await atCheckout();
    const other = await one.open('/checkout');
    await send(one, page);
    expect((await send(one, other)).location).toBe('/cart');
    expect(await ordersOf(username)).toHaveLength(1);
  });

  it('is nobody’s by a form from elsewhere, or of somebody who has logged out', async () => {
    const { one, username, page } = await atCheckout();
    const form = formOf(page, '/checkout');
    form.delete('_csrf');
    expect((await one.request('POST', '/checkout', form, { origin: 'https://shop.example' })).status).toBe(403);
    await one.submit(await one.open('/profile'), '/logout');
    expect((await send(one, page)).location).toBe('/login?next=%2Fcheckout');
    expect(await ordersOf(username)).toEqual([]);
  });

  it('under a key of somebody else’s form is one’s own', async () => {
    const mine = await atCheckout();
    const theirs = await atCheckout();
    const key = formOf(mine.page, '/checkout').get('key')!;
    await send(mine.one, mine.page);
    const sent = await send(theirs.one, theirs.page, { key });
    const [order] = await ordersOf(theirs.username);
    expect(sent.location).toBe(`/orders/${order!.number}?done=placed`);
  });

  it.each([
    ['without a key', { key: '' }, 303],
    ['with a long key', { key: 'k'.repeat(5_000) }, 303],
    ['with another total', { expected_total: '0.01' }, 409],
  ])('%s is judged by itself', async (_, values, status) => {
    const { one, page } = await atCheckout();
    expect((await send(one, page, values)).status).toBe(status);
  });

  it.each(['cheap', '', '-5', '1e3', '10.001', HOSTILE])(
    'with a total that nobody was shown (%j) is told what it is, as when it has changed',
    async (expected_total) => {
      const { one, username, page } = await atCheckout(2);
      const told = await send(one, page, { expected_total, note: 'kept' });
      expect([told.status, faultsOf(told)]).toEqual([
        409,
        ['The total is $20.00 now. Nothing is ordered yet: look at it, then place the order.'],
      ]);
      expect(told.text).not.toMatch(/expected_total(?!" value="20\.00")|NaN/);
      expect([totalOf(told), formOf(told, '/checkout').get('note')]).toEqual(['$20.00', 'kept']);
      expect(await ordersOf(username)).toEqual([]);
      await send(one, told);
      expect((await ordersOf(username)).map(({ total }) => total)).toEqual([2_000]);
    },
  );

  it('shows what anybody has written as text', async () => {
    const { one, username, page } = await atCheckout(1, { name: HOSTILE });
    const lines = { name: HOSTILE, line1: HOSTILE, line2: HOSTILE, city: HOSTILE, region: HOSTILE, note: HOSTILE };
    const refused = await send(one, page, { ...lines, country: '' });
    expect(refused.status).toBe(400);
    const sent = await send(one, page, lines);
    expect(sent.status).toBe(303);
    const { number } = (await ordersOf(username))[0]!;
    for (const text of [
      refused.text,
      page.text,
      (await one.open(`/orders/${number}`)).text,
      (await one.open('/orders')).text,
    ]) {
      expect(text).toContain('&lt;script&gt;');
      expect(text).not.toMatch(/<script>|<b onclick|alert\('x'\)<\/script>/);
    }
    expect(formOf(refused, '/checkout').get('note')).toBe(HOSTILE);
  });
});

describe('both pages', () => {
  it('are kept by nobody', async () => {
    const { one, page } = await atCheckout();
    for (const each of [page, await send(one, page, { city: '' })]) {
      expect([each.headers.get('cache-control'), each.headers.get('etag')]).toEqual(['no-store', null]);
      expect(each.text).not.toMatch(/\sstyle=|\son\w+=/);
    }
  });
});
