import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { build, sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { hashToken } from '../src/kernel/secrets.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { type Following, follow as open, refusal, refused, type Streaming, stream } from './support/follow.ts';
import { browserOf } from './support/person.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** The live feed over real sockets: who may follow what, from where, and what they are told. */

let shop: TestShop;
let staff: Caller;
let boss: Caller;
let customer: Caller;

const opened: (Following | Streaming)[] = [];
async function follow(...args: Parameters<typeof open>): Promise<Following> {
  const following = await open(...args);
  opened.push(following);
  return following;
}

beforeAll(async () => {
  shop = await startTestShop({ env: { CORS_ORIGINS: 'https://partner.example' } });
  staff = await shop.as('staff');
  boss = await shop.as('superuser');
  customer = await shop.as('customer');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(() => shop.stop());

/** Appends events and lets them be told. */
async function append(...events: Parameters<TestShop['events']['append']>[1][]): Promise<void> {
  for (const event of events) await shop.db.transaction((tx) => shop.events.append(tx, event));
  await shop.events.flush();
}

let products = 0;
const productEvent = (changes: Partial<Parameters<typeof append>[0]> = {}) => ({
  type: 'product.updated',
  subject: { type: 'product', id: newId() },
  actorId: staff.userId,
  changes: { price: { from: '1.00', to: '2.00' } },
  data: { sku: `SKU-${products++}`, slug: 'a-thing', name: 'A thing' },
  ...changes,
});
const notice = (userId: string, actorId: string | null = staff.userId) => ({
  type: 'order.status_changed',
  subject: { type: 'order', id: newId() },
  actorId,
  userId,
  changes: { status: { from: 'pending', to: 'shipped' } },
  data: { number: 'V-1', status: 'shipped' },
});
const mine = ({ userId }: Caller) => `/ws/notifications/${userId}`;

async function keyWith(
  scopes: string[],
  expiresAt: Date | null = null,
): Promise<{ id: string; headers: Record<string, string> }> {
  const key = `vk_${newId()}`;
  const id = newId();
  await shop.db.run(
    build.insertInto('api_keys').values({
      ...{ id, name: 'test', hint: key.slice(0, 9), hash: hashToken(key), scopes, created_by: boss.userId },
      ...{ created_at: shop.clock.now(), expires_at: expiresAt },
    }),
  );
  return { id, headers: { authorization: `Bearer ${key}` } };
}

describe('a socket of the staff', () => {
  it('is told where it follows from, and then each change as it commits', async () => {
    const feed = await follow(shop.url, '/ws/products', { headers: staff.headers });
    expect(feed.all).toEqual([{ type: 'ready', cursor: shop.events.position() }]);
    const created = await staff.post('/api/products', { name: 'A lamp', price: '10.00' });
    await staff.patch(`/api/products/${created.json.id}`, { price: '12.50' });
    const [first, second] = await feed.has(2);
    expect(first).toMatchObject({ type: 'product.created', cursor: feed.all[0].cursor + 1 });
    expect(second).toEqual({
      cursor: feed.all[0].cursor + 2,
      type: 'product.updated',
      occurred_at: expect.stringMatching(/^\d{4}-.*Z$/),
      actor: { id: staff.userId, username: staff.username },
      subject: expect.objectContaining({ type: 'product', id: created.json.id }),
      changes: { price: { from: '10.00', to: '12.50' } },
      product: { id: created.json.id, sku: created.json.sku, slug: created.json.slug, name: 'A lamp' },
    });
  });

  it('gets the types of its feed, narrowed as it asks, and of an import its end alone', async () => {
    const [whole, narrow] = [
      await follow(shop.url, '/ws/products', { headers: staff.headers }),
      await follow(shop.url, '/ws/products?types=stock.*,import.*,product.deleted', { headers: staff.headers }),
    ];
    const types = `product.updated product.deleted stock.adjusted image.added category.updated offer.price_changed
      order.placed user.updated import.merged import.stock_counted import.completed import.failed import.cancelled
      api_key.created product.created`.split(/\s+/);
    await append(...types.map((type) => ({ type, subject: { type: type.split('.')[0]!, id: newId() } })));
    const unseen = ['user.updated', 'import.merged', 'import.stock_counted', 'api_key.created'];
    const seen = types.filter((type) => !unseen.includes(type));
    expect((await whole.has(seen.length)).map(({ type }) => type)).toEqual(seen);
    const few = ['product.deleted', 'stock.adjusted', 'import.completed', 'import.failed', 'import.cancelled'];
    expect(narrow.events.map(({ type }) => type)).toEqual(few);
    const after = whole.all[0].cursor;
    const replayed = await follow(shop.url, `/ws/products?after=${after}&types=stock.*,import.*,product.deleted`, {
      headers: staff.headers,
    });
    expect((await replayed.has(few.length)).map(({ type }) => type)).toEqual(few);
  });

  it('names who did it as they are called now, and nobody who was erased', async () => {
    const leaver = await shop.as('staff');
    const feed = await follow(shop.url, '/ws/products', { headers: staff.headers });
    await append(productEvent({ actorId: leaver.userId }));
    expect((await feed.has(1))[0].actor).toEqual({ id: leaver.userId, username: leaver.username });
    await shop.db.run(sql("update users set username = 'erased:1' where id = $1", [leaver.userId]));
    await append({ type: 'user.erased', subject: { type: 'user', id: leaver.userId }, actorId: leaver.userId });
    await append(productEvent({ actorId: leaver.userId }));
    expect((await feed.has(2))[1].actor).toEqual({ id: leaver.userId, username: 'erased:1' });
  });

  it('listens to nobody, and to nothing long', async () => {
    const feed = await follow(shop.url, '/ws/products', { headers: staff.headers });
    feed.socket.send('anything');
    await append(productEvent());
    await feed.has(1);
    feed.socket.send('x'.repeat(2_000));
    expect((await feed.closed).code).toBe(1009);
  });
});

describe('who may open a socket', () => {
  const PATH = '/ws/products';
  it('is asked at the upgrade, and told as a problem', async () => {
    const { problem } = await refused(shop.url, PATH);
    expect(problem).toMatchObject({ status: 401, code: 'unauthenticated', request_id: expect.any(String) });
    expect(await refusal(shop.url, PATH, { headers: { authorization: 'Bearer nonsense' } })).toBe('401 invalid_token');
    expect(await refusal(shop.url, PATH, { protocols: ['bearer.nonsense'] })).toBe('401 invalid_token');
    expect(await refusal(shop.url, PATH, { headers: customer.headers })).toBe('403 forbidden');
    expect(await refusal(shop.url, PATH, { headers: (await shop.as('seller')).headers })).toBe('403 forbidden');
  });

  it('is for notices the user themself, or a superuser', async () => {
    const other = await shop.as('customer');
    expect(await refusal(shop.url, mine(customer))).toBe('401 unauthenticated');
    expect(await refusal(shop.url, mine(customer), { headers: other.headers })).toBe('403 forbidden');
    expect(await refusal(shop.url, mine(customer), { headers: staff.headers })).toBe('403 forbidden');
    const { headers } = await keyWith(['events:read', 'users:read', 'users:write']);
    expect(await refusal(shop.url, mine(customer), { headers })).toBe('403 insufficient_scope');
    expect(await refusal(shop.url, '/ws/notifications/me', { headers: other.headers })).toBe('400 validation_failed');
    await follow(shop.url, mine(customer), { headers: customer.headers });
    await follow(shop.url, mine(customer).toUpperCase().replace('/WS/NOTIFICATIONS', '/ws/notifications'), {
      headers: boss.headers,
    });
  });

  it('may be an API key with the scope', async () => {
    const { headers } = await keyWith(['events:read']);
    await follow(shop.url, PATH, { headers });
    const without = await keyWith(['catalogue:read', 'jobs:read']);
    expect(await refusal(shop.url, PATH, { headers: without.headers })).toBe('403 insufficient_scope');
  });

  it('may say it by a subprotocol, which is answered, the plain one before the token', async () => {
    const bearer = staff.headers.authorization!.replace('Bearer ', 'bearer.');
    expect((await follow(shop.url, PATH, { protocols: [bearer] })).socket.protocol).toBe(bearer);
    expect((await follow(shop.url, PATH, { protocols: [bearer, 'vitrine'] })).socket.protocol).toBe('vitrine');
    // The token counts, not the cookies that a browser sends along.
    const headers = { cookie: await browserOf(shop, customer.userId), origin: 'https://evil.example' };
    await follow(shop.url, PATH, { protocols: ['vitrine', bearer], headers });
    // Nowhere else is it a credential.
    const elsewhere = await shop.get('/api/imports', { 'sec-websocket-protocol': bearer });
    expect(elsewhere.status).toBe(401);
  });

  it('by a cookie comes from a page of this shop', async () => {
    const cookie = await browserOf(shop, staff.userId);
    const from = (origin?: string, more = {}) => ({ headers: { cookie, ...(origin ? { origin } : {}), ...more } });
    const host = new URL(shop.url).host;
    for (const origin of ['https://shop.example', 'https://partner.example', `https://${host}`])
      await follow(shop.url, PATH, from(origin));
    const foreign = ['https://evil.example', 'https://shop.example.evil.example', 'null', 'https://shop.example:8443'];
    for (const origin of [...foreign, `http://${host}`, 'http://shop.example'])
      expect(await refusal(shop.url, PATH, from(origin)), origin).toBe('403 origin_not_allowed');
    expect(await refusal(shop.url, PATH, { headers: { cookie: 'vitrine_session=x' } })).toBe('401 unauthenticated');
    await follow(shop.url, mine(staff), from('https://shop.example'));
    // No browser leaves it out.
    await follow(shop.url, PATH, from());
    expect(await refusal(shop.url, mine(staff), from('https://evil.example'))).toBe('403 origin_not_allowed');
  });

  it('is no staff before the second factor that the shop asks of them', async () => {
    const strict = await startTestShop({ env: { REQUIRE_STAFF_2FA: 'true' } });
    try {
      const [clerk, chief] = [await strict.as('staff'), await strict.as('superuser')];
      expect(await refusal(strict.url, PATH, { headers: clerk.headers })).toBe('403 second_factor_required');
      expect(await refusal(strict.url, mine(clerk), { headers: chief.headers })).toBe('403 forbidden');
      await (await open(strict.url, mine(clerk), { headers: clerk.headers })).close();
    } finally {
      await strict.stop();
    }
  });

  it('is said by every socket, or the shop does not start', async () => {
    const { createHttp } = await import('../src/kernel/http/index.ts');
    const http = await createHttp({ config: shop.config, cache: shop.cache, log: shop.log, errorPage: () => '' });
    shop.accounts.guard(http);
    for (const url of ['/ws/things', '/api/things'])
      expect(() => http.get(url, async () => null)).toThrow(`GET ${url} does not say who may call it.`);
    await http.close();
  });

  it('opens it as a WebSocket', async () => {
    for (const path of [PATH, mine(staff)]) {
      const answer = await staff.get(path);
      expect([answer.status, answer.json.code, answer.headers.get('upgrade')]).toEqual([
        426,
        'upgrade_required',
        'websocket',
      ]);
    }
    expect((await shop.get(PATH)).status).toBe(401);
    expect((await staff.post(PATH, {})).status).toBe(405);
    expect(await refusal(shop.url, '/ws/nothing', { headers: staff.headers })).toBe('404 not_found');
    expect(await refusal(shop.url, '/ws/notifications/%zz', { headers: staff.headers })).toBe('400 bad_request');
    expect(await refusal(shop.url, `${PATH}?unknown=1`, { headers: staff.headers })).toBe('400 validation_failed');
    expect(await refusal(shop.url, `${PATH}?types=user.updated`, { headers: staff.headers })).toBe(
      '400 validation_failed',
    );
    expect(await refusal(shop.url, `${PATH}?after=x`, { headers: staff.headers })).toBe('400 validation_failed');
  });
});

describe('an upgrade', () => {
  it('is counted, and asked for its host, as any request is', async () => {
    const strict = await startTestShop({
      env: { RATE_LIMIT: 'on', ALLOWED_HOSTS: 'shop.example,127.0.0.1', TRUST_PROXY: 'true' },
    });
    try {
      const { headers } = await strict.as('staff');
      const from = (address: string, host = 'shop.example') => ({
        headers: { ...headers, host, 'x-forwarded-for': address },
      });
      expect(await refusal(strict.url, '/ws/products', from('1.1.1.1', 'evil.example'))).toBe('400 host_not_allowed');
      for (let i = 0; i < 2_999; i += 50)
        await Promise.all(
          Array.from({ length: Math.min(50, 2_999 - i) }, () =>
            strict.get('/health/live', { 'x-forwarded-for': '2.2.2.2:443' }),
          ),
        );
      await (await open(strict.url, '/ws/products', from('2.2.2.2'))).close();
      const { status, problem } = await refused(strict.url, '/ws/products', from('2.2.2.2:1234'));
      expect([status, problem.code]).toEqual([429, 'too_many_requests']);
      await (await open(strict.url, '/ws/products', from('3.3.3.3'))).close();
    } finally {
      await strict.stop();
    }
  });

  it('to anything else is ignored, and the request answered', async () => {
    const ask = (path: string, upgrade: string) =>
      new Promise<number>((resolve, reject) => {
        const { hostname: host, port } = new URL(shop.url);
        const headers = { connection: 'upgrade', upgrade, 'sec-websocket-version': '13' };
        request({ host, port, path, headers }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode!));
        })
          .on('error', reject)
          .end();
      });
    expect(await ask('/api/products', 'h2c')).toBe(200);
    expect(await ask('/api/products', 'websocket')).toBe(200);
    expect(await ask('/ws/products', 'h2c')).toBe(401);
    // No key: nothing that a socket could be made of.
    expect(await ask('/ws/products', 'websocket')).toBe(401);
  });

  it('behind another request is none, and leaves no connection behind', async () => {
    const { hostname: host, port } = new URL(shop.url);
    const connections = () => new Promise<number>((resolve) => shop.http.server.getConnections((_, n) => resolve(n)));
    const before = await connections();
    const plain = `GET /api/products HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    const upgrade = `GET /ws/x HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(port), host);
      const answers: Buffer[] = [];
      socket.on('data', (part) => answers.push(part));
      socket.write(plain + plain + upgrade);
      await eventually(() =>
        expect(
          Buffer.concat(answers)
            .toString()
            .match(/HTTP\/1.1 \d+/g),
        ).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']),
      );
      socket.destroy();
    }
    await eventually(async () => expect(await connections()).toBeLessThanOrEqual(before));
  });

  it('that is refused leaves no connection behind', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        refusal(shop.url, ['/ws/products', '/ws/x', '/ws/notifications/%zz', mine(boss)][i % 4]!, {
          headers: customer.headers,
        }),
      ),
    );
    await eventually(async () => {
      const open = await new Promise<number>((resolve) =>
        shop.http.server.getConnections((_, count) => resolve(count)),
      );
      const idle = 1 + opened.length;
      expect(open).toBeLessThanOrEqual(idle + 5);
    });
  });
});

describe('notices', () => {
  it('go to fifty places of one user at most', async () => {
    const many = await shop.as('customer');
    const places = await Promise.all(
      Array.from({ length: 50 }, () => follow(shop.url, mine(many), { headers: many.headers })),
    );
    const socket = new WebSocket(shop.url.replace('http', 'ws') + mine(many), { headers: many.headers });
    const code = await new Promise<number>((resolve) => socket.on('close', resolve));
    expect([code, places.filter((place) => place.socket.readyState === 1).length]).toEqual([1008, 50]);
  });

  it('go to the user alone, and tell of others than them only to a superuser', async () => {
    const other = await shop.as('customer');
    const [own, theirs, watching] = [
      await follow(shop.url, mine(customer), { headers: customer.headers }),
      await follow(shop.url, mine(other), { headers: other.headers }),
      await follow(shop.url, mine(customer), { headers: boss.headers }),
    ];
    await append(
      productEvent(),
      notice(other.userId),
      notice(customer.userId),
      notice(customer.userId, customer.userId),
    );
    const [byStaff, byThemself] = await own.has(2);
    expect(byStaff).toMatchObject({
      type: 'order.status_changed',
      actor: null,
      order: { number: 'V-1', status: 'shipped' },
    });
    expect(JSON.stringify(own.events)).not.toContain(staff.userId);
    expect(byThemself.actor).toEqual({ id: customer.userId, username: customer.username });
    expect((await watching.has(2)).map(({ actor }) => actor.username)).toEqual([staff.username, customer.username]);
    expect((await theirs.has(1)).length).toBe(1);
    // The same when they are read again.
    const again = await follow(shop.url, `${mine(customer)}?after=${own.all[0].cursor}`, { headers: customer.headers });
    await again.has(2);
    expect(again.all.slice(1)).toEqual(own.all.slice(1));
  });
});

describe('a session that ends', () => {
  const PATH = '/ws/products';
  const within = async (work: () => Promise<unknown>, ...feeds: Following[]) => {
    const began = performance.now();
    await work();
    const ends = await Promise.all(feeds.map(({ closed }) => closed));
    expect(performance.now() - began).toBeLessThan(1_000);
    for (const { code, reason } of ends) expect([code, reason]).toEqual([1008, 'the session has ended']);
  };

  it.each(['logged out', 'revoked elsewhere', 'given another role', 'disabled', 'erased'])(
    'closes its sockets and streams within a second: %s',
    async (how) => {
      const other = await startTestShop({ databaseUrl: shop.directUrl });
      try {
        const leaver = await shop.as('staff');
        // In both processes, whichever is told of it.
        const feeds = [
          await follow(shop.url, PATH, { headers: leaver.headers }),
          await follow(other.url, PATH, { headers: leaver.headers }),
          await follow(other.url, mine(leaver), { headers: leaver.headers }),
        ];
        const streams = [await stream(`${other.url}/api/events/stream`, leaver.headers)];
        opened.push(...streams);
        const stays = await follow(other.url, PATH, { headers: staff.headers });
        const end: Record<string, () => Promise<unknown>> = {
          'logged out': () => leaver.post('/api/auth/logout'),
          'revoked elsewhere': () => leaver.delete(`/api/auth/sessions/${leaver.sessionId}`),
          'given another role': () => boss.patch(`/api/users/${leaver.userId}`, { role: 'customer' }),
          disabled: () => boss.patch(`/api/users/${leaver.userId}`, { disabled: true }),
          erased: async () => {
            await shop.db.run(
              sql('update users set token_epoch = token_epoch + 1, epoch_changed_at = now() where id = $1', [
                leaver.userId,
              ]),
            );
            await shop.accounts.revocations.spread();
          },
        };
        await within(end[how]!, ...feeds);
        await streams[0]!.ended;
        await append(productEvent());
        await stays.has(1);
        expect(streams[0]!.received.map(({ data }) => data.type)).not.toContain('product.updated');
      } finally {
        await other.stop();
      }
    },
  );

  it('closes those of an API key too', async () => {
    const { id, headers } = await keyWith(['events:read']);
    const feed = await follow(shop.url, PATH, { headers });
    await within(() => boss.delete(`/api/api-keys/${id}`), feed);
  });

  it('closes a socket that was being opened when it ended', async () => {
    const leaver = await shop.as('staff');
    const { accounts, realtime } = shop;
    const identity = accounts.tokens.identify(leaver.headers.authorization!.slice(7));
    await leaver.post('/api/auth/logout');
    const said: unknown[] = [];
    const wire = {
      send: (messages: unknown) => said.push(messages),
      close: (code: number) => said.push(code),
      waiting: () => 0,
      drained: async () => {},
      isOpen: () => true,
      cut() {},
      prod() {},
    };
    const feed = { kind: 'log', types: null } as const;
    realtime.open(wire, { identity, feed, after: undefined, wantsProgress: false })();
    expect(said).toEqual([1008]);
  });

  it('by running out, of which nobody is told, closes its socket at the next look; a refreshed one stays', async () => {
    const [leaver, stayer] = [await shop.as('staff'), await shop.as('staff')];
    const key = await keyWith(['events:read'], new Date(Date.now() + 60_000));
    const [feed, other, byKey] = [
      await follow(shop.url, PATH, { headers: leaver.headers }),
      await follow(shop.url, PATH, { headers: stayer.headers }),
      await follow(shop.url, PATH, { headers: key.headers }),
    ];
    await shop.realtime.tend();
    await sleep(50);
    expect([feed, other, byKey].map(({ socket }) => socket.readyState)).toEqual([1, 1, 1]);
    await shop.db.run(sql("update sessions set expires_at = now() - interval '1 s' where id = $1", [leaver.sessionId]));
    await shop.db.run(sql("update api_keys set expires_at = now() - interval '1 s' where id = $1", [key.id]));
    await within(() => shop.realtime.tend(), feed, byKey);
    await append(productEvent());
    await other.has(1);
  });
});
