import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { placeOrder } from '../src/modules/orders/index.ts';
import { MAX_LINES } from '../src/modules/orders/schemas.ts';
import { visitor } from '../src/storefront/account/testing.ts';
import { newPerson, PASSWORD, type Person } from './support/person.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What becomes of a guest's cart when the guest turns out to be somebody. */

let shop: TestShop;
let staff: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());

let names = 0;
async function make(fields: object = {}): Promise<string> {
  const made = await staff.post('/api/products', { name: `Thing ${++names}`, price: '10.00', ...fields });
  expect(made.status, made.text).toBe(201);
  return made.json.id;
}

type By = Pick<Person, 'send'>;
type Guest = By & { token: string; id: string; headers: Record<string, string> };
async function guest(): Promise<Guest> {
  const token = (await shop.get('/api/cart')).headers.get('x-cart-token')!;
  const headers = { 'x-cart-token': token };
  return {
    send: (method, path, body) => shop.send(method, path, body, headers),
    token,
    id: token.split('.')[0]!,
    headers,
  };
}
const add = async (who: By, product_id: string, quantity = 1) => {
  const answer = await who.send('POST', '/api/cart/items', { product_id, quantity });
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
};
/** Sends the guest's token along with the user's. */
const both = (person: Pick<Person, 'access'>, { headers }: Guest) => ({
  send: (method: string, path: string, body?: unknown) =>
    shop.send(method, path, body, { authorization: `Bearer ${person.access}`, ...headers }),
});
const logIn = ({ username }: Person, headers: Record<string, string>, password = PASSWORD): Promise<Answer> =>
  shop.send('POST', '/api/auth/token', { username, password }, headers);
/** What lies in a cart, as it is stored: quantities by product. */
const contentOf = async (cartId: string): Promise<Record<string, number>> => {
  const rows = await shop.db.many(
    sql<{ product_id: string; quantity: number }>(
      'select product_id, quantity from cart_items where cart_id = $1 order by id',
      [cartId],
    ),
  );
  return Object.fromEntries(rows.map(({ product_id, quantity }) => [product_id, quantity]));
};
const isThere = async (cartId: string) =>
  (await shop.db.many(sql('select 1 from carts where id = $1', [cartId]))).length > 0;

describe('at log-in', () => {
  it('a guest’s cart, by the header, becomes part of the user’s, and is gone', async () => {
    const person = await newPerson(shop);
    const [shared, theirs, mine] = [await make({ price: '2.00' }), await make(), await make()];
    await add(person, mine, 1);
    await add(person, shared, 2);
    const who = await guest();
    await add(who, shared, 3);
    const { items } = await add(who, theirs, 4);
    const answer = await logIn(person, who.headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie().join()).toContain('vitrine_cart_count=10');
    expect(await contentOf(person.id)).toEqual({ [mine]: 1, [shared]: 5, [theirs]: 4 });
    expect(await isThere(who.id)).toBe(false);
    const cart = (await person.send('GET', '/api/cart')).json;
    expect(cart).toMatchObject({ id: person.id, item_count: 10, total: '60.00' });
    // The line is the one that it was.
    expect(cart.items[2].id).toBe(items[1].id);
    expect((await who.send('GET', '/api/cart')).json.items).toEqual([]);
  });

  it('by the cookie too, which the browser then forgets', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const product = await make();
    await add(who, product, 2);
    const answer = await logIn(person, { cookie: `__Host-vitrine_cart=${who.token}` });
    expect(answer.headers.getSetCookie().join('\n')).toMatch(/__Host-vitrine_cart=; .*Expires=Thu, 01 Jan 1970/);
    expect(await contentOf(person.id)).toEqual({ [product]: 2 });
  });

  it('on the page, with the number of things for the scripts', async () => {
    const person = await newPerson(shop);
    const product = await make();
    await add(person, product, 1);
    const browser = visitor(shop.url);
    await browser.request('POST', '/api/cart/items', JSON.stringify({ product_id: product, quantity: 2 }), {
      'content-type': 'application/json',
    });
    expect(browser.cookies.get('__Host-vitrine_cart_count')).toBe('2');
    const page = await browser.submit(await browser.open('/login'), '/login', {
      login: person.email,
      password: PASSWORD,
    });
    expect(page.status, page.text).toBe(303);
    expect(browser.cookies.has('__Host-vitrine_session')).toBe(true);
    expect(browser.cookies.has('__Host-vitrine_cart')).toBe(false);
    expect(browser.cookies.get('__Host-vitrine_cart_count')).toBe('3');
    expect(await contentOf(person.id)).toEqual({ [product]: 3 });
    expect(JSON.parse((await browser.request('GET', '/api/cart')).text).item_count).toBe(3);
  });

  it('without a guest’s cart the number of things is the user’s', async () => {
    const person = await newPerson(shop);
    await add(person, await make(), 4);
    const answer = await logIn(person, {});
    expect(answer.headers.getSetCookie().join()).toContain('vitrine_cart_count=4');
  });

  it('on the page where somebody registers', async () => {
    const product = await make();
    const browser = visitor(shop.url);
    await browser.request('POST', '/api/cart/items', JSON.stringify({ product_id: product, quantity: 2 }), {
      'content-type': 'application/json',
    });
    const username = `new-${Date.now()}`;
    const page = await browser.submit(await browser.open('/register'), '/register', {
      email: `${username}@example.com`,
      username,
      password: PASSWORD,
      password_confirm: PASSWORD,
    });
    expect(page.status, page.text).toBe(303);
    const { id } = await shop.db.one(sql<{ id: string }>('select id from users where username = $1', [username]));
    expect(await contentOf(id)).toEqual({ [product]: 2 });
    expect(browser.cookies.has('__Host-vitrine_cart')).toBe(false);
  });

  it('that fails, nothing is merged', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const product = await make();
    await add(who, product);
    expect((await logIn(person, who.headers, 'not the password')).status).toBe(401);
    expect(await contentOf(who.id)).toEqual({ [product]: 1 });
    expect(await contentOf(person.id)).toEqual({});
  });

  it('a merge that fails keeps nobody out, and is made up for by the next look at the cart', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const product = await make();
    await add(who, product, 2);
    await shop.db.run(
      sql(
        `create function break_merges() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$`,
      ),
    );
    await shop.db.run(sql('create trigger breaks before delete on carts execute function break_merges()'));
    const error = vi.spyOn(shop.log, 'error');
    const answer = await logIn(person, { cookie: `__Host-vitrine_cart=${who.token}` });
    await shop.db.run(sql('drop trigger breaks on carts'));
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie().join()).not.toContain('__Host-vitrine_cart=;');
    expect(error).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('could not be merged at a log-in'));
    error.mockRestore();
    expect(await contentOf(who.id)).toEqual({ [product]: 2 });
    expect(await contentOf(person.id)).toEqual({});
    expect((await both(person, who).send('GET', '/api/cart')).json).toMatchObject({ id: person.id, item_count: 2 });
    expect(await isThere(who.id)).toBe(false);
  });

  it('a merge that has to wait for long keeps nobody waiting for longer', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    await add(who, await make());
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('select from carts where id = $1 for update', [who.id]));
      const began = performance.now();
      expect((await logIn(person, who.headers)).status).toBe(200);
      expect(performance.now() - began).toBeLessThan(9_000);
    });
    expect(await isThere(who.id)).toBe(true);
  }, 15_000);
});

describe('a token that is still sent along', () => {
  it('merges at any call of the cart, and is then an empty cart', async () => {
    const [one, other] = [await make(), await make()];
    for (const call of ['GET', 'POST', 'DELETE'] as const) {
      const person = await newPerson(shop);
      const who = await guest();
      await add(who, one, 2);
      const answer = await both(person, who).send(
        call,
        call === 'POST' ? '/api/cart/items' : '/api/cart',
        call === 'POST' ? { product_id: other, quantity: 1 } : undefined,
      );
      expect(answer.status).toBe({ GET: 200, POST: 201, DELETE: 204 }[call]);
      expect(answer.headers.get('x-cart-token')).toBeNull();
      expect(answer.headers.getSetCookie().join()).toContain('__Host-vitrine_cart=;');
      expect(await contentOf(person.id)).toEqual(
        call === 'DELETE' ? {} : { [one]: 2, ...(call === 'POST' ? { [other]: 1 } : {}) },
      );
      expect(await isThere(who.id)).toBe(false);
      expect((await both(person, who).send('GET', '/api/cart')).json.item_count).toBe(
        { GET: 2, POST: 3, DELETE: 0 }[call],
      );
    }
  });

  it('by another user is an empty cart', async () => {
    const [mine, theirs] = [await newPerson(shop), await newPerson(shop)];
    const who = await guest();
    const product = await make();
    await add(who, product, 2);
    await both(mine, who).send('GET', '/api/cart');
    expect((await both(theirs, who).send('GET', '/api/cart')).json.items).toEqual([]);
    expect((await who.send('GET', '/api/cart')).json.items).toEqual([]);
    expect(await contentOf(mine.id)).toEqual({ [product]: 2 });
  });

  it('with an API key is ignored: a program may serve many guests', async () => {
    const boss = await shop.as('superuser');
    const made = await boss.post('/api/api-keys', { name: 'shop window', scopes: ['orders:read', 'orders:write'] });
    expect(made.status, made.text).toBe(201);
    const who = await guest();
    await add(who, await make());
    const answer = await shop.get('/api/cart', { authorization: `Bearer ${made.json.key}`, ...who.headers });
    expect(answer.json).toMatchObject({ id: boss.userId, items: [] });
    expect(await isThere(who.id)).toBe(true);
  });
});

describe('a merge', () => {
  it('adds the same product up to 999, whatever there is of it; the line says so', async () => {
    const person = await newPerson(shop);
    const [many, few] = [await make(), await make({ stock: 5 })];
    const who = await guest();
    await add(person, many, 600);
    await add(who, many, 600);
    await add(person, few, 4);
    await add(who, few, 3);
    const cart = (await both(person, who).send('GET', '/api/cart')).json;
    expect(cart.items).toMatchObject([
      { product_id: many, quantity: 999, changes: [] },
      { product_id: few, quantity: 7, left: 5, changes: [{ code: 'insufficient_stock', left: 5 }] },
    ]);
    expect(cart.ready).toBe(false);
  });

  it('keeps what was seen of a price: the user’s line its own, the guest’s as the guest saw it', async () => {
    const person = await newPerson(shop);
    const [shared, theirs] = [await make({ price: '1.00' }), await make({ price: '1.00' })];
    await add(person, shared);
    await staff.patch(`/api/products/${shared}`, { price: '2.00' });
    const who = await guest();
    await add(who, shared);
    await add(who, theirs);
    await staff.patch(`/api/products/${theirs}`, { price: '3.00' });
    const cart = (await both(person, who).send('GET', '/api/cart')).json;
    expect(cart.items.map((item: { changes: { from: string; to: string }[] }) => item.changes)).toMatchObject([
      [{ from: '1.00', to: '2.00' }],
      [{ from: '1.00', to: '3.00' }],
    ]);
  });

  it('takes as many lines as there is room for, those first that were there first; the user’s own all stay', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const products: string[] = [];
    for (let i = 0; i < MAX_LINES + 3; i++) products.push(await make());
    const own = products.slice(0, MAX_LINES - 2);
    for (const product of own) await add(person, product);
    // Five of the guest's are new; two more are the user's already, and need no room.
    const [shared, fresh] = [own.slice(0, 2), products.slice(MAX_LINES - 2)];
    for (const product of [...fresh, ...shared]) await add(who, product, 2);
    await both(person, who).send('GET', '/api/cart');
    const content = await contentOf(person.id);
    expect(Object.keys(content)).toHaveLength(MAX_LINES);
    expect(content).toEqual({
      ...Object.fromEntries(own.map((product) => [product, shared.includes(product) ? 3 : 1])),
      [fresh[0]!]: 2,
      [fresh[1]!]: 2,
    });
    expect(await isThere(who.id)).toBe(false);
  }, 30_000);

  it('that is asked for by many at once happens once', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const [shared, theirs] = [await make(), await make()];
    await add(person, shared, 1);
    await add(who, shared, 2);
    await add(who, theirs, 3);
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => both(person, who).send('GET', '/api/cart')),
      ...Array.from({ length: 3 }, () => logIn(person, who.headers)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(13).fill(200));
    expect(await contentOf(person.id)).toEqual({ [shared]: 3, [theirs]: 3 });
  });

  it('into the carts of two users at once gives it to one of them, whole', async () => {
    const people = await Promise.all([newPerson(shop), newPerson(shop)]);
    const who = await guest();
    const products = [await make(), await make(), await make()];
    for (const product of products) await add(who, product, 2);
    const answers = await Promise.all(
      [0, 1, 0, 1, 0, 1].map((i) => both(people[i as 0 | 1], who).send('GET', '/api/cart')),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const contents = await Promise.all(people.map(({ id }) => contentOf(id)));
    const whole = Object.fromEntries(products.map((product) => [product, 2]));
    expect(contents.filter((content) => Object.keys(content).length === 0)).toHaveLength(1);
    expect(contents).toContainEqual(whole);
  });

  it('while the guest puts more in loses none of it', async () => {
    const person = await newPerson(shop);
    const who = await guest();
    const [product, other] = [await make(), await make()];
    await add(who, product);
    await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        i % 4 === 3
          ? both(person, who).send('GET', '/api/cart')
          : i % 4 === 2
            ? add(person, product)
            : add(who, i % 8 === 0 ? other : product),
      ),
    );
    await both(person, who).send('GET', '/api/cart');
    expect(await contentOf(person.id)).toEqual({ [product]: 16, [other]: 3 });
    expect(await isThere(who.id)).toBe(false);
  });

  it('while the user orders ends in orders and a cart that hold all of it, once', async () => {
    const person = await newPerson(shop);
    const product = await make({ stock: 1_000 });
    await add(person, product, 1);
    const guests = await Promise.all(Array.from({ length: 4 }, guest));
    for (const who of guests) await add(who, product, 10);
    const outcomes = await Promise.all([
      ...guests.map(async (who) => (await both(person, who).send('GET', '/api/cart')).status),
      ...Array.from({ length: 4 }, async () => {
        await add(person, product, 100);
        return 201;
      }),
      ...Array.from({ length: 4 }, () =>
        placeOrder(shop.orders, person.id, {}).then(
          () => 201,
          (error: { code: string }) => error.code,
        ),
      ),
    ]);
    for (const outcome of outcomes) expect([200, 201, 'cart_empty']).toContain(outcome);
    const { ordered } = await shop.db.one(
      sql<{ ordered: number }>(
        `select coalesce(sum(quantity), 0)::integer as ordered
         from order_items i join orders o on o.id = i.order_id where o.user_id = $1`,
        [person.id],
      ),
    );
    expect(ordered + ((await contentOf(person.id))[product] ?? 0)).toBe(441);
    const { left } = await shop.db.one(
      sql<{ left: number }>('select on_hand as left from stock where product_id = $1', [product]),
    );
    expect(left).toBe(1_000 - ordered);
  });
});
