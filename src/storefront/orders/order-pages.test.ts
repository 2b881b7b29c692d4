import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserOf } from '../../../tests/support/person.ts';
import { type Caller, startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { fakeClock } from '../../kernel/testing/index.ts';
import {
  faultsOf,
  noticeOf,
  type Page,
  plainText,
  registered,
  titleOf,
  type Visitor,
  visitor,
} from '../account/testing.ts';
import { ADDRESS, linesOf, putIn, totalOf } from './testing.ts';

/** What somebody has ordered, by its pages. */

const clock = fakeClock('2026-03-01T23:30:00.000Z');

let shop: TestShop;
let staff: Caller;

beforeAll(async () => {
  shop = await startTestShop({ clock, env: { TIME_ZONE: 'Europe/Ljubljana' } });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());

let made = 0;
async function product(
  fields: Record<string, unknown> = {},
): Promise<{ id: string; name: string; sku: string; slug: string }> {
  const answer = await staff.post('/api/products', { name: `Vase ${++made}`, price: '10.00', stock: 50, ...fields });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json;
}

async function order(
  one: Visitor,
  things: readonly { id: string }[],
  values: Record<string, string> = {},
): Promise<string> {
  for (const { id } of things) expect((await putIn(one, id, 2)).status).toBe(303);
  const sent = await one.submit(await one.open('/checkout'), '/checkout', { ...ADDRESS, ...values });
  return /^\/orders\/([\d-]+)\?/.exec(sent.location!)![1]!;
}

/** Somebody who has ordered one thing. */
async function withOrder(values: Record<string, string> = {}) {
  const { one, username } = await registered(shop.url);
  const thing = await product();
  const number = await order(one, [thing], values);
  return { one, username, thing, number, path: `/orders/${number}` };
}
const become = async (number: string, status: string) =>
  expect((await staff.patch(`/api/orders/${number}/status`, { status })).status).toBe(200);

const statusOf = (page: Page) => plainText(/<span class="order-status[^>]*>(.*?)<\/span>/.exec(page.text)?.[1] ?? '');
/** The steps of an order's way: name, and when it was reached. */
const wayOf = (page: Page) =>
  [
    ...page.text.matchAll(
      /<li class="(reached|ahead)"( aria-current="step")?>\s*<p class="track-name">(\w+)<\/p>\s*(.*?)\n<\/li>/gs,
    ),
  ].map(
    ([, state, current, name, at]) =>
      [name, state === 'reached' ? plainText(at!) : null, current !== undefined] as const,
  );
const rowsOf = (page: Page) =>
  [
    ...page.text.matchAll(
      /<li class="order-row">.*?<a href="\/orders\/([\d-]+)">.*?order-row-facts">(.*?)<\/p>.*?order-status[^>]*>(.*?)<\/span><\/p><p>(.*?)<\/p>/gs,
    ),
  ].map(([, number, facts, status, total]) => [number, plainText(facts!), status, total]);

describe('the list', () => {
  it('of somebody who has ordered nothing says what to do', async () => {
    const { one } = await registered(shop.url);
    const page = await one.open('/orders');
    expect([page.status, titleOf(page), rowsOf(page)]).toEqual([200, 'Your orders', []]);
    expect(page.text).toContain('<a class="button" href="/products">See all products</a>');
    expect(page.text).toContain('<a href="/orders" aria-current="page">Orders</a>');
  });

  it('shows the newest first, with its day where the shop is, what it is and what it cost', async () => {
    const { one, number: first } = await withOrder();
    const things = await Promise.all(Array.from({ length: 7 }, () => product()));
    clock.advance(1_000);
    const second = await order(one, things);
    await become(first, 'shipped');
    const page = await one.open('/orders');
    expect(rowsOf(page)).toEqual([
      [second, 'Mar 2, 2026 · 14 items', 'Being prepared', '$140.00'],
      [first, 'Mar 2, 2026 · 2 items', 'Shipped', '$20.00'],
    ]);
    expect(page.text).toContain('and 3 more');
    expect([...page.text.matchAll(/<li><span class="picture">/g)]).toHaveLength(4 + 1);
  });

  it('goes on page by page', async () => {
    const { one, username, number } = await withOrder();
    await shop.db.run(
      sql(
        `insert into orders (id, number, user_id, subtotal, total, currency, placed_at, updated_at)
         select gen_random_uuid(), '9' || lpad(n::text, 2, '0') || '-0000-' || lpad(n::text, 3, '0'), o.user_id, 1, 1, 'USD', o.placed_at, o.placed_at
         from orders o, generate_series(1, 24) n where o.number = $1`,
        [number],
      ),
    );
    await shop.db.run(
      sql(
        `insert into order_items (order_id, position, product_id, sku, name, unit_price, quantity, line_total, took_stock)
         select o.id, 1, gen_random_uuid(), 's', 'n', 1, 1, 1, false from orders o join users u on u.id = o.user_id
         where u.username = $1 and o.number <> $2`,
        [username, number],
      ),
    );
    const first = await one.open('/orders');
    expect(rowsOf(first)).toHaveLength(10);
    expect(first.text).toContain('href="/orders?page=2">Older</a>');
    expect(first.text).not.toContain('Newer');
    const last = await one.open('/orders?page=3');
    expect(rowsOf(last)).toHaveLength(5);
    expect(last.text).not.toContain('Older');
    expect((await one.open('/orders?page=2')).text).toContain('href="/orders">Newer</a>');
    for (const page of ['4', '99999999', '0', '-1', 'x', '1e9', ''])
      expect([page, (await one.open(`/orders?page=${page}`)).status]).toEqual([page, 200]);
    expect((await one.open('/orders?page=4')).text).toContain('There are no more orders.');
  });

  it('is one’s own, for staff too', async () => {
    const { number } = await withOrder();
    const browser = visitor(shop.url);
    browser.cookies.set('__Host-vitrine_session', (await browserOf(shop, staff.userId)).split('=')[1]!);
    expect((await browser.open('/orders')).text).toContain('You have not ordered anything yet');
    expect((await browser.open(`/orders/${number}`)).status).toBe(404);
    expect((await staff.get(`/api/orders/${number}`)).status).toBe(200);
  });
});

describe('an order', () => {
  it('shows what was ordered, where it goes, and how far it has come', async () => {
    const { one, thing, number, path } = await withOrder({ note: 'Ring twice.' });
    const page = await one.open(path);
    expect([page.status, titleOf(page), statusOf(page)]).toEqual([200, `Order ${number}`, 'Being prepared']);
    const at = expect.stringMatching(/^Mar 2, 2026, 12:30\sAM$/);
    expect(wayOf(page)).toEqual([
      ['Ordered', at, true],
      ['Shipped', null, false],
      ['Delivered', null, false],
    ]);
    expect(linesOf(page)).toMatchObject([{ name: thing.name, about: [thing.sku, '2 × $10.00'], total: '$20.00' }]);
    expect(totalOf(page)).toBe('$20.00');
    for (const text of ['Ada Lovelace', '12 St James’s Square', 'SW1Y 4JH London', 'United Kingdom', 'Ring twice.'])
      expect(page.text).toContain(text);
    expect(page.text).toContain(`href="/products/${thing.slug}"`);
    // Less than what the token of the staff is good for.
    clock.advance(300_000);
    await become(number, 'shipped');
    const later = expect.stringMatching(/^Mar 2, 2026, 12:35\sAM$/);
    expect(wayOf(await one.open(path))).toEqual([
      ['Ordered', at, false],
      ['Shipped', later, true],
      ['Delivered', null, false],
    ]);
    await become(number, 'delivered');
    expect(wayOf(await one.open(path)).map(([, reached]) => reached)).toEqual([at, later, later]);
  });

  it('never says which of the staff did something', async () => {
    const { one, number, path } = await withOrder();
    await become(number, 'shipped');
    const { text } = await one.open(path);
    expect(text).not.toContain(staff.username);
    expect(text).not.toContain(staff.userId);
  });

  it('tells its script where to follow from, and whom', async () => {
    const { one, username, number, path } = await withOrder();
    const [{ id }] = (await shop.db.many(
      sql<{ id: string }>('select id from users where username = $1', [username]),
    )) as [{ id: string }];
    const head = async () =>
      (await shop.db.one(sql<{ position: number }>('select position from event_log_head'))).position;
    const before = await head();
    const page = await one.open(path);
    const [, shown, version, live, after] =
      /data-number="([^"]*)" data-version="(\d+)" data-live="([^"]*)" data-after="(\d+)"/.exec(page.text)!;
    expect([shown, version, live, Number(after)]).toEqual([number, '1', `/ws/notifications/${id}`, before]);
    await become(number, 'shipped');
    expect((await one.open(path)).text).toContain('data-version="2"');
  });

  it('has one address, however its number is spelled', async () => {
    const { one, number, path } = await withOrder();
    const { id } = (await staff.get(`/api/orders/${number}`)).json;
    const digits = number.replaceAll('-', '');
    for (const spelled of [digits, digits.replace(/(.{5})/, '$1%20'), `%23${number}`, id]) {
      const answer = await one.request('GET', `/orders/${spelled}`);
      expect([spelled, answer.status, answer.location]).toEqual([spelled, 303, path]);
    }
  });

  it('of somebody else is as if it were none', async () => {
    const { path, number } = await withOrder();
    const { one: other } = await withOrder();
    for (const address of [
      path,
      `${path}/cancel`,
      `/orders/${number.replaceAll('-', '')}`,
      '/orders/482-1937-065',
      '/orders/x',
      '/orders/%00',
    ]) {
      const page = await other.request('GET', address);
      expect([address, page.status]).toEqual([address, address.endsWith('%00') ? 400 : 404]);
      if (page.status === 404) expect(titleOf(page)).toBe('This order is not here');
    }
    const csrf = /name="_csrf" value="([^"]*)"/.exec((await other.open('/profile')).text)![1]!;
    for (const what of ['cancel', 'again'])
      expect((await other.request('POST', `${path}/${what}`, new URLSearchParams({ _csrf: csrf }))).status).toBe(404);
    expect((await staff.get(`/api/orders/${number}`)).json.status).toBe('pending');
    expect(linesOf(await other.open('/cart'))).toEqual([]);
  });

  it('is cancelled after one was asked, and the things go back', async () => {
    const { one, thing, number, path } = await withOrder();
    const asked = await one.open(`${path}/cancel`);
    expect(titleOf(asked)).toBe(`Cancel order ${number}?`);
    expect((await shop.get(`/api/products/${thing.id}`)).json.stock).toBe(48);
    const done = await one.send(asked, `${path}/cancel`);
    expect([done.path, noticeOf(done), statusOf(done)]).toEqual([
      `${path}?done=order_cancelled`,
      'The order is cancelled.',
      'Cancelled',
    ]);
    expect(wayOf(done).map(([name, , current]) => [name, current])).toEqual([
      ['Ordered', false],
      ['Cancelled', true],
    ]);
    expect(done.text).not.toContain('Cancel this order');
    expect((await shop.get(`/api/products/${thing.id}`)).json.stock).toBe(50);
    // Pressed twice, it was asked for once.
    expect((await one.submit(asked, `${path}/cancel`)).location).toBe(`${path}?done=order_cancelled`);
    expect((await one.request('GET', `${path}/cancel`)).location).toBe(path);
    expect((await shop.get(`/api/products/${thing.id}`)).json.stock).toBe(50);
  });

  it('that was shipped in the meantime is not cancelled, and says so', async () => {
    const { one, number, path } = await withOrder();
    const asked = await one.open(`${path}/cancel`);
    await become(number, 'shipped');
    const refused = await one.submit(asked, `${path}/cancel`);
    expect([refused.status, faultsOf(refused), statusOf(refused)]).toEqual([
      409,
      ['It could not be cancelled any more: it is on its way to you already.'],
      'Shipped',
    ]);
    expect(refused.text).not.toContain('Cancel this order');
  });

  it('is put into the cart again, as far as it is still sold', async () => {
    const { one } = await registered(shop.url);
    const things = await Promise.all([product(), product(), product()]);
    const number = await order(one, things);
    const path = `/orders/${number}`;
    const again = await one.send(await one.open(path), `${path}/again`);
    expect([again.path, noticeOf(again)]).toEqual([
      '/cart?done=ordered_again',
      'What you ordered then is in your cart again.',
    ]);
    expect(linesOf(again).map(({ name, quantity }) => [name, quantity])).toEqual(things.map(({ name }) => [name, '2']));
    for (const { id } of linesOf(again)) await one.send(await one.open('/cart'), `/cart/items/${id}/remove`);

    await staff.patch(`/api/products/${things[0]!.id}`, { active: false });
    await staff.post(`/api/products/${things[1]!.id}/stock`, { delta: -48, reason: 'loss' });
    const page = await one.open(path);
    expect(page.text).not.toContain(`href="/products/${things[0]!.slug}"`);
    const rest = await one.send(page, `${path}/again`);
    expect([noticeOf(rest), linesOf(rest).map(({ name }) => name)]).toEqual([
      'What can still be had of that order is in your cart again; the rest has sold out.',
      [things[2]!.name],
    ]);
    await staff.patch(`/api/products/${things[2]!.id}`, { active: false });
    expect((await one.open(path)).text).not.toContain('Order again');
  });
});

describe('all of them', () => {
  it('are for whoever is logged in, kept by nobody, and hold no script or style', async () => {
    const { one, path } = await withOrder();
    for (const address of ['/orders', path, `${path}/cancel`]) {
      const page = await one.open(address);
      expect([page.headers.get('cache-control'), page.headers.get('etag')]).toEqual(['no-store', null]);
      expect(page.text).toContain('<meta name="robots" content="noindex');
      expect(page.text).not.toMatch(/\sstyle=|\son\w+=/);
      const stranger = await visitor(shop.url).request('GET', address);
      expect([stranger.status, stranger.location]).toEqual([303, `/login?next=${encodeURIComponent(address)}`]);
    }
  });

  it('an account that is erased was told what becomes of its orders', async () => {
    const { one } = await withOrder();
    expect((await one.open('/profile/delete')).text).toContain(
      'An order that is still being prepared loses its address',
    );
  });
});
