import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { type LoggedEvent, readEvents } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { fakeClock } from '../src/kernel/testing/index.ts';
import { STATUSES, type Status, TRANSITIONS } from '../src/modules/orders/index.ts';
import { buy } from './support/buying.ts';
import { follow } from './support/follow.ts';
import { fillCart, newProduct, stockOf } from './support/ordering.ts';
import { newPerson, PASSWORD } from './support/person.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** Orders after they are placed, over HTTP: who sees them, what becomes of them, what is left of whom. */

type Json = Answer['json'];

const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
let staff: Caller;
let buyer: Caller;
/** With a hundred of it, so that nobody runs out. */
let lamp: Json;

beforeAll(async () => {
  shop = await startTestShop({ clock, env: { DATABASE_POOL_SIZE: '24' } });
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  buyer = await shop.as('customer');
  lamp = await newProduct(staff, { stock: 100 });
});

const orderOne = (by: Caller = buyer) => buy(by, [[lamp, 1]]);
const patch = (id: string, status: string, headers: Record<string, string> = {}, by: Caller = staff) =>
  by.patch(`/api/orders/${id}/status`, { status }, headers);
const cancel = (id: string, headers: Record<string, string> = {}, by: Caller = buyer) =>
  by.post(`/api/orders/${id}/cancel`, undefined, headers);
const ids = ({ json }: Answer) => json.items.map((item: Json) => item.id);
/** What was answered, but for what every answer has for itself. */
const problemOf = ({ status, json: { request_id: _, ...problem } }: Answer) => ({ status, ...problem });
const eventsOf = async (orderId: string): Promise<LoggedEvent[]> =>
  (await readEvents(shop.db, { after: 0, limit: 10_000 })).filter(({ subject_id }) => subject_id === orderId);

describe('an order', () => {
  it('is found by id and by number, in any spelling of it', async () => {
    const placed = await orderOne();
    const digits = placed.number.replaceAll('-', '');
    for (const key of [
      placed.id,
      placed.id.toUpperCase(),
      placed.number,
      digits,
      `%23${digits}`,
      digits.replace(/(.)/g, '$1%20'),
      placed.number.replaceAll('-', '.'),
      placed.number.replaceAll('-', '%E2%80%93'),
    ])
      expect((await buyer.get(`/api/orders/${key}`)).json, key).toEqual(placed);
  });

  it('of somebody else is answered exactly like one that is not there', async () => {
    const placed = await orderOne(await shop.as('customer'));
    const seller = await shop.as('seller');
    const unknown = problemOf(await buyer.get(`/api/orders/${newId()}`));
    expect(unknown).toMatchObject({ status: 404, code: 'order_not_found' });
    for (const key of [placed.id, placed.number, '999-9999-999', 'nonsense', '0', '-'])
      for (const reader of [buyer, seller])
        expect(problemOf(await reader.get(`/api/orders/${key}`)), key).toEqual(unknown);
    expect(problemOf(await cancel(placed.id))).toEqual(unknown);
    expect(problemOf(await cancel(placed.number))).toEqual(unknown);
    expect(problemOf(await cancel(newId()))).toEqual(unknown);
    expect(problemOf(await patch(newId(), 'shipped'))).toEqual(unknown);
    expect((await staff.get(`/api/orders/${placed.id}`)).json.status).toBe('pending');
  });

  it('is told to staff with whose it is', async () => {
    const placed = await orderOne();
    expect((await staff.get(`/api/orders/${placed.number}`)).json).toEqual(placed);
    expect(placed.user).toEqual({ id: buyer.userId, username: buyer.username });
  });

  it('is not sent again to whoever has it', async () => {
    const placed = await orderOne();
    const path = `/api/orders/${placed.id}`;
    const first = await buyer.get(path);
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"1-[\w-]{16}"$/);
    expect(first.headers.get('cache-control')).toBe('no-store');
    for (const held of [etag, `"x", W/${etag}`, '*']) {
      const again = await buyer.get(path, { 'if-none-match': held });
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
      expect(again.headers.get('cache-control')).toBe('no-store');
    }
    expect((await buyer.get(path, { 'if-none-match': '"1"' })).status).toBe(200);
    await patch(placed.id, 'shipped');
    const later = await buyer.get(path, { 'if-none-match': etag });
    expect([later.status, later.headers.get('etag')!.slice(0, 3)]).toEqual([200, '"2-']);
    // Of somebody else's nothing is told by a condition either.
    expect((await (await shop.as('customer')).get(path, { 'if-none-match': '*' })).status).toBe(404);
  });
});

describe('a list of orders', () => {
  it('is of one’s own, the newest first; for staff of everybody’s', async () => {
    const [first, second] = [await orderOne(), await orderOne()];
    const other = await orderOne(await shop.as('customer'));
    const mine = await buyer.get('/api/orders');
    expect(mine.headers.get('cache-control')).toBe('no-store');
    expect(mine.json).toEqual({
      items: [second, first],
      page: 1,
      page_size: 10,
      total: 2,
      total_pages: 1,
      next_cursor: null,
    });
    expect(ids(await staff.get('/api/orders')).slice(0, 3)).toEqual([other.id, second.id, first.id]);
  });

  it('of one’s own is that for staff too', async () => {
    await orderOne();
    const own = await orderOne(staff);
    expect(ids(await staff.get('/api/profile/orders'))).toEqual([own.id]);
    expect(ids(await staff.get('/api/profile/orders?status=shipped'))).toEqual([]);
    expect((await staff.get(`/api/profile/orders?user=${buyer.userId}`)).json.code).toBe('validation_failed');
    expect((await (await shop.as('customer')).get('/api/profile/orders')).json).toMatchObject({ items: [], total: 0 });
  });

  it('of another user is forbidden to customers, and sellers are customers here', async () => {
    const placed = await orderOne();
    for (const reader of [await shop.as('customer'), await shop.as('seller')]) {
      const answer = await reader.get(`/api/orders?user=${buyer.userId}`);
      expect([answer.status, answer.json.code]).toEqual([403, 'forbidden']);
      expect(ids(await reader.get('/api/orders'))).toEqual([]);
    }
    for (const reader of [buyer, staff])
      for (const user of [buyer.userId, buyer.userId.toUpperCase()])
        expect(ids(await reader.get(`/api/orders?user=${user}`))).toEqual([placed.id]);
    expect(ids(await staff.get(`/api/orders?user=${newId()}`))).toEqual([]);
  });

  it('is walked by page and by cursor, also under a search', async () => {
    const placed = [];
    for (let i = 0; i < 5; i++) placed.unshift((await orderOne()).id);
    for (const filter of ['', '&search=quiet%20lamp']) {
      expect(ids(await buyer.get(`/api/orders?page_size=2&page=2${filter}`))).toEqual(placed.slice(2, 4));
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Answer = await buyer.get(`/api/orders?page_size=2${filter}${cursor && `&cursor=${cursor}`}`);
        expect(page.json).toMatchObject({ total: 5, total_pages: 3, page: cursor === '' ? 1 : null });
        seen.push(...ids(page));
        cursor = page.json.next_cursor;
      }
      expect(seen).toEqual(placed);
      expect((await buyer.get(`/api/orders?cursor=x${filter}`)).json.code).toBe('invalid_cursor');
      expect((await buyer.get(`/api/orders?page=101&page_size=100${filter}`)).json.code).toBe('page_too_deep');
      expect(ids(await buyer.get(`/api/orders?page=100&page_size=100${filter}`))).toEqual([]);
    }
  });

  it('is narrowed by status, and by status and customer together', async () => {
    const [pending, shipped] = [await orderOne(), await orderOne()];
    await patch(shipped.id, 'shipped');
    expect(ids(await buyer.get('/api/orders?status=shipped'))).toEqual([shipped.id]);
    expect(ids(await staff.get(`/api/orders?status=pending&user=${buyer.userId}`))).toEqual([pending.id]);
    expect((await buyer.get('/api/orders?status=lost')).json.code).toBe('validation_failed');
  });

  describe('by time', () => {
    const at = async (time: string) => {
      clock.set(time);
      const placed = await orderOne();
      clock.set('2026-03-01T12:00:00.000Z');
      return placed.id as string;
    };
    const found = async (query: string, by: Caller = buyer) =>
      ids(await by.get(`/api/orders?${new URLSearchParams(query)}`)).sort();

    it('has both ends, as dates or as times', async () => {
      const a = await at('2026-02-10T00:00:00.000Z');
      const b = await at('2026-02-10T23:59:59.999Z');
      const c = await at('2026-02-11T00:00:00.000Z');
      expect(await found('from=2026-02-10&to=2026-02-10')).toEqual([a, b].sort());
      expect(await found('from=2026-02-11')).toEqual([c]);
      expect(await found('to=2026-02-09')).toEqual([]);
      expect(await found('from=2026-02-10T23:59:59.999Z&to=2026-02-11T00:00:00Z')).toEqual([b, c].sort());
      expect(await found('from=2026-02-10T23:59:59.999Z&to=2026-02-10T23:59:59.999Z')).toEqual([b]);
      const params = new URLSearchParams({ from: '2026-02-11T00:59:59.9+01:00', to: '2026-02-11' });
      expect(ids(await buyer.get(`/api/orders?${params}`))).toEqual([c, b]);
      expect(await found('from=2026-02-12&to=2026-02-10')).toEqual([]);
      expect(await found('from=2026-02-10&to=2026-02-11&search=lamp&status=pending', staff)).toEqual(
        expect.arrayContaining([a, b, c]),
      );
    });

    it.each([
      'from=2026-02-30',
      'to=2026-2-3',
      'from=yesterday',
      'from=2026-02-10T10:00:00',
      'to=2026-02-30T10:00:00Z',
      'from=2026-02-10T24:00:00Z',
      'from=2026-02-10T10:00:00%2B25:00',
      'from=',
    ])('refuses what is neither: %s', async (query) => {
      const answer = await buyer.get(`/api/orders?${query}`);
      expect(answer.json).toMatchObject({ code: 'validation_failed', errors: [{ path: query.split('=')[0] }] });
    });

    it('has the days of the shop’s time zone, of 23 and 25 hours too', async () => {
      const abroad = await startTestShop({ clock, env: { TIME_ZONE: 'Europe/Berlin' } });
      onTestFinished(() => abroad.stop());
      const someone = await abroad.as('customer');
      const thing = await newProduct(await abroad.as('staff'), { stock: null });
      const placedAt = async (time: string) => {
        const { id } = await buy(someone, [[thing, 1]]);
        await abroad.db.run(sql('update orders set placed_at = $2 where id = $1', [id, time]));
        return id as string;
      };
      // 29 March 2026 has 23 hours there, 25 October 2026 has 25.
      await placedAt('2026-03-28T22:59:59.999Z');
      const b = await placedAt('2026-03-28T23:00:00Z');
      const c = await placedAt('2026-03-29T21:59:59.999Z');
      const d = await placedAt('2026-03-29T22:00:00Z');
      const spring = await someone.get('/api/orders?from=2026-03-29&to=2026-03-29');
      expect(ids(spring)).toEqual([c, b]);
      expect(ids(await someone.get('/api/orders?from=2026-03-30'))).toEqual([d]);
      const e = await placedAt('2026-10-24T22:00:00Z');
      const f = await placedAt('2026-10-25T22:59:59.999Z');
      await placedAt('2026-10-25T23:00:00Z');
      expect(ids(await someone.get('/api/orders?from=2026-10-25&to=2026-10-25'))).toEqual([f, e]);
    });
  });

  describe('by a search', () => {
    let placed: Json;
    let thing: Json;
    let mark: string;
    const found = async (by: Caller, text: string, more = '') =>
      ids(await by.get(`/api/orders?search=${encodeURIComponent(text)}${more}`));

    beforeEach(async () => {
      mark = newId().slice(-6);
      thing = await newProduct(staff, { name: `Crème kettles of ${mark}, 100% steel`, sku: `KT_${mark}/9` });
      placed = await buy(buyer, [
        [lamp, 1],
        [thing, 1],
      ]);
      await orderOne();
    });

    it('finds by the number, the whole of it or its beginning', async () => {
      const digits = placed.number.replaceAll('-', '');
      for (const by of [buyer, staff])
        for (const text of [placed.number, digits, ` #${digits} `, digits.slice(0, 8), placed.number.slice(0, 7)])
          expect(await found(by, text), text).toContain(placed.id);
      expect(await found(await shop.as('customer'), placed.number)).toEqual([]);
      expect(await found(buyer, digits.slice(1))).not.toContain(placed.id);
    });

    it('finds by words of what was ordered, and by its SKU', async () => {
      for (const by of [buyer, staff])
        for (const text of [mark, `kettle ${mark}`, `${mark} creme`, `KT_${mark}/9`, `kt_${mark}`, `steel, ${mark}!`])
          expect(await found(by, text), text).toEqual([placed.id]);
      expect(await found(buyer, `teapot ${mark}`)).toEqual([]);
      expect(await found(buyer, 'kettle')).toEqual([placed.id]);
      expect(await found(await shop.as('customer'), mark)).toEqual([]);
    });

    it('finds by what it was called when it was ordered, whatever it is called now', async () => {
      const now = `Pot ${newId().slice(-6)}`;
      await staff.patch(`/api/products/${thing.id}`, { name: now, sku: `POT-${mark}` });
      expect(await found(buyer, `kettle ${mark}`)).toEqual([placed.id]);
      await staff.delete(`/api/products/${thing.id}`);
      expect(await found(staff, `KT_${mark}/9`)).toEqual([placed.id]);
    });

    it('finds by how the customer’s username or address begins, for staff alone', async () => {
      const email = `${buyer.username}@example.com`;
      for (const text of [buyer.username, buyer.username.toUpperCase(), buyer.username.slice(0, -2), email])
        expect(await found(staff, text), text).toContain(placed.id);
      expect(await found(staff, buyer.username.slice(1))).toEqual([]);
      expect(await found(buyer, buyer.username)).toEqual([]);
      expect(await found(await shop.as('seller'), email)).toEqual([]);
    });

    it('takes nothing for a pattern, and finds nothing by nothing', async () => {
      for (const text of ['%', '%%%', '___', `${buyer.username.slice(0, 3)}%`, '\\', '!!!', "'", ':*', '&|!', '12 %'])
        for (const by of [buyer, staff]) expect(await found(by, text), text).toEqual([]);
      expect(await found(staff, `${buyer.username.slice(0, -1)}_`)).toEqual([]);
      expect(await found(buyer, '   ')).toHaveLength(2);
    });

    it('is narrowed by the other filters', async () => {
      expect(await found(staff, mark, `&status=pending&user=${buyer.userId}&from=2026-03-01`)).toEqual([placed.id]);
      expect(await found(staff, mark, '&status=shipped')).toEqual([]);
      expect(await found(staff, mark, `&user=${staff.userId}`)).toEqual([]);
      expect(await found(staff, mark, '&to=2026-02-01')).toEqual([]);
    });
  });
});

it('anything may be asked for, and is answered with a list or with what is wrong', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ maxLength: 40 }),
    fc.stringMatching(/^[#%_\\\d:*&|!()' -]{1,12}$/),
    fc.stringMatching(/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?$/),
    fc.constantFrom(lamp.sku, lamp.name, buyer.username, 'pending'),
  );
  const names = ['search', 'from', 'to', 'status', 'user', 'cursor', 'page', 'page_size', 'what'] as const;
  let found = 0;
  await orderOne();
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.tuple(fc.constantFrom(...names), text), { maxLength: 3 }), async (asked) => {
      const { status, text: answer } = await staff.get(`/api/orders?${new URLSearchParams(asked)}`);
      expect([200, 400], answer).toContain(status);
      if (status === 200) found += JSON.parse(answer).items.length;
      const one = await staff.get(`/api/orders/${encodeURIComponent(asked[0]?.[1] ?? '')}`);
      expect([200, 400, 404, 414], one.text).toContain(one.status);
    }),
    { numRuns: 200, seed: 11 },
  );
  expect(found).toBeGreaterThan(20);
});

describe('the status', () => {
  /** An order that has come this far. */
  const orderThatIs = async (status: Status) => {
    const placed = await orderOne();
    const way: Record<Status, Status[]> = {
      pending: [],
      shipped: ['shipped'],
      delivered: ['shipped', 'delivered'],
      cancelled: ['cancelled'],
    };
    for (const step of way[status]) expect((await patch(placed.id, step)).status).toBe(200);
    return placed;
  };
  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

  it.each(pairs)('from %s to %s is as the table has it', async (from, to) => {
    const placed = await orderThatIs(from);
    const before = (await staff.get(`/api/orders/${placed.id}`)).json;
    const stock = await stockOf(shop, lamp.id);
    const answer = await patch(placed.number, to);
    const allowed = { pending: ['shipped', 'cancelled'], shipped: ['delivered'], delivered: [], cancelled: [] };
    if ((allowed[from] as string[]).includes(to)) {
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: to, version: before.version + 1 });
      expect(answer.headers.get('etag')).toMatch(new RegExp(`^"${before.version + 1}-`));
      expect(answer.json.status_history).toHaveLength(before.status_history.length + 1);
      expect((await staff.get(`/api/orders/${placed.id}`)).json).toEqual(answer.json);
    } else {
      expect(answer.json).toMatchObject({ status: 409, code: 'illegal_transition', from, to, possible: allowed[from] });
      expect(answer.json.detail).toContain(`is ${from}, and cannot become ${to}`);
      expect((await staff.get(`/api/orders/${placed.id}`)).json).toEqual(before);
    }
    expect(TRANSITIONS[from]).toEqual(allowed[from]);
    expect(await stockOf(shop, lamp.id)).toBe(stock + (from === 'pending' && to === 'cancelled' ? 1 : 0));
  });

  it('is refused when it is none', async () => {
    const placed = await orderOne();
    for (const body of [{ status: 'lost' }, {}, { status: 'shipped', why: 'x' }, { status: null }])
      expect((await staff.patch(`/api/orders/${placed.id}/status`, body)).json.code).toBe('validation_failed');
  });

  it('is changed only to the version that its author has seen', async () => {
    const placed = await orderOne();
    const etag = (await staff.get(`/api/orders/${placed.id}`)).headers.get('etag')!;
    for (const held of ['"2"', '"7-abc"', `W/${etag}`, '"x"']) {
      const stale = await patch(placed.id, 'shipped', { 'if-match': held });
      expect(stale.json).toMatchObject({ status: 412, code: 'version_mismatch', version: 1 });
      expect((await cancel(placed.id, { 'if-match': held })).json.code).toBe('version_mismatch');
    }
    expect((await patch(placed.id, 'shipped', { 'if-match': 'x' })).json.code).toBe('validation_failed');
    expect((await patch(placed.id, 'shipped', { 'if-match': etag })).json.version).toBe(2);
    expect((await patch(placed.id, 'delivered', { 'if-match': etag })).json.code).toBe('version_mismatch');
    expect((await patch(placed.id, 'delivered', { 'if-match': '"1", "2"' })).json.version).toBe(3);
  });

  it('changes with an event that says from where, by whom and to whom it is a notice', async () => {
    const thing = await newProduct(staff, { stock: 9 });
    const placed = await buy(buyer, [
      [lamp, 2],
      [thing, 3],
    ]);
    clock.advance(60_000);
    await patch(placed.id, 'cancelled');
    const [, event, ...more] = await eventsOf(placed.id);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'order.status_changed',
      actor_id: staff.userId,
      user_id: buyer.userId,
      changes: { status: { from: 'pending', to: 'cancelled' } },
      occurred_at: clock.now(),
    });
    expect(event!.data).toEqual({
      number: placed.number,
      status: 'cancelled',
      stock: { [lamp.id]: { from: 98, to: 100 }, [thing.id]: { from: 6, to: 9 } },
    });
    const shipped = await orderOne();
    await patch(shipped.id, 'shipped');
    expect((await eventsOf(shipped.id))[1]!.data).toEqual({ number: shipped.number, status: 'shipped' });
    clock.set('2026-03-01T12:00:00.000Z');
  });

  it('is told to staff with who changed it, to the customer only as far as it was themselves', async () => {
    const placed = await orderOne();
    const me = { id: buyer.userId, username: buyer.username };
    const them = { id: staff.userId, username: staff.username };
    clock.advance(1_000);
    expect((await patch(placed.id, 'shipped')).json.status_history).toEqual([
      { status: 'pending', at: '2026-03-01T12:00:00.000Z', by: me },
      { status: 'shipped', at: '2026-03-01T12:00:01.000Z', by: them },
    ]);
    clock.set('2026-03-01T12:00:00.000Z');
    const texts = [
      await buyer.get(`/api/orders/${placed.id}`),
      await buyer.get('/api/orders'),
      await buyer.get('/api/profile/orders'),
    ];
    expect(texts[0]!.json.status_history).toMatchObject([{ by: me }, { status: 'shipped', by: null }]);
    for (const { status, text } of texts) {
      expect(status).toBe(200);
      expect(text).not.toContain(staff.userId);
      expect(text).not.toContain(staff.username);
    }
    const mine = await orderOne();
    expect((await cancel(mine.id)).json.status_history[1]).toMatchObject({ status: 'cancelled', by: me });
  });

  it('is told on the customer’s socket without who of the staff it was, in the API’s words', async () => {
    const { authorization } = buyer.headers;
    const socket = await follow(shop.url, `/ws/notifications/${buyer.userId}`, {
      headers: { authorization: authorization! },
    });
    onTestFinished(() => socket.close());
    const placed = await orderOne();
    await patch(placed.id, 'shipped');
    const [first, second] = await socket.has(2);
    expect(first).toMatchObject({
      type: 'order.placed',
      actor: { id: buyer.userId, username: buyer.username },
      order: { id: placed.id, number: placed.number, status: 'pending' },
    });
    expect(second).toMatchObject({
      type: 'order.status_changed',
      actor: null,
      changes: { status: { from: 'pending', to: 'shipped' } },
      order: { id: placed.id, number: placed.number, status: 'shipped' },
    });
    expect(JSON.stringify(second)).not.toContain(staff.userId);
  });
});

describe('a cancelled order', () => {
  it('gives back what it took, also to what is archived since, and nothing to what was not counted', async () => {
    const archived = await newProduct(staff, { stock: 5 });
    const uncounted = await newProduct(staff, { stock: null });
    const begun = await newProduct(staff, { stock: null });
    const placed = await buy(buyer, [
      [lamp, 4],
      [archived, 2],
      [uncounted, 3],
      [begun, 1],
    ]);
    await staff.delete(`/api/products/${archived.id}`);
    await staff.patch(`/api/products/${begun.id}`, { stock: 7, expected_stock: null });
    const answer = await cancel(placed.number);
    expect(answer.json).toMatchObject({ status: 'cancelled', version: 2, items: placed.items, total: placed.total });
    expect(await stockOf(shop, lamp.id)).toBe(100);
    expect(await stockOf(shop, archived.id)).toBe(5);
    expect(await stockOf(shop, begun.id)).toBe(7);
    const moves = await shop.db.many(
      sql<{ product_id: string }>(
        'select product_id, delta, reason, actor_id from stock_movements where reference = $1 order by id',
        [placed.id],
      ),
    );
    expect(moves).toHaveLength(4);
    expect(moves.filter(({ product_id }) => product_id === archived.id)).toEqual([
      { product_id: archived.id, delta: -2, reason: 'order', actor_id: buyer.userId },
      { product_id: archived.id, delta: 2, reason: 'cancellation', actor_id: buyer.userId },
    ]);
    await staff.post(`/api/products/${archived.id}/restore`);
    expect((await shop.get(`/api/products/${archived.id}`)).json.stock).toBe(5);
    expect((await shop.get(`/api/products/${lamp.id}`)).json.stock).toBe(100);
  });

  it('always finds room for what it gives back, since no stock may be set so high', async () => {
    const placed = await orderOne();
    const add = (delta: number) => staff.post(`/api/products/${lamp.id}/stock`, { delta, reason: 'Found' });
    expect((await add(2_147_483_647 - 99)).json).toMatchObject({ code: 'validation_failed' });
    expect((await add(1_000_000_000 - 99)).json).toEqual({ stock: 1_000_000_000 });
    expect((await cancel(placed.id)).json).toMatchObject({ status: 'cancelled' });
    expect(await stockOf(shop, lamp.id)).toBe(1_000_000_001);
    expect((await add(1)).json.code).toBe('validation_failed');
    expect((await add(-1)).json).toEqual({ stock: 1_000_000_000 });
  });

  it('that could not be given back is not cancelled, and says why', async () => {
    const placed = await orderOne();
    const other = await newProduct(staff, { stock: 1 });
    await shop.db.run(sql('update stock set on_hand = 2147483647 where product_id = $1', [lamp.id]));
    for (const refused of [await cancel(placed.id), await patch(placed.id, 'cancelled')]) {
      expect([refused.status, refused.json.code]).toEqual([409, 'stock_out_of_range']);
      expect(refused.json.detail).toContain('2,147,483,647');
    }
    expect((await staff.get(`/api/orders/${placed.id}`)).json).toMatchObject({ status: 'pending', version: 1 });
    expect((await shop.get('/docs/errors')).text).toContain('id="stock_out_of_range"');
    expect(await stockOf(shop, other.id)).toBe(1);
  });

  it('takes no body but an empty one', async () => {
    const placed = await orderOne();
    const path = `/api/orders/${placed.id}/cancel`;
    expect(await buyer.post(path, { foo: 1 })).toMatchObject({
      status: 400,
      json: { code: 'validation_failed', errors: [{ path: 'foo', message: 'is not known here' }] },
    });
    expect((await buyer.post(path, {})).json.status).toBe('cancelled');
  });

  it('stays cancelled, and gives back once', async () => {
    const placed = await orderOne();
    expect((await cancel(placed.id)).status).toBe(200);
    for (const again of [await cancel(placed.id), await patch(placed.id, 'cancelled')])
      expect(again.json).toMatchObject({ code: 'illegal_transition', from: 'cancelled', possible: [] });
    expect(await stockOf(shop, lamp.id)).toBe(100);
  });

  it('can be its owner’s as long as it is pending; staff cancel that way only their own', async () => {
    const [placed, other, own] = [await orderOne(), await orderOne(), await orderOne(staff)];
    await patch(placed.id, 'shipped');
    expect((await cancel(placed.id)).json).toMatchObject({
      code: 'illegal_transition',
      from: 'shipped',
      to: 'cancelled',
      possible: ['delivered'],
    });
    expect((await cancel(other.id, {}, staff)).json.code).toBe('order_not_found');
    expect((await cancel(own.id, {}, staff)).json.status).toBe('cancelled');
    expect((await cancel(other.id, { 'if-match': '"1"' })).json.status).toBe('cancelled');
    expect((await patch(own.id, 'shipped', {}, buyer)).json.code).toBe('forbidden');
  });
});

describe('at once', () => {
  const statuses = (answers: Answer[]) => answers.map(({ status }) => status).sort();

  it('of two of the staff one changes it, and the other is told what it is now', async () => {
    for (let round = 0; round < 5; round++) {
      const placed = await orderOne();
      const answers = await Promise.all([patch(placed.id, 'shipped'), patch(placed.number, 'shipped')]);
      expect(statuses(answers)).toEqual([200, 409]);
      expect(answers.find(({ status }) => status === 409)!.json).toMatchObject({
        code: 'illegal_transition',
        from: 'shipped',
      });
      expect(await eventsOf(placed.id)).toHaveLength(2);
    }
  });

  it('a cancellation and a shipment are never both done, and the stock is exact', async () => {
    let stock = 100;
    for (let round = 0; round < 10; round++) {
      const placed = await orderOne();
      const answers = await Promise.all([
        patch(placed.id, 'shipped'),
        cancel(placed.id),
        patch(placed.id, 'cancelled'),
      ]);
      expect(statuses(answers)).toEqual([200, 409, 409]);
      const { status, version } = (await staff.get(`/api/orders/${placed.id}`)).json;
      expect(version).toBe(2);
      if (status === 'shipped') stock -= 1;
      expect(await stockOf(shop, lamp.id)).toBe(stock);
    }
  });

  it('cancellations, checkouts and adjustments of the same things all come through', async () => {
    const things = await Promise.all(Array.from({ length: 4 }, () => newProduct(staff, { stock: 1_000 })));
    const buyers = await Promise.all(Array.from({ length: 6 }, () => shop.as('customer')));
    const anyOrder = () => things.map((thing) => ({ thing, at: Math.random() })).sort((a, b) => a.at - b.at);
    const bought = async (one: Caller) => {
      for (let round = 0; round < 4; round++) {
        await fillCart(one, ...anyOrder().map(({ thing }): [string, number] => [thing.id, 2]));
        const placed = await one.post('/api/orders', {});
        expect(placed.status, placed.text).toBe(201);
        if (round % 2 === 0) {
          const cancelled = await cancel(placed.json.id, {}, one);
          expect(cancelled.status, cancelled.text).toBe(200);
        }
      }
    };
    const adjust = async () => {
      for (let round = 0; round < 20; round++)
        for (const { thing } of anyOrder()) {
          const moved = await staff.post(`/api/products/${thing.id}/stock`, { delta: 1, reason: 'Found' });
          expect(moved.status, moved.text).toBe(200);
        }
    };
    await Promise.all([...buyers.map(bought), adjust()]);
    for (const thing of things) expect(await stockOf(shop, thing.id)).toBe(1_000 + 20 - 6 * 2 * 2);
  });
});

describe('an account that is erased', () => {
  const ADDRESS = { name: 'Plantedname', line1: '1 Plantedlane', city: 'Leeds' };

  it('leaves its orders, without an address, a note or a name, and no cart', async () => {
    const person = await newPerson(shop);
    await fillCart(person, [lamp.id, 1]);
    const placed = await person.post('/api/orders', { shipping_address: ADDRESS, note: 'Plantednote' });
    const mine = await person.post(`/api/orders/${placed.json.id}/cancel`);
    expect(mine.status).toBe(200);
    await fillCart(person, [lamp.id, 2]);
    expect((await person.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    const user = { id: person.id, username: null };
    const left = await staff.get(`/api/orders/${placed.json.id}`);
    expect(left.json).toEqual({
      ...mine.json,
      shipping_address: null,
      note: '',
      user,
      status_history: mine.json.status_history.map((step: Json) => ({ ...step, by: user })),
    });
    expect(left.text).not.toMatch(new RegExp(`planted|${person.username}|erased:`, 'i'));
    expect(await shop.db.many(sql('select from carts where id = $1', [person.id]))).toEqual([]);
    expect(ids(await staff.get(`/api/orders?search=${person.username}`))).toEqual([]);
    expect(ids(await staff.get('/api/orders?search=erased'))).toEqual([]);
    expect(ids(await staff.get(`/api/orders?user=${person.id}`))).toEqual([placed.json.id]);
  });

  it('of the staff names nobody in the history of orders any more', async () => {
    const clerk = await newPerson(shop, { role: 'staff' });
    await clerk.logIn();
    const placed = await orderOne();
    expect((await clerk.send('PATCH', `/api/orders/${placed.id}/status`, { status: 'shipped' })).status).toBe(200);
    expect((await clerk.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    const { status_history } = (await staff.get(`/api/orders/${placed.id}`)).json;
    expect(status_history[1].by).toEqual({ id: clerk.id, username: null });
  });
});
