import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { follow, refused, stream } from './support/follow.ts';
import { browserOf } from './support/person.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** Nothing is lost and nothing comes twice, however often and wherever a reader is cut off. */

const PATH = '/ws/products';
const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
let other: TestShop;
let staff: Caller;

beforeAll(async () => {
  shop = await startTestShop({ clock, env: { EVENT_RETENTION_DAYS: '30' } });
  // A second web process of the same shop.
  other = await startTestShop({ clock, databaseUrl: shop.directUrl });
  staff = await shop.as('staff');
});
afterAll(async () => {
  await other?.stop();
  await shop?.stop();
});

let made = 0;
const change = (data: Record<string, unknown> = {}) => ({
  type: 'product.updated',
  subject: { type: 'product', id: newId() },
  actorId: staff.userId,
  changes: { price: { from: '1.00', to: '2.00' } },
  data: { sku: `SKU-${made++}`, slug: 'a-thing', name: 'A thing', ...data },
});

async function append(count: number, data: Record<string, unknown> = {}): Promise<void> {
  await shop.db.transaction(async (tx) => {
    for (let i = 0; i < count; i++) await shop.events.append(tx, change(data));
  });
  await shop.events.flush();
}
const cursors = (events: { cursor: number }[]) => events.map(({ cursor }) => cursor);
const range = (after: number, count: number) => Array.from({ length: count }, (_, i) => after + 1 + i);

describe('a socket with a cursor', () => {
  it('is first told what was missed, in order, and then what happens, without a gap or a repeat', async () => {
    const from = shop.events.position();
    await append(1_700);
    const writing = (async () => {
      for (let i = 0; i < 100; i++) await append(3);
    })();
    const feed = await follow(shop.url, `${PATH}?after=${from}`, { headers: staff.headers });
    expect(feed.all[0]).toEqual({ type: 'ready', cursor: from });
    await writing;
    expect(cursors(await feed.has(2_000))).toEqual(range(from, 2_000));
    await feed.close();
  });

  it('gets exactly the 10,000 changes, in order, though it is cut 100 times at random between two nodes', async () => {
    const TOTAL = 10_000;
    const CUTS = 100;
    const product = (await staff.post('/api/products', { name: 'A lamp', price: '10.00' })).json.id;
    const from = shop.events.position();
    let written = 0;
    const write = async (node: TestShop, n: number) => {
      if (n % 50 === 0) {
        const answer = await staff.patch(`/api/products/${product}`, { price: `${n + 1}.00` });
        expect(answer.status).toBe(200);
      } else
        await node.db.transaction(async (tx) => {
          await node.events.append(tx, change({ n }));
          if (n % 97 === 0) await sleep(Math.random() * 30);
        });
    };
    const writers = Array.from({ length: 8 }, async (_, i) => {
      while (written < TOTAL) await write(i % 2 ? shop : other, written++);
    });
    const got: number[] = [];
    const seen = new Set<number>();
    let cuts = 0;
    let cursor = from;
    while (got.length < TOTAL) {
      const node = Math.random() < 0.5 ? shop : other;
      const feed = await follow(node.url, `${PATH}?after=${cursor}`, { headers: staff.headers });
      expect(feed.all[0]).toEqual({ type: 'ready', cursor });
      const lacking = TOTAL - got.length;
      const some =
        cuts < CUTS
          ? Math.min(lacking - 1, 1 + Math.floor((Math.random() * 2 * lacking) / (CUTS - cuts + 1)))
          : lacking;
      await feed.has(some, 60_000);
      // Cut without a farewell; what has come after those that were wanted is thrown away, as if it had been lost.
      feed.socket.terminate();
      if (cuts < CUTS) cuts += 1;
      const events = feed.events.slice(0, some);
      for (const event of events) {
        got.push(event.cursor);
        seen.add(event.subject.n ?? `${event.changes.price.to}`);
      }
      cursor = got.at(-1) ?? cursor;
    }
    await Promise.all(writers);
    expect(cuts).toBe(CUTS);
    expect(got).toEqual(range(from, TOTAL));
    expect(seen.size).toBe(TOTAL);
  }, 120_000);

  it('may have it from a node that is further than the one it comes to', async () => {
    const hears = other.events.position();
    await append(5);
    const ahead = shop.events.position();
    // As if the other node had not heard of them: it tells them again to nobody who has them.
    const feed = await follow(other.url, `${PATH}?after=${ahead}`, { headers: staff.headers });
    await append(3);
    expect(cursors(await feed.has(3))).toEqual(range(ahead, 3));
    await sleep(700);
    expect(feed.events.length).toBe(3);
    expect(hears).toBeLessThan(ahead);
    await feed.close();
  });

  it('of something that is yet to come is refused', async () => {
    const { status, problem } = await refused(shop.url, `${PATH}?after=${shop.events.position() + 1}`, {
      headers: staff.headers,
    });
    expect([status, problem.code]).toEqual([400, 'invalid_cursor']);
  });
});

describe('a reader that does not take what it is sent', () => {
  it('is closed with 1013, holds up nobody, and goes on by its cursor', async () => {
    const from = shop.events.position();
    const [slow, quick] = [
      await follow(shop.url, PATH, { headers: staff.headers }),
      await follow(shop.url, PATH, { headers: staff.headers }),
    ];
    slow.socket.pause();
    const COUNT = 400;
    for (let i = 0; i < COUNT; i += 20) await append(20, { text: 'x'.repeat(50_000) });
    expect(cursors(await quick.has(COUNT, 20_000))).toEqual(range(from, COUNT));
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 1013, reason: 'too slow; resume by the last cursor' });
    const got = cursors(slow.events);
    expect(got.length).toBeLessThan(COUNT);
    expect(got).toEqual(range(from, got.length));
    const again = await follow(shop.url, `${PATH}?after=${got.at(-1) ?? from}`, { headers: staff.headers });
    expect([...got, ...cursors(await again.has(COUNT - got.length, 20_000))]).toEqual(range(from, COUNT));
    await again.close();
    await quick.close();
  }, 60_000);

  it('is cut off a few seconds later when it does not even take the farewell, and a dead one at the second ping', async () => {
    const opened = await follow(shop.url, PATH, { headers: staff.headers });
    opened.socket.pause();
    for (let i = 0; i < 20; i++) await append(20, { text: 'x'.repeat(50_000) });
    const connections = () => new Promise<number>((resolve) => shop.http.server.getConnections((_, n) => resolve(n)));
    const before = await connections();
    await eventually(async () => expect(await connections()).toBeLessThan(before), 8_000);
    opened.socket.terminate();

    const dead = await follow(shop.url, PATH, { headers: staff.headers, autoPong: false });
    const alive = await follow(shop.url, PATH, { headers: staff.headers });
    // One that says it lives, but not what it was asked to say.
    const deaf = await follow(shop.url, PATH, { headers: staff.headers, autoPong: false });
    await shop.realtime.tend();
    deaf.socket.pong('yes, yes');
    await sleep(100);
    expect([dead.socket.readyState, deaf.socket.readyState]).toEqual([1, 1]);
    await shop.realtime.tend();
    expect([(await dead.closed).code, (await deaf.closed).code]).toEqual([1006, 1006]);
    expect(alive.socket.readyState).toBe(1);
    await alive.close();
  }, 60_000);

  it('is sent what it has missed no faster than it takes it', async () => {
    const from = shop.events.position();
    await append(250);
    let taken!: () => void;
    let sent = 0;
    const wire = {
      send: (messages: readonly unknown[]) => {
        sent += messages.length;
      },
      drained: () =>
        new Promise<void>((resolve) => {
          taken = resolve;
        }),
      waiting: () => 0,
      isOpen: () => true,
      close() {},
      cut() {},
      prod() {},
    };
    const identity = shop.accounts.tokens.identify(staff.headers.authorization!.slice(7));
    const feed = { kind: 'log', types: null } as const;
    const leave = shop.realtime.open(wire, { identity, feed, after: from, wantsProgress: false });
    const READY = 1;
    for (const expected of [100, 200, 250]) {
      await eventually(() => expect(sent).toBe(READY + expected));
      await sleep(100);
      expect(sent).toBe(READY + expected);
      taken();
    }
    await append(1);
    await eventually(() => expect(sent).toBe(READY + 251));
    leave();
    await append(1);
    expect(sent).toBe(READY + 251);
  });

  it('takes what it has missed when it comes to it', async () => {
    const from = shop.events.position();
    for (let i = 0; i < 400; i += 20) await append(20, { text: 'x'.repeat(50_000) });
    const feed = await follow(shop.url, `${PATH}?after=${from}`, { headers: staff.headers });
    feed.socket.pause();
    await sleep(300);
    feed.socket.resume();
    expect(cursors(await feed.has(400, 20_000))).toEqual(range(from, 400));
    await feed.close();
  }, 60_000);
});

describe('a stream', () => {
  const url = (query = '') => `${shop.url}/api/events/stream${query}`;

  it('is told the same as Server-Sent Events, and goes on from Last-Event-ID', async () => {
    const from = shop.events.position();
    const first = await stream(url(), staff.headers);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    await append(2);
    await eventually(() => expect(first.received.length).toBe(3));
    expect(first.received[0]).toEqual({ id: String(from), data: { type: 'ready', cursor: from } });
    expect(first.received[1]).toEqual({
      id: String(from + 1),
      data: expect.objectContaining({
        cursor: from + 1,
        type: 'product.updated',
        actor: { id: staff.userId, username: staff.username },
      }),
    });
    first.close();
    await append(700);
    // The address of the first time stands; what was seen last is in the header.
    const again = await stream(url(`?after=${from}`), { ...staff.headers, 'last-event-id': String(from + 1) });
    await eventually(() => expect(again.received.length).toBe(702));
    expect(again.received.map(({ id }) => Number(id))).toEqual([from + 1, ...range(from + 1, 701)]);
    await shop.realtime.tend();
    await eventually(() => expect(again.comments).toBe(1));
    again.close();
  });

  it('has everything, or the types asked for', async () => {
    const from = shop.events.position();
    // By the cookie of a browser, whose EventSource sends no headers of its own.
    const cookie = await browserOf(shop, staff.userId);
    const few = await stream(url('?types=user.*,stock.adjusted'), { cookie });
    for (const type of ['user.updated', 'product.created', 'stock.adjusted', 'import.merged'])
      await shop.db.transaction((tx) => shop.events.append(tx, { type, subject: { type: 'user', id: newId() } }));
    const all = await stream(url(`?after=${from}`), staff.headers);
    await eventually(() => {
      expect(few.received.map(({ data }) => data.type)).toEqual(['ready', 'user.updated', 'stock.adjusted']);
      expect(all.received.length).toBe(5);
    });
    few.close();
    all.close();
  });

  it('refuses what it cannot follow from, and is let go when its reader is', async () => {
    for (const [query, headers, code] of [
      [`?after=${shop.events.position() + 1}`, {}, 'invalid_cursor'],
      ['', { 'last-event-id': 'abc' }, 'validation_failed'],
      ['?types=DROP', {}, 'validation_failed'],
      ['?nothing=1', {}, 'validation_failed'],
    ] as const)
      expect((await shop.get(`/api/events/stream${query}`, { ...staff.headers, ...headers })).json.code).toBe(code);
    const head = await shop.send('HEAD', '/api/events/stream', undefined, staff.headers);
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const asks = shop.realtime.isAsked;
    const open = await stream(url('?progress=true'), staff.headers);
    await eventually(() => expect(asks()).toBe(true));
    open.close();
    await eventually(() => expect(asks()).toBe(false));
  });

  it('is destroyed when it takes nothing, like a socket', async () => {
    const { hostname, port } = new URL(shop.url);
    const reader = connect(Number(port), hostname);
    reader.write(
      `GET /api/events/stream?progress=true HTTP/1.1\r\nhost: x\r\nauthorization: ${staff.headers.authorization}\r\n\r\n`,
    );
    reader.on('error', () => {});
    await eventually(() => expect(shop.realtime.isAsked()).toBe(true));
    reader.pause();
    for (let i = 0; i < 20; i++) await append(20, { text: 'x'.repeat(50_000) });
    await eventually(() => expect(shop.realtime.isAsked()).toBe(false));
    reader.destroy();
  }, 60_000);
});

describe('a cursor that is too old', () => {
  const expire = () => {
    const job = shop.events.jobs.find(({ name }) => name === 'events.expire')!;
    return job.run({} as never, { signal: AbortSignal.timeout(10_000), isLastAttempt: false, log: shop.log });
  };

  it('gets 410, with the oldest that can be followed', async () => {
    await append(10);
    const oldest = shop.events.position();
    clock.advance(31 * 86_400_000);
    staff = await shop.as('staff');
    await append(3);
    await expire();
    const { status, problem } = await refused(shop.url, `${PATH}?after=${oldest - 1}`, { headers: staff.headers });
    expect([status, problem.code, problem.oldest_cursor]).toEqual([410, 'cursor_expired', oldest]);
    expect(problem.detail).toContain(String(oldest));
    for (const path of [
      `/api/events/stream?after=${oldest - 1}`,
      `/api/events?after=${oldest - 1}`,
      '/api/events?after=0',
    ]) {
      const answer = await staff.get(path);
      expect([answer.status, answer.json.code]).toEqual([410, 'cursor_expired']);
    }
    const feed = await follow(shop.url, `${PATH}?after=${oldest}`, { headers: staff.headers });
    expect(cursors(await feed.has(3))).toEqual(range(oldest, 3));
    await feed.close();
    // Left out, it is the oldest that is kept.
    expect(cursors((await staff.get('/api/events')).json.items)).toEqual(range(oldest, 3));
  });

  it('and becomes so while it is read from closes the socket, instead of leaving a gap', async () => {
    const from = shop.events.position();
    for (let i = 0; i < 30; i++) await append(50, { text: 'x'.repeat(20_000) });
    const feed = await follow(shop.url, `${PATH}?after=${from}`, { headers: staff.headers });
    feed.socket.pause();
    await sleep(200);
    clock.advance(31 * 86_400_000);
    staff = await shop.as('staff');
    await append(1);
    await expire();
    feed.socket.resume();
    expect(await feed.closed).toEqual({ code: 4410, reason: 'cursor_expired' });
    expect(feed.events.length).toBeLessThan(1_500);
    expect(cursors(feed.events)).toEqual(range(from, feed.events.length));
  }, 60_000);
});

describe('the audit trail', () => {
  it('is walked by cursor, forwards and backwards, narrowed by type', async () => {
    const from = shop.events.position();
    await append(7);
    await shop.db.transaction((tx) =>
      shop.events.append(tx, { type: 'user.updated', subject: { type: 'user', id: newId() }, actorId: staff.userId }),
    );
    await shop.events.flush();
    const get = async (query: string) => {
      const answer = await staff.get(`/api/events?${query}`);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
      return answer.json;
    };
    const first = await get(`after=${from}&limit=5`);
    expect(first).toMatchObject({ next_cursor: from + 5, cursor: from + 5 });
    expect(cursors(first.items)).toEqual(range(from, 5));
    const rest = await get(`after=${first.next_cursor}&limit=5`);
    expect(rest).toMatchObject({ next_cursor: null, cursor: from + 8 });
    expect(cursors(rest.items)).toEqual(range(from + 5, 3));
    expect(rest.items[2].actor).toEqual({ id: staff.userId, username: staff.username });
    expect(await get(`after=${from + 8}`)).toEqual({ items: [], next_cursor: null, cursor: from + 8 });
    // Narrowed, it is complete through the end of the log all the same.
    expect(await get(`after=${from}&types=stock.*`)).toEqual({ items: [], next_cursor: null, cursor: from + 8 });
    expect(cursors((await get(`after=${from}&types=user.*,stock.adjusted`)).items)).toEqual([from + 8]);
    const last = await get('before=9007199254740991&limit=3');
    expect(last).toMatchObject({ next_cursor: from + 6, cursor: from + 8 });
    expect(cursors(last.items)).toEqual([from + 8, from + 7, from + 6]);
    expect(cursors((await get(`before=${last.next_cursor}&limit=2`)).items)).toEqual([from + 5, from + 4]);
    expect(cursors((await get('before=9007199254740991&limit=1&types=product.*')).items)).toEqual([from + 7]);
    for (const query of ['limit=0', 'limit=1001', 'after=-1', 'after=1&before=2', 'import_id=x', 'types=', 'page=1'])
      expect((await staff.get(`/api/events?${query}`)).json.code, query).toBe('validation_failed');
    expect((await staff.get(`/api/events?after=${from + 9}`)).json.code).toBe('invalid_cursor');
    // What it is complete through is where to follow from.
    const feed = await follow(shop.url, `${PATH}?after=${rest.cursor}`, { headers: staff.headers });
    await append(1);
    expect(cursors(await feed.has(1))).toEqual([from + 9]);
    await feed.close();
  });

  it('shows what an import changed, product by product, under cursors of its own', async () => {
    const items = (price: string) =>
      [1, 2, 3].map((n) => ({ id: `I-${n}`, title: `Item ${n}`, price: `${price} USD` }));
    const before = shop.events.position();
    await shop.importText(feedOf(items('5.00')));
    const { id } = await shop.importText(
      feedOf([...items('6.00'), { id: 'I-4', title: 'Item 4', price: '1.00 USD' }]),
      'upsert',
    );
    const get = async (query = '') => (await staff.get(`/api/events?import_id=${id}${query}`)).json;
    const all = await get();
    expect(
      all.items.map(({ type, product }: { type: string; product: { sku: string } }) => [type, product.sku]),
    ).toEqual(
      expect.arrayContaining([
        ['product.created', 'I-4'],
        ['product.updated', 'I-1'],
      ]),
    );
    const updated = all.items.find(({ product }: { product: { sku: string } }) => product.sku === 'I-1');
    expect(updated).toEqual({
      cursor: expect.any(Number),
      type: 'product.updated',
      occurred_at: expect.any(String),
      actor: null,
      subject: expect.objectContaining({ type: 'product', import_id: id }),
      changes: { price: { from: '5.00', to: '6.00' } },
      product: { id: updated.subject.id, sku: 'I-1', slug: expect.any(String), name: 'Item 1' },
    });
    const two = await get('&limit=2');
    expect(two.next_cursor).toBe(two.items[1].cursor);
    const rest = await get(`&after=${two.next_cursor}&limit=2`);
    expect([...two.items, ...rest.items]).toEqual(all.items);
    expect(rest).toMatchObject({ next_cursor: null, cursor: all.items.at(-1).cursor });
    expect((await get('&types=product.created')).items.length).toBe(1);
    expect((await get('&types=stock.*')).items).toEqual([]);
    // The log itself has its summary alone.
    const log = (await staff.get(`/api/events?after=${before}`)).json.items.map(({ type }: { type: string }) => type);
    expect(log).not.toContain('product.updated');
    expect(log.filter((type: string) => type === 'import.completed').length).toBe(2);
  });
});

describe('how far an import is', () => {
  it('is told to those who ask, in every process, at most twice a second, and is no part of the log', async () => {
    const [asking, silent] = [
      await follow(other.url, `${PATH}?progress=true`, { headers: staff.headers }),
      await follow(shop.url, PATH, { headers: staff.headers }),
    ];
    const streaming = await stream(`${shop.url}/api/events/stream?progress=true`, staff.headers);
    const items = Array.from({ length: 30_000 }, (_, n) => ({ id: `P-${n}`, title: `Item ${n}`, price: '5.00 USD' }));
    const times: number[] = [];
    asking.socket.on('message', (data) => {
      if (String(data).includes('import.progress')) times.push(performance.now());
    });
    const { id } = await shop.importText(feedOf(items));
    const done = (all: { type: string }[]) => expect(all.map(({ type }) => type)).toContain('import.completed');
    await eventually(() => {
      done(asking.all);
      done(silent.all);
      done(streaming.received.map(({ data }) => data));
    });
    const told = asking.all.filter(({ type }) => type === 'import.progress');
    expect(told.length).toBeGreaterThan(0);
    for (const message of told)
      expect(message).toEqual({
        type: 'import.progress',
        import: {
          id,
          status: 'running',
          phase: expect.stringMatching(/^(reading|merging|stock)$/),
          counts: expect.objectContaining({ read: expect.any(Number), rejected: 0 }),
          bytes_read: expect.any(Number),
          size_bytes: expect.any(Number),
        },
      });
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(400);
    expect(silent.all.some(({ type }) => type === 'import.progress')).toBe(false);
    const named = streaming.received.filter(({ event }) => event === 'import.progress');
    expect(named.length).toBeGreaterThan(0);
    expect(named.every(({ id: cursor, data }) => cursor === undefined && data.import.id === id)).toBe(true);
    streaming.close();
    await asking.close();
    await silent.close();
  }, 60_000);
});

describe('a server that stops', () => {
  it('says so on every connection, and is not held up by those who do not listen', async () => {
    const node = await startTestShop({ clock, databaseUrl: shop.directUrl });
    const feeds = [
      await follow(node.url, PATH, { headers: staff.headers }),
      await follow(node.url, `/ws/notifications/${staff.userId}`, { headers: staff.headers }),
    ];
    const streaming = await stream(`${node.url}/api/events/stream`, staff.headers);
    const deaf = await follow(node.url, PATH, { headers: staff.headers });
    deaf.socket.pause();
    const began = performance.now();
    await node.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const feed of feeds) expect(await feed.closed).toEqual({ code: 1001, reason: 'the server stops' });
    await streaming.ended;
    deaf.socket.terminate();
  });
});

describe('when the database fails', () => {
  it('nothing is left out: names are waited for, and who lacks something is told to resume', async () => {
    const feed = await follow(shop.url, PATH, { headers: staff.headers });
    const someone = await shop.as('staff');
    await shop.db.run(sql('alter table users rename to users_away'));
    await shop.db.transaction((tx) => shop.events.append(tx, { ...change(), actorId: someone.userId }));
    await shop.events.flush();
    await sleep(100);
    expect(feed.events).toEqual([]);
    await shop.db.run(sql('alter table users_away rename to users'));
    expect((await feed.has(1))[0].actor).toEqual({ id: someone.userId, username: someone.username });
    await feed.close();
  });
});

describe('a socket', () => {
  it('outlives its access token, but not its session', async () => {
    const feed = await follow(shop.url, PATH, { headers: staff.headers });
    clock.advance(901_000);
    expect((await staff.get('/api/imports')).status).toBe(401);
    await shop.realtime.tend();
    await append(1);
    await feed.has(1);
    clock.advance(30 * 86_400_000);
    await shop.realtime.tend();
    expect((await feed.closed).code).toBe(1008);
  });
});
