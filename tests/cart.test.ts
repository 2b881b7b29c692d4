import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, sql } from '../src/kernel/db.ts';
import { onBehalfOf } from '../src/kernel/idempotency.ts';
import { newId } from '../src/kernel/ids.ts';
import { formatMoney, parseMoney } from '../src/kernel/money.ts';
import { hashToken } from '../src/kernel/secrets.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { addToCart } from '../src/modules/orders/index.ts';
import { MAX_LINES } from '../src/modules/orders/schemas.ts';
import { visitor } from '../src/storefront/account/testing.ts';
import { newPerson, PASSWORD } from './support/person.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** Carts of guests and users, over HTTP. */

let shop: TestShop;
let staff: Caller;
const clock = fakeClock('2026-03-01T12:00:00.000Z');

beforeAll(async () => {
  shop = await startTestShop({ clock });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());

let names = 0;
async function make(fields: object = {}) {
  const made = await staff.post('/api/products', { name: `Thing ${++names}`, price: '10.00', ...fields });
  expect(made.status, made.text).toBe(201);
  return made.json as { id: string; sku: string; slug: string; name: string; image_url: string };
}
const patch = async (id: string, fields: object) => {
  const changed = await staff.patch(`/api/products/${id}`, fields);
  expect(changed.status, changed.text).toBe(200);
};

type By = { send(method: string, path: string, body?: unknown): Promise<Answer> };
const by = ({ headers }: Pick<Caller, 'headers'>): By => ({
  send: (method, path, body) => shop.send(method, path, body, headers),
});
/** A guest as a program is one: by the header. */
async function guest(): Promise<By & { token: string; id: string }> {
  const token = (await shop.get('/api/cart')).headers.get('x-cart-token')!;
  return { ...by({ headers: { 'x-cart-token': token } }), token, id: token.split('.')[0]! };
}
const add = (who: By, product_id: string, quantity = 1) =>
  who.send('POST', '/api/cart/items', { product_id, quantity });
const cartOf = async (who: By) => {
  const answer = await who.send('GET', '/api/cart');
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const rowsOf = (cartId: string) => shop.db.many(sql('select * from carts where id = $1', [cartId]));

const tidy = () => shop.orders.jobs.find(({ name }) => name === 'carts.tidy')!.run(undefined as never, {} as never);

/** An API key of a superuser, with these scopes. */
async function keyWith(...scopes: string[]): Promise<By> {
  const boss = await shop.as('superuser');
  const key = `vk_${newId()}`;
  await shop.db.run(
    build.insertInto('api_keys').values({
      id: newId(),
      name: 'test',
      hint: key.slice(0, 9),
      hash: hashToken(key),
      scopes,
      created_by: boss.userId,
      created_at: clock.now(),
    }),
  );
  return by({ headers: { authorization: `Bearer ${key}` } });
}

describe('a guest', () => {
  it('is answered an empty cart and a token, by header and cookie, and nothing is stored', async () => {
    const answer = await shop.get('/api/cart');
    expect(answer.status).toBe(200);
    const token = answer.headers.get('x-cart-token')!;
    expect(token).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
    expect(answer.json).toEqual({
      id: token.split('.')[0],
      items: [],
      item_count: 0,
      subtotal: '0.00',
      total: '0.00',
      currency: 'USD',
      ready: false,
      updated_at: null,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('__Host-vitrine_cart='))!;
    expect(cookie).toContain(token);
    expect(cookie).toMatch(/; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(await rowsOf(token.split('.')[0]!)).toEqual([]);
  });

  it('puts something in with the token of the first look, and finds it there', async () => {
    const who = await guest();
    const product = await make({ name: 'Walnut stool', price: '79.90', stock: 5 });
    const added = await add(who, product.id, 2);
    expect(added.status, added.text).toBe(201);
    expect(added.headers.get('location')).toBe(`/api/cart/items/${added.json.items[0].id}`);
    expect(added.headers.get('cache-control')).toBe('no-store');
    expect(added.json).toEqual({
      id: who.id,
      items: [
        {
          id: expect.any(String),
          product_id: product.id,
          sku: product.sku,
          slug: product.slug,
          name: 'Walnut stool',
          image_url: product.image_url,
          unit_price: '79.90',
          quantity: 2,
          line_total: '159.80',
          left: 5,
          changes: [],
        },
      ],
      item_count: 2,
      subtotal: '159.80',
      total: '159.80',
      currency: 'USD',
      ready: true,
      updated_at: clock.now().toISOString(),
    });
    expect(await cartOf(who)).toEqual(added.json);
    expect(await rowsOf(who.id)).toMatchObject([{ is_guest: true }]);
  });

  it('needs no look before: the first thing put in issues the token too', async () => {
    const product = await make();
    const first = await shop.send('POST', '/api/cart/items', { product_id: product.id, quantity: 1 });
    expect(first.status).toBe(201);
    const token = first.headers.get('x-cart-token')!;
    expect((await shop.get('/api/cart', { 'x-cart-token': token })).json).toEqual(first.json);
  });

  it('is answered the token with every answer, refusals included', async () => {
    const who = await guest();
    const product = await make();
    const { json } = await add(who, product.id);
    const line = `/api/cart/items/${json.items[0].id}`;
    for (const [method, path, body, status] of [
      ['GET', '/api/cart', undefined, 200],
      ['POST', '/api/cart/items', { product_id: product.id, quantity: 1 }, 201],
      ['POST', '/api/cart/items', { product_id: newId(), quantity: 1 }, 404],
      ['POST', '/api/cart/items', { product_id: product.id }, 400],
      ['PUT', line, { quantity: 3 }, 200],
      ['DELETE', line, undefined, 204],
      ['DELETE', line, undefined, 404],
      ['DELETE', '/api/cart', undefined, 204],
    ] as const) {
      const answer = await who.send(method, path, body);
      expect([method, path, answer.status, answer.headers.get('x-cart-token')]).toEqual([
        method,
        path,
        status,
        who.token,
      ]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it.each([
    ['nonsense', () => 'nonsense'],
    ['nothing', () => ''],
    ['only an id', (token: string) => token.split('.')[0]!],
    ['an id without its proof', (token: string) => `${token.split('.')[0]}.`],
    ['another cart under the same proof', (token: string) => `${newId()}.${token.split('.')[1]}`],
    ['a proof that is another', (token: string) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA')],
    ['a user’s id under a proof of chance', () => `${staff.userId}.${Buffer.alloc(32, 7).toString('base64url')}`],
    ['something longer', (token: string) => `${token}.x`],
    ['the id in capitals', (token: string) => token.slice(0, 36).toUpperCase() + token.slice(36)],
    ['other bytes', () => 'é'.repeat(40)],
  ])('with %s for a token is a guest without one', async (_, forge) => {
    const who = await guest();
    await add(who, (await make()).id);
    for (const headers of [
      { 'x-cart-token': forge(who.token) },
      { cookie: `__Host-vitrine_cart=${encodeURIComponent(forge(who.token))}` },
    ] as Record<string, string>[]) {
      const answer = await shop.get('/api/cart', headers);
      expect(answer.status).toBe(200);
      expect(answer.json.items).toEqual([]);
      expect(answer.headers.get('x-cart-token')).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
      expect(answer.headers.get('x-cart-token')).not.toBe(who.token);
      expect(answer.json.id).not.toBe(who.id);
    }
  });

  it('is known by its cookie in a browser, whose scripts may read how many things there are', async () => {
    const browser = visitor(shop.url);
    const product = await make({ price: '1.50' });
    const count = () => browser.cookies.get('__Host-vitrine_cart_count');
    const send = async (method: string, path: string, body?: object) => {
      const json = { 'content-type': 'application/json' };
      const page = await browser.request(method, path, body && JSON.stringify(body), body ? json : {});
      return page.text === '' ? null : JSON.parse(page.text);
    };
    await send('POST', '/api/cart/items', { product_id: product.id, quantity: 2 });
    expect(count()).toBe('2');
    const cookie = browser.setCookies.find((one) => one.startsWith('__Host-vitrine_cart_count='))!;
    expect(cookie).not.toContain('HttpOnly');
    expect(cookie).toContain('Secure; SameSite=Lax');
    const cart = await send('GET', '/api/cart');
    expect(cart.items).toMatchObject([{ product_id: product.id, quantity: 2 }]);
    await send('PUT', `/api/cart/items/${cart.items[0].id}`, { quantity: 5 });
    expect(count()).toBe('5');
    const other = await make();
    await send('POST', '/api/cart/items', { product_id: other.id, quantity: 1 });
    expect(count()).toBe('6');
    await send('DELETE', `/api/cart/items/${cart.items[0].id}`);
    expect(count()).toBe('1');
    await send('DELETE', '/api/cart');
    expect(count()).toBeUndefined();
    browser.cookies.set('__Host-vitrine_cart_count', '7');
    await send('GET', '/api/cart');
    expect(count()).toBeUndefined();
  });

  it('with header and cookie of different carts is believed by the header', async () => {
    const [one, other] = await Promise.all([guest(), guest()]);
    const answer = await shop.get('/api/cart', {
      'x-cart-token': one.token,
      cookie: `__Host-vitrine_cart=${other.token}`,
    });
    expect(answer.json.id).toBe(one.id);
    const byCookie = await shop.get('/api/cart', {
      'x-cart-token': 'none',
      cookie: `__Host-vitrine_cart=${other.token}`,
    });
    expect(byCookie.json.id).toBe(other.id);
  });

  it('of another shop has a token that is none here', async () => {
    const other = await startTestShop({ env: { SECRET_KEY: 'another secret, that the first shop does not have' } });
    try {
      const token = (await other.get('/api/cart')).headers.get('x-cart-token')!;
      const answer = await shop.get('/api/cart', { 'x-cart-token': token });
      expect(answer.headers.get('x-cart-token')).not.toBe(token);
    } finally {
      await other.stop();
    }
  });
});

describe('putting something in', () => {
  it('adds to the line that there is of it', async () => {
    const who = await guest();
    const [first, second] = [await make({ price: '2.00' }), await make({ price: '3.00' })];
    const once = await add(who, first.id, 2);
    await add(who, second.id);
    const twice = await add(who, first.id.toUpperCase(), 3);
    expect(twice.status).toBe(201);
    expect(twice.headers.get('location')).toBe(once.headers.get('location'));
    expect(twice.json.items).toMatchObject([
      { product_id: first.id, quantity: 5, line_total: '10.00' },
      { product_id: second.id, quantity: 1 },
    ]);
    expect(twice.json).toMatchObject({ item_count: 6, total: '13.00' });
  });

  it('adds up what 20 tabs add at once, as the first thing in the cart', async () => {
    const who = await guest();
    const product = await make({ stock: 1_000 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => add(who, product.id, 2)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(answers.map(({ json }) => json.item_count).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => 2 * (i + 1)),
    );
    expect((await cartOf(who)).items).toMatchObject([{ quantity: 40 }]);
    const [row] = await shop.db.many(sql<{ version: number }>('select version from carts where id = $1', [who.id]));
    expect(row!.version).toBe(20);
  });

  it('adds up what tabs add of different things in different orders', async () => {
    const who = by(await shop.as('customer'));
    const products = await Promise.all(Array.from({ length: 4 }, () => make()));
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => add(who, products[(i * 7 + (i >> 2)) % 4]!.id)),
    );
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    const { items } = await cartOf(who);
    expect(items).toHaveLength(4);
    expect(items.reduce((sum: number, item: { quantity: number }) => sum + item.quantity, 0)).toBe(24);
  });

  it('refuses what is unknown, hidden, archived or erased', async () => {
    const who = await guest();
    const hidden = await make({ active: false });
    const erased = await make();
    expect((await staff.delete(`/api/products/${erased.id}`)).status).toBe(204);
    for (const id of [newId(), hidden.id, erased.id]) {
      const answer = await add(who, id);
      expect([answer.status, answer.json.code]).toEqual([404, 'product_not_found']);
    }
    expect(await rowsOf(who.id)).toEqual([]);
  });

  it.each([0, -1, 1_000, 1.5, '2', null])('refuses the quantity %j', async (quantity) => {
    const product = await make();
    const answer = await shop.send('POST', '/api/cart/items', { product_id: product.id, quantity });
    expect([answer.status, answer.json.code]).toEqual([400, 'validation_failed']);
  });

  it('refuses what is no product’s id, and what it does not know', async () => {
    const product = await make();
    for (const body of [
      { product_id: 'x', quantity: 1 },
      { product_id: product.id, quantity: 1, price: '0.01' },
      { product_id: product.id },
      [],
    ]) {
      const answer = await shop.send('POST', '/api/cart/items', body);
      expect([answer.status, answer.json.code]).toEqual([400, 'validation_failed']);
    }
  });

  it('refuses more than 999 of one, with those that are in the cart', async () => {
    const who = await guest();
    const product = await make();
    await add(who, product.id, 990);
    const answer = await add(who, product.id, 10);
    expect([answer.status, answer.json.code]).toEqual([400, 'validation_failed']);
    expect(answer.json.detail).toBe('There may be at most 999 of one product in a cart, which has 990 of it already.');
    expect(answer.json.errors).toEqual([{ path: 'quantity', message: 'must be at most 9' }]);
    expect((await add(who, product.id, 9)).json.item_count).toBe(999);
    const full = await add(who, product.id, 1);
    expect(full.json.errors).toEqual([{ path: 'quantity', message: 'must be at most 0' }]);
  });

  it('refuses more than there is, and says what is left and what is in the cart', async () => {
    const who = await guest();
    const product = await make({ stock: 3 });
    const tooMany = await add(who, product.id, 4);
    expect([tooMany.status, tooMany.json.code, tooMany.json.left]).toEqual([409, 'insufficient_stock', 3]);
    expect(tooMany.json.detail).toBe('Only 3 are left. Choose fewer.');
    expect(await rowsOf(who.id)).toEqual([]);
    expect((await add(who, product.id, 2)).status).toBe(201);
    const more = await add(who, product.id, 2);
    expect([more.status, more.json.code, more.json.left, more.json.in_cart]).toEqual([409, 'insufficient_stock', 3, 2]);
    expect(more.json.detail).toBe('Only 3 are left, and 2 are in the cart already. Choose fewer.');
    expect((await cartOf(who)).items).toMatchObject([{ quantity: 2 }]);
  });

  it('sees the stock as it is now', async () => {
    const who = await guest();
    const product = await make({ stock: 5 });
    await add(who, product.id, 4);
    await staff.post(`/api/products/${product.id}/stock`, { delta: -4, reason: 'Broken' });
    const more = await add(who, product.id);
    expect([more.status, more.json.left]).toEqual([409, 1]);
    expect(more.json.detail).toBe('Only 1 is left, and 4 are in the cart already. Choose fewer.');
    await staff.post(`/api/products/${product.id}/stock`, { delta: -1, reason: 'Broken' });
    expect((await add(who, product.id)).json.detail).toBe('This has sold out.');
  });

  it('takes any number of what is not tracked, unless it is out of stock', async () => {
    const who = await guest();
    const preorder = await make({ availability: 'preorder' });
    const out = await make({ availability: 'out_of_stock' });
    const added = await add(who, preorder.id, 999);
    expect([added.status, added.json.items[0].left]).toEqual([201, null]);
    const refused = await add(who, out.id);
    expect([refused.status, refused.json.code, refused.json.left]).toEqual([409, 'insufficient_stock', 0]);
  });

  it('refuses the 101st different product, and adds to the others still', async () => {
    const who = await guest();
    const products = [];
    for (let i = 0; i <= MAX_LINES; i++) products.push(await make());
    for (const { id } of products.slice(0, MAX_LINES)) expect((await add(who, id)).status).toBe(201);
    const answer = await add(who, products[MAX_LINES]!.id);
    expect([answer.status, answer.json.code]).toEqual([409, 'cart_full']);
    expect((await add(who, products[0]!.id)).status).toBe(201);
    expect((await cartOf(who)).items).toHaveLength(MAX_LINES);
  });

  it('under an idempotency key is noted as done with what is done, so that it is never done twice', async () => {
    const { userId } = await shop.as('customer');
    const product = await make();
    const keyed = { caller: `user:${userId}`, method: 'POST', path: '/api/cart/items', key: newId(), request: '{}' };
    const held = await shop.idempotency.claim(keyed);
    if (!('claim' in held)) throw new Error('The key should be free.');
    const owner = { cartId: userId, isGuest: false };
    const put = () => addToCart(shop.orders, owner, { product_id: product.id, quantity: 1 });
    expect((await onBehalfOf(held, put)).cart.item_count).toBe(1);
    // The process dies before it has answered, and another one takes the key over.
    await shop.db.run(sql("update idempotency_keys set lease_until = now() - interval '1 second'"));
    await expect(shop.idempotency.claim(keyed)).rejects.toMatchObject({ code: 'idempotency_answer_lost' });
  });

  it('under the same idempotency key is done once, and answered with the token again', async () => {
    const who = await guest();
    const product = await make();
    const send = () =>
      shop.send(
        'POST',
        '/api/cart/items',
        { product_id: product.id, quantity: 2 },
        { 'x-cart-token': who.token, 'idempotency-key': 'once' },
      );
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('x-cart-token')).toBe(who.token);
    expect(second.json).toEqual(first.json);
    expect((await cartOf(who)).item_count).toBe(2);
  });

  it('is limited by address, generously', async () => {
    const limited = await startTestShop({ env: { RATE_LIMIT: 'on' } });
    try {
      const body = { product_id: newId(), quantity: 1 };
      const answers = [];
      for (let i = 0; i < 301; i++) answers.push(await limited.send('POST', '/api/cart/items', body));
      expect(new Set(answers.slice(0, 300).map(({ status }) => status))).toEqual(new Set([404]));
      expect(answers.at(-1)!.status).toBe(429);
    } finally {
      await limited.stop();
    }
  });
});

describe('huge prices', () => {
  const DEAR = '9999999999.99';

  it('add up to the cent, and beyond what can be reckoned with are refused', async () => {
    const who = await guest();
    for (let i = 0; i < 9; i++) await add(who, (await make({ price: DEAR })).id, 999);
    const cart = await cartOf(who);
    expect(cart.total).toBe('89909999999910.09');
    const tenth = await make({ price: DEAR });
    const answer = await add(who, tenth.id, 999);
    expect([answer.status, answer.json.code]).toEqual([409, 'cart_full']);
    expect((await add(who, tenth.id, 1)).status).toBe(201);
    const { items } = await cartOf(who);
    const put = await who.send('PUT', `/api/cart/items/${items[9].id}`, { quantity: 100 });
    expect([put.status, put.json.code]).toEqual([409, 'cart_full']);
  });

  it('that have risen since are told to the cent, but cannot be ordered', async () => {
    const who = await guest();
    const products = [];
    for (let i = 0; i < 10; i++) {
      const product = await make({ price: '1.00' });
      products.push(product);
      await add(who, product.id, 999);
    }
    for (const { id } of products) await patch(id, { price: DEAR });
    const cart = await cartOf(who);
    expect(cart).toMatchObject({ total: '99899999999900.10', ready: false });
    const fewer = await who.send('PUT', `/api/cart/items/${cart.items[0].id}`, { quantity: 998 });
    expect([fewer.status, fewer.json.total]).toEqual([200, '99889999999900.11']);
  });
});

describe('a line', () => {
  it('gets another quantity, and goes', async () => {
    const who = await guest();
    const [one, two] = [await make({ price: '5.00', stock: 10 }), await make({ price: '0.99' })];
    await add(who, one.id, 2);
    const { items } = (await add(who, two.id)).json;
    const put = await who.send('PUT', `/api/cart/items/${items[0].id.toUpperCase()}`, { quantity: 10 });
    expect(put.status).toBe(200);
    expect(put.json).toMatchObject({ item_count: 11, total: '50.99', items: [{ quantity: 10 }, { quantity: 1 }] });
    expect(await cartOf(who)).toEqual(put.json);
    const gone = await who.send('DELETE', `/api/cart/items/${items[0].id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect(await cartOf(who)).toMatchObject({ item_count: 1, total: '0.99', items: [{ id: items[1].id }] });
  });

  it.each([0, 1_000, 2.5, '3'])('does not get the quantity %j', async (quantity) => {
    const who = await guest();
    const { items } = (await add(who, (await make()).id)).json;
    const put = await who.send('PUT', `/api/cart/items/${items[0].id}`, { quantity });
    expect([put.status, put.json.code]).toEqual([400, 'validation_failed']);
  });

  it('gets no more than there is, but always fewer than it had', async () => {
    const who = await guest();
    const product = await make({ stock: 8 });
    const { items } = (await add(who, product.id, 6)).json;
    const line = `/api/cart/items/${items[0].id}`;
    const more = await who.send('PUT', line, { quantity: 9 });
    expect([more.status, more.json.code, more.json.left]).toEqual([409, 'insufficient_stock', 8]);
    expect(more.json.detail).toBe('Only 8 are left, and you want 9.');
    await staff.post(`/api/products/${product.id}/stock`, { delta: -7, reason: 'Broken' });
    expect((await who.send('PUT', line, { quantity: 7 })).status).toBe(409);
    const fewer = await who.send('PUT', line, { quantity: 4 });
    expect(fewer.status).toBe(200);
    expect(fewer.json).toMatchObject({
      ready: false,
      items: [
        {
          quantity: 4,
          left: 1,
          changes: [{ code: 'insufficient_stock', message: 'Only 1 is left, and you want 4.', left: 1 }],
        },
      ],
    });
    const fits = await who.send('PUT', line, { quantity: 1 });
    expect(fits.json).toMatchObject({ ready: true, items: [{ changes: [] }] });
  });

  it('says that the price has changed until it is changed itself', async () => {
    const who = await guest();
    const product = await make({ price: '10.00' });
    const { items } = (await add(who, product.id, 2)).json;
    await patch(product.id, { price: '12.50' });
    const cart = await cartOf(who);
    expect(cart).toMatchObject({
      total: '25.00',
      ready: true,
      items: [
        {
          unit_price: '12.50',
          line_total: '25.00',
          changes: [
            {
              code: 'price_changed',
              from: '10.00',
              to: '12.50',
              message: 'The price has changed from 10.00 to 12.50 USD.',
            },
          ],
        },
      ],
    });
    const same = await who.send('PUT', `/api/cart/items/${items[0].id}`, { quantity: 2 });
    expect(same.json.items[0].changes).toEqual([]);
    await patch(product.id, { price: '11.00' });
    expect((await cartOf(who)).items[0].changes).toMatchObject([{ from: '12.50', to: '11.00' }]);
    expect((await add(who, product.id)).json.items[0].changes).toEqual([]);
    expect((await cartOf(who)).items[0].changes).toEqual([]);
  });

  it('keeps what it was called once it is hidden, archived or erased, costs nothing, and can still go', async () => {
    const who = await guest();
    const hidden = await make({ name: 'Old name', price: '4.00' });
    const archived = await make({ name: 'Archived', price: '4.00' });
    const erased = await make({ name: 'Erased', price: '4.00' });
    for (const { id } of [hidden, archived, erased]) await add(who, id, 2);
    await patch(hidden.id, { name: 'Hidden' });
    await who.send('PUT', `/api/cart/items/${(await cartOf(who)).items[0].id}`, { quantity: 3 });
    await patch(hidden.id, { active: false });
    await shop.db.run(
      sql('insert into sold_products (product_id, first_sold_at) values ($1, $2)', [archived.id, clock.now()]),
    );
    for (const { id } of [archived, erased]) expect((await staff.delete(`/api/products/${id}`)).status).toBe(204);
    const cart = await cartOf(who);
    expect(cart).toMatchObject({ item_count: 7, total: '0.00', ready: false });
    expect(cart.items.map((item: { name: string }) => item.name)).toEqual(['Hidden', 'Archived', 'Erased']);
    for (const item of cart.items) {
      expect(item).toMatchObject({
        slug: null,
        unit_price: '4.00',
        line_total: '0.00',
        left: 0,
        changes: [{ code: 'gone', message: 'This is no longer sold.' }],
      });
      const line = `/api/cart/items/${item.id}`;
      const more = await who.send('PUT', line, { quantity: 9 });
      expect([more.status, more.json.code, more.json.left]).toEqual([409, 'insufficient_stock', 0]);
      expect((await who.send('PUT', line, { quantity: 1 })).status).toBe(200);
      expect((await who.send('DELETE', line)).status).toBe(204);
    }
    expect((await cartOf(who)).items).toEqual([]);
    await patch(hidden.id, { active: true });
    expect((await add(who, hidden.id)).status).toBe(201);
  });

  it('of a product that comes back is as it was', async () => {
    const who = await guest();
    const product = await make({ price: '4.00' });
    await add(who, product.id);
    await patch(product.id, { active: false });
    expect((await cartOf(who)).ready).toBe(false);
    await patch(product.id, { active: true });
    expect(await cartOf(who)).toMatchObject({ ready: true, total: '4.00', items: [{ changes: [] }] });
  });

  it('of nobody, of another cart, or of no uuid is not found', async () => {
    const [mine, theirs] = [await guest(), await guest()];
    const user = by(await shop.as('customer'));
    const product = await make();
    const line = `/api/cart/items/${(await add(theirs, product.id, 5)).json.items[0].id}`;
    await add(mine, product.id);
    for (const who of [mine, user, await guest()])
      for (const [method, body] of [
        ['PUT', { quantity: 1 }],
        ['DELETE', undefined],
      ] as const)
        for (const path of [line, `/api/cart/items/${newId()}`]) {
          const answer = await who.send(method, path, body);
          expect([answer.status, answer.json.code]).toEqual([404, 'cart_item_not_found']);
        }
    expect((await mine.send('DELETE', '/api/cart/items/x')).json.code).toBe('validation_failed');
    expect((await cartOf(theirs)).items).toMatchObject([{ quantity: 5 }]);
  });

  it('that is changed, added to and removed at once ends as one of them has it', async () => {
    const who = by(await shop.as('customer'));
    const product = await make({ stock: 900 });
    const { items } = (await add(who, product.id)).json;
    const line = `/api/cart/items/${items[0].id}`;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        i % 3 === 0
          ? add(who, product.id)
          : i % 3 === 1
            ? who.send('PUT', line, { quantity: i + 1 })
            : who.send('DELETE', i === 29 ? '/api/cart' : line),
      ),
    );
    for (const { status } of answers) expect([200, 201, 204, 404]).toContain(status);
    const cart = await cartOf(who);
    expect(cart.items.length).toBeLessThanOrEqual(1);
    expect(cart.total).toBe(formatMoney(1_000 * cart.item_count, 'USD'));
  });
});

describe('a cart that is emptied', () => {
  it('has nothing in it; one that is empty stays so', async () => {
    const who = await guest();
    const product = await make();
    await add(who, product.id, 3);
    expect((await who.send('DELETE', '/api/cart')).status).toBe(204);
    expect(await cartOf(who)).toMatchObject({ id: who.id, items: [], total: '0.00' });
    expect((await who.send('DELETE', '/api/cart')).status).toBe(204);
    expect((await add(who, product.id)).status).toBe(201);
    const other = await guest();
    expect((await other.send('DELETE', '/api/cart')).status).toBe(204);
    expect(await rowsOf(other.id)).toEqual([]);
  });

  it('has a version that it never had before, so that no order is placed from what is gone', async () => {
    const customer = await shop.as('customer');
    const who = by(customer);
    const product = await make();
    const version = async () => ((await rowsOf(customer.userId)) as { version: number }[])[0]!.version;
    const seen = [];
    for (let i = 0; i < 3; i++) {
      const { items } = (await add(who, product.id)).json;
      seen.push(await version());
      await who.send('PUT', `/api/cart/items/${items[0].id}`, { quantity: 2 });
      seen.push(await version());
      await who.send('DELETE', i === 1 ? '/api/cart' : `/api/cart/items/${items[0].id}`);
      seen.push(await version());
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a user', () => {
  it('has one cart on every device, under their own id, and is answered no token', async () => {
    const person = await newPerson(shop);
    const product = await make();
    expect((await person.post('/api/cart/items', { product_id: product.id, quantity: 2 })).status).toBe(201);
    await person.logIn();
    const answer = await person.get('/api/cart');
    expect(answer.json).toMatchObject({ id: person.id, item_count: 2 });
    expect(answer.headers.get('x-cart-token')).toBeNull();
    expect(answer.headers.getSetCookie().join()).not.toContain('vitrine_cart=');
    expect(answer.headers.getSetCookie().join()).toContain('vitrine_cart_count=2');
    expect(await rowsOf(person.id)).toMatchObject([{ is_guest: false }]);
  });

  it('sees nothing of another’s', async () => {
    const [mine, theirs] = [by(await shop.as('customer')), by(await shop.as('superuser'))];
    await add(mine, (await make()).id);
    expect((await cartOf(theirs)).items).toEqual([]);
    await theirs.send('DELETE', '/api/cart');
    expect((await cartOf(mine)).items).toHaveLength(1);
  });

  it('who is erased leaves no cart', async () => {
    const person = await newPerson(shop);
    await person.post('/api/cart/items', { product_id: (await make()).id, quantity: 1 });
    expect((await person.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    expect(await rowsOf(person.id)).toEqual([]);
  });

  it('who is erased while they put something in leaves it for an hour at most', async () => {
    const { userId } = await shop.as('customer');
    await shop.db.run(
      sql('insert into carts (id, is_guest, created_at, updated_at) values ($1, false, now(), now())', [userId]),
    );
    await tidy();
    expect(await rowsOf(userId)).toHaveLength(1);
    await shop.db.run(sql('update users set erased_at = now(), email = null where id = $1', [userId]));
    await tidy();
    expect(await rowsOf(userId)).toEqual([]);
  });

  it('must not be somebody else than they say: a token that has expired is refused, not taken for a guest’s', async () => {
    const answer = await shop.get('/api/cart', { authorization: 'Bearer none' });
    expect(answer.status).toBe(401);
  });
});

describe('an API key', () => {
  it('reads its owner’s cart with orders:read, and changes it with orders:write', async () => {
    const [reads, writes, neither] = [
      await keyWith('orders:read'),
      await keyWith('orders:write'),
      await keyWith('catalogue:write', 'users:read'),
    ];
    const product = await make();
    const line = `/api/cart/items/${newId()}`;
    const calls = [
      ['GET', '/api/cart', undefined],
      ['POST', '/api/cart/items', { product_id: product.id, quantity: 1 }],
      ['PUT', line, { quantity: 1 }],
      ['DELETE', line, undefined],
      ['DELETE', '/api/cart', undefined],
    ] as const;
    const verdicts = async (who: By) =>
      (await Promise.all(calls.map(([method, path, body]) => who.send(method, path, body)))).map(
        ({ status, json }) => json?.code ?? status,
      );
    const refused = 'insufficient_scope';
    expect(await verdicts(reads)).toEqual([200, refused, refused, refused, refused]);
    expect(await verdicts(writes)).toEqual([refused, 201, 'cart_item_not_found', 'cart_item_not_found', 204]);
    expect(await verdicts(neither)).toEqual([refused, refused, refused, refused, refused]);
  });
});

describe('carts of guests', () => {
  it('go when nobody has changed them for 30 days; users’ stay', async () => {
    const [old, fresh] = [await guest(), await guest()];
    const customer = await shop.as('customer');
    const product = await make();
    await add(old, product.id);
    await add(by(customer), product.id);
    clock.advance(29 * 86_400_000);
    await add(fresh, product.id);
    await tidy();
    expect(await rowsOf(old.id)).toHaveLength(1);
    clock.advance(2 * 86_400_000);
    // Somebody comes back at the very moment.
    const late = await guest();
    await add(late, product.id);
    await shop.db.run(sql('update carts set updated_at = $2 where id = $1', [late.id, new Date(0)]));
    let running: Promise<unknown> | undefined;
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('update carts set updated_at = $2 where id = $1', [late.id, clock.now()]));
      running = tidy();
      await eventually(async () => {
        const waiting = sql(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        expect(await shop.db.many(waiting)).not.toEqual([]);
      });
    });
    await running;
    expect(await rowsOf(late.id)).toHaveLength(1);
    expect(await rowsOf(old.id)).toEqual([]);
    expect(await rowsOf(fresh.id)).toHaveLength(1);
    expect(await rowsOf(customer.userId)).toHaveLength(1);
    expect((await cartOf(old)).items).toEqual([]);
    expect((await add(old, product.id)).status).toBe(201);
  });
});

describe('any sequence of operations', () => {
  it('leaves what a simple model has, whose total is the sum of the lines in minor units', async () => {
    staff = await shop.as('staff');
    const prices = [1, 99, 1_050, 333_333, 999_999_999_999];
    const products = await Promise.all(prices.map((price) => make({ price: formatMoney(price, 'USD') })));
    const tracked = await make({ price: '7.77', stock: 5 });
    const ids = [...products, tracked].map(({ id }) => id);
    const all = [...prices, 777];
    const which = fc.nat(all.length - 1);
    const quantity = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(400, 999));
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), which, quantity }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), which, quantity }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('empty' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        const who = await guest();
        const model = new Map<number, number>();
        const lines = new Map<number, string>();
        for (const one of steps) {
          if (one.do === 'empty') {
            await who.send('DELETE', '/api/cart');
            model.clear();
          } else if (one.do === 'remove') {
            const there = model.delete(one.which);
            const { status } = await who.send('DELETE', `/api/cart/items/${lines.get(one.which) ?? newId()}`);
            expect(status).toBe(there ? 204 : 404);
          } else {
            const now = model.get(one.which);
            const wanted = one.do === 'add' ? (now ?? 0) + one.quantity : one.quantity;
            const short = all[one.which] === 777 && wanted > 5 && wanted > (one.do === 'set' ? (now ?? 0) : 0);
            const answer =
              one.do === 'add'
                ? await add(who, ids[one.which]!, one.quantity)
                : await who.send('PUT', `/api/cart/items/${lines.get(one.which) ?? newId()}`, {
                    quantity: one.quantity,
                  });
            const expected =
              one.do === 'set' && now === undefined
                ? 404
                : wanted > 999
                  ? 400
                  : short
                    ? 409
                    : one.do === 'add'
                      ? 201
                      : 200;
            expect(answer.status, answer.text).toBe(expected);
            if (expected < 300) {
              model.set(one.which, wanted);
              const line = answer.json.items.find((item: { product_id: string }) => item.product_id === ids[one.which]);
              lines.set(one.which, line.id);
            }
          }
          const cart = await cartOf(who);
          const sum = [...model].reduce((total, [product, count]) => total + all[product]! * count, 0);
          expect(parseMoney(cart.total, 'USD', Number.MAX_SAFE_INTEGER)).toBe(sum);
          expect(
            cart.items.reduce(
              (total: number, item: { line_total: string }) =>
                total + parseMoney(item.line_total, 'USD', Number.MAX_SAFE_INTEGER)!,
              0,
            ),
          ).toBe(sum);
          expect(
            new Map(
              cart.items.map((item: { product_id: string; quantity: number }) => [
                ids.indexOf(item.product_id),
                item.quantity,
              ]),
            ),
          ).toEqual(model);
        }
      }),
      { numRuns: 25 },
    );
  });
});
