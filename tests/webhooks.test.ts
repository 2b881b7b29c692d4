import { Webhook as Standard } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { readLogEnds } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { createOutbound } from '../src/kernel/outbound.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { drainEndpoint } from '../src/modules/notifications/webhooks/drain.ts';
import type { Webhooks } from '../src/modules/notifications/webhooks/index.ts';
import { type Received, type Receiver, startReceiver } from './support/receiver.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/**
 * Webhooks by a clock that the tests move. No workers run: the tests hand events over (`handOver`) and begin the sending
 * (`send`), so that what happens in between is theirs to say.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
let boss: Caller;
const receivers: Receiver[] = [];
const made: string[] = [];
/** Up to where the log was handed to the subscriber. */
let handled = 0;

beforeAll(async () => {
  shop = await startTestShop({ clock, env: { ALLOW_PRIVATE_ADDRESSES: 'true' } });
});
afterAll(() => shop.stop());
beforeEach(async () => {
  boss = await shop.as('superuser');
});
afterEach(async () => {
  await shop.db.run(sql('delete from webhook_endpoints where id = any ($1)', [made.splice(0)]));
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

async function receive(answer?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  receivers.push(receiver);
  return receiver;
}

/** An endpoint that hears of events of a type of its own. */
async function endpoint(url: string, types?: string[]) {
  const type = `test_${Math.random()
    .toString(36)
    .replace(/[^a-z]/g, '')}.happened`;
  const answer = await boss.post('/api/webhooks', { url, types: types ?? [type] });
  expect(answer.status).toBe(201);
  const { id, secret } = answer.json as { id: string; secret: string };
  made.push(id);
  return { id, secret, type };
}

const read = async (id: string) => (await boss.get(`/api/webhooks/${id}`)).json;
const deliveries = async (id: string, query = '') =>
  (await boss.get(`/api/webhooks/${id}/deliveries?page_size=100${query}`)).json.items;

/** Lets time pass; the superuser logs in again when the token has not outlived it. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  if (ms >= 10 * MINUTE) boss = await shop.as('superuser');
}

const handOne = (position: number) =>
  shop.events.jobs
    .find(({ name }) => name === 'events.deliver')!
    .run({ position, subscriber: 'webhooks' } as never, {} as never);

async function handOver(): Promise<void> {
  await shop.events.flush();
  const { head } = await readLogEnds(shop.db);
  while (handled < head) await handOne(++handled);
}

async function append(type: string, times = 1): Promise<void> {
  for (let n = 0; n < times; n++)
    await shop.db.transaction((tx) =>
      shop.events.append(tx, { type, subject: { type: 'test', id: newId() }, data: { n } }),
    );
}

/** Events that have been made deliveries. */
async function happen(type: string, times = 1): Promise<void> {
  await append(type, times);
  await handOver();
}

const send = (
  id: string,
  { signal = new AbortController().signal, timeoutMs = 5_000, by = {} as Partial<Webhooks> } = {},
) => drainEndpoint({ ...shop.webhooks, ...by }, id, { signal, timeoutMs });

/** By the official library, which looks at the clock. */
function verify(secret: string, { body, headers }: Received) {
  vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
  try {
    return new Standard(secret).verify(body, headers) as Record<string, unknown>;
  } finally {
    vi.useRealTimers();
  }
}

const logged = async (id: string) => {
  await shop.events.flush();
  return shop.db.many(
    sql<{ type: string; actor_id: string | null; changes: object; data: Record<string, unknown> }>(
      `select type, actor_id, changes, data from events where subject_type = 'webhook' and subject_id = $1 order by position`,
      [id],
    ),
  );
};

describe('a webhook', () => {
  it('is made, read, changed and deleted by a superuser, and the log says who did it', async () => {
    const url = 'http://127.0.0.1:9/hook?token=do-not-show';
    const answer = await boss.post('/api/webhooks', { url, types: ['product.*'], description: 'The warehouse' });
    expect(answer.status).toBe(201);
    const { secret, ...webhook } = answer.json;
    const { id } = webhook;
    expect(answer.headers.get('location')).toBe(`/api/webhooks/${id}`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toEqual({
      id,
      url,
      types: ['product.*'],
      description: 'The warehouse',
      active: true,
      disabled_at: null,
      disabled_reason: null,
      failing_since: null,
      failures: 0,
      retry_at: null,
      last_success_at: null,
      pending_deliveries: 0,
      previous_secret_until: null,
      created_by: { id: boss.userId, username: boss.username },
      created_at: clock.now().toISOString(),
      updated_at: clock.now().toISOString(),
    });
    expect(await read(id)).toEqual(webhook);
    const list = (await boss.get('/api/webhooks')).json;
    expect(list.items).toContainEqual(webhook);
    expect(JSON.stringify(list)).not.toContain('whsec_');

    const changed = await boss.patch(`/api/webhooks/${id}`, {
      url: 'http://127.0.0.1:9/other',
      types: ['*'],
      description: '',
      active: false,
    });
    expect(changed.json).toMatchObject({
      url: 'http://127.0.0.1:9/other',
      types: ['*'],
      description: '',
      active: false,
    });
    expect(changed.json).not.toHaveProperty('secret');
    await boss.patch(`/api/webhooks/${id}`, { description: '' });
    expect((await boss.delete(`/api/webhooks/${id}`)).status).toBe(204);

    const events = await logged(id);
    expect(events.map(({ type }) => type)).toEqual(['webhook.created', 'webhook.updated', 'webhook.deleted']);
    for (const event of events) expect(event.actor_id).toBe(boss.userId);
    expect(events[1]!.changes).toEqual({
      url: { from: 'http://127.0.0.1:9/…', to: 'http://127.0.0.1:9/…' },
      types: { from: ['product.*'], to: ['*'] },
      active: { from: true, to: false },
    });
    expect(JSON.stringify(events)).not.toMatch(/whsec_|do-not-show/);
    for (const [method, path] of [
      ['GET', `/api/webhooks/${id}`],
      ['PATCH', `/api/webhooks/${id}`],
      ['DELETE', `/api/webhooks/${id}`],
      ['GET', `/api/webhooks/${id}/deliveries`],
    ] as const) {
      const gone = await shop.send(method, path, method === 'PATCH' ? { active: true } : undefined, boss.headers);
      expect([gone.status, gone.json.code], path).toEqual([404, 'webhook_not_found']);
    }
    const retried = await boss.post(`/api/webhook-deliveries/${newId()}/retry`);
    expect([retried.status, retried.json.code]).toEqual([404, 'webhook_delivery_not_found']);
  });

  it('keeps its secret encrypted', async () => {
    const { id, secret } = await endpoint('http://127.0.0.1:9/');
    const row = await shop.db.one(sql<{ secret: Buffer }>('select secret from webhook_endpoints where id = $1', [id]));
    expect(row.secret.includes(secret)).toBe(false);
    expect(row.secret.includes(Buffer.from(secret.slice(6), 'base64'))).toBe(false);
  });

  it('is refused for types that are none, too many of them, and what is not known', async () => {
    const url = 'http://127.0.0.1:9/';
    const bad = [
      { url, types: [] },
      { url, types: ['product'] },
      { url, types: ['product.'] },
      { url, types: ['*.updated'] },
      { url, types: ['Product.updated'] },
      { url, types: ['product.updated', 'product.updated'] },
      { url, types: Array.from({ length: 51 }, (_, i) => `a${'b'.repeat(i)}.c`) },
      { url, secret: 'whsec_mine' },
      { url: 'http://127.0.0.1:9/a b' },
      { url: `http://127.0.0.1/${'a'.repeat(2_000)}` },
      { types: ['*'] },
    ];
    for (const body of bad) {
      const answer = await boss.post('/api/webhooks', body);
      expect([answer.status, answer.json.code], JSON.stringify(body)).toEqual([400, 'validation_failed']);
    }
    for (const one of ['ftp://127.0.0.1/', '/hook', 'notaurl', 'http://']) {
      const answer = await boss.post('/api/webhooks', { url: one });
      expect([answer.status, answer.json.errors?.[0]?.path], one).toEqual([400, 'url']);
    }
    const named = await boss.post('/api/webhooks', { url: 'http://user:secret@127.0.0.1/' });
    expect([named.status, named.json.code]).toEqual([422, 'address_not_allowed']);
  });

  it('is one of a hundred at most, also when many are made at once', async () => {
    const { there } = await shop.db.one(sql<{ there: number }>('select count(*) as there from webhook_endpoints'));
    for (let i = there; i < 97; i++) await endpoint('http://127.0.0.1:9/');
    let making: ReturnType<Caller['post']>[] = [];
    await shop.db.transaction(async (tx) => {
      // They may count meanwhile, but not insert.
      await tx.run(sql('lock table webhook_endpoints in share mode'));
      making = Array.from({ length: 6 }, () => boss.post('/api/webhooks', { url: 'http://127.0.0.1:9/' }));
      await new Promise((resolve) => setTimeout(resolve, 500));
    });
    const answers = await Promise.all(making);
    for (const { status, json } of answers) if (status === 201) made.push(json.id);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    for (const { status, json } of answers)
      if (status !== 201) expect([status, json.code]).toEqual([409, 'webhook_limit_reached']);
  });
});

describe('private addresses', () => {
  it('are refused when a webhook is made or changed, unless they are allowed', async () => {
    const strict = await startTestShop();
    try {
      const superuser = await strict.as('superuser');
      for (const url of [
        'http://127.0.0.1/',
        'http://localhost:8000/',
        'https://[::1]/',
        'http://169.254.169.254/latest',
      ]) {
        const answer = await superuser.post('/api/webhooks', { url });
        expect([answer.status, answer.json.code], url).toEqual([422, 'address_not_allowed']);
      }
      const nowhere = await superuser.post('/api/webhooks', { url: 'https://nowhere.invalid/' });
      expect([nowhere.status, nowhere.json.code]).toEqual([422, 'address_not_found']);
      const { json } = await superuser.post('/api/webhooks', { url: 'https://8.8.8.8/' });
      const changed = await superuser.patch(`/api/webhooks/${json.id}`, { url: 'http://10.0.0.1/' });
      expect([changed.status, changed.json.code]).toEqual([422, 'address_not_allowed']);
      expect((await superuser.get(`/api/webhooks/${json.id}`)).json.url).toBe('https://8.8.8.8/');
    } finally {
      await strict.stop();
    }
  });

  it('never hear of an event, though the name led elsewhere when it was checked', async () => {
    const inside = await receive();
    const { port } = new URL(inside.url);
    let asked = 0;
    const outbound = createOutbound({
      allowPrivate: false,
      resolve: async () => [{ address: asked++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }],
    });
    try {
      const url = `http://rebound.test:${port}/`;
      await outbound.check(url);
      const { id, type } = await endpoint(inside.url);
      await shop.db.run(sql('update webhook_endpoints set url = $2 where id = $1', [id, url]));
      await happen(type);
      await send(id, { by: { outbound } });
      expect(asked).toBe(2);
      expect(inside.connections).toBe(0);
      const [delivery] = await deliveries(id);
      expect(delivery).toMatchObject({ state: 'pending', attempts: 1, last_status: null });
      expect(delivery.last_error).toContain('private network');
    } finally {
      await outbound.close();
    }
  });
});

describe('a delivery', () => {
  it('is signed as Standard Webhooks has it, and says what happened without anybody’s name', async () => {
    const receiver = await receive();
    const { id, secret } = await endpoint(receiver.url, ['product.created']);
    const staff = await shop.as('staff');
    const product = (await staff.post('/api/products', { name: 'A blue cup', price: '12.00' })).json;
    await handOver();
    await send(id);
    expect(receiver.received).toHaveLength(1);
    const [request] = receiver.received;
    expect(request).toMatchObject({ method: 'POST', path: '/hook' });
    expect(request!.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Vitrine/),
    });
    expect(request!.timestamp).toBe(Math.floor(clock.now().getTime() / 1_000));
    const body = verify(secret, request!);
    expect(body).toMatchObject({
      type: 'product.created',
      timestamp: clock.now().toISOString(),
      data: {
        type: 'product.created',
        occurred_at: clock.now().toISOString(),
        actor: { id: staff.userId },
        subject: { type: 'product', id: product.id },
        product: { id: product.id, sku: product.sku, slug: product.slug, name: 'A blue cup' },
      },
    });
    expect((body.data as { actor: object }).actor).toEqual({ id: staff.userId });
    expect(request!.body).not.toContain(staff.username);
    const event = await shop.db.one(
      sql<{ event_id: string; position: number }>('select event_id, position from events where subject_id = $1', [
        product.id,
      ]),
    );
    expect(request!.id).toBe(event.event_id);
    expect((body.data as { cursor: number }).cursor).toBe(event.position);
    const [delivery] = await deliveries(id);
    expect(delivery).toEqual({
      id: delivery.id,
      webhook_id: id,
      event_id: event.event_id,
      cursor: event.position,
      type: 'product.created',
      state: 'delivered',
      attempts: 1,
      next_attempt_at: null,
      last_status: 204,
      last_error: null,
      last_response: '',
      duration_ms: expect.any(Number),
      created_at: clock.now().toISOString(),
      delivered_at: clock.now().toISOString(),
    });
    expect(await read(id)).toMatchObject({ last_success_at: clock.now().toISOString(), pending_deliveries: 0 });
    expect(() => verify(secret, { ...request!, body: `${request!.body} ` })).toThrow();
  });

  it('is made for the types that were asked for, and never of an import’s inner steps', async () => {
    const all = await endpoint('http://127.0.0.1:9/', ['*']);
    const some = await endpoint('http://127.0.0.1:9/', ['import.*', 'sort_a.happened']);
    for (const type of [
      'import.merged',
      'import.stock_counted',
      'sort_ab.happened',
      'sort_a.happened',
      'import.completed',
    ])
      await happen(type);
    const typesOf = async (id: string) =>
      (await deliveries(id)).map(({ type }: { type: string }) => type).filter((type: string) => !/^webhook/.test(type));
    expect((await typesOf(all.id)).sort()).toEqual(['import.completed', 'sort_a.happened', 'sort_ab.happened']);
    expect((await typesOf(some.id)).sort()).toEqual(['import.completed', 'sort_a.happened']);
  });

  it('is one for each endpoint and event, though the event is handed over twice', async () => {
    const [one, two] = [
      await endpoint('http://127.0.0.1:9/', ['twice.happened']),
      await endpoint('http://127.0.0.1:9/'),
    ];
    await shop.db.run(sql(`update webhook_endpoints set types = '{twice.happened}' where id = $1`, [two.id]));
    await happen('twice.happened');
    const [delivery] = await deliveries(one.id);
    await handOne(delivery.cursor);
    // As after a retention that has forgotten what was done.
    await shop.db.run(sql('delete from event_effects where event_id = $1', [delivery.event_id]));
    await handOne(delivery.cursor);
    for (const { id } of [one, two]) expect(await deliveries(id)).toHaveLength(1);
  });

  it('is not made of what happened before the endpoint was there, however late that is worked on', async () => {
    const witness = await endpoint('http://127.0.0.1:9/', ['late.happened']);
    await append('late.happened');
    const late = await endpoint('http://127.0.0.1:9/', ['late.happened']);
    const off = await endpoint('http://127.0.0.1:9/', ['late.happened']);
    await boss.patch(`/api/webhooks/${off.id}`, { active: false });
    await append('late.happened');
    await boss.patch(`/api/webhooks/${off.id}`, { active: true });
    await append('late.happened');
    await handOver();
    expect(await deliveries(witness.id)).toHaveLength(3);
    const cursors = (await deliveries(witness.id)).map(({ cursor }: { cursor: number }) => cursor);
    const of = async (id: string) => (await deliveries(id)).map(({ cursor }: { cursor: number }) => cursor).sort();
    expect(await of(late.id)).toEqual(cursors.sort().slice(1));
    expect(await of(off.id)).toEqual(cursors.sort().slice(2));
  });

  it('is not made of what was committed before, though the relay had not come to it', async () => {
    const witness = await endpoint('http://127.0.0.1:9/', ['held.happened']);
    let making: ReturnType<typeof endpoint> | undefined;
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('select from event_log_head for update'));
      await append('held.happened');
      making = endpoint('http://127.0.0.1:9/', ['held.happened']);
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    const { id } = await making!;
    await handOver();
    expect(await deliveries(witness.id)).toHaveLength(1);
    expect(await deliveries(id)).toHaveLength(0);
  });

  it('comes in order of the log, up to eight at once, each once by two drains at the same time', async () => {
    const receiver = await receive(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 200;
    });
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 60);
    await Promise.all([send(id), send(id), send(id)]);
    expect(receiver.received).toHaveLength(60);
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(60);
    expect(receiver.most).toBeGreaterThan(1);
    expect(receiver.most).toBeLessThanOrEqual(8);
    const cursors = receiver.received.map(({ body }) => JSON.parse(body).data.cursor as number);
    const sorted = [...cursors].sort((a, b) => a - b);
    for (const [i, cursor] of cursors.entries()) expect(Math.abs(sorted.indexOf(cursor) - i)).toBeLessThan(8);
  });
});

describe('what fails', () => {
  it('comes again after a pause, under the same id with a later timestamp', async () => {
    const receiver = await receive(() => 500);
    const { id, type, secret } = await endpoint(receiver.url);
    await happen(type);
    const next = await send(id);
    const [failed] = await deliveries(id);
    expect(failed).toMatchObject({ state: 'pending', attempts: 1, last_status: 500, last_error: 'It answered 500.' });
    const pause = Date.parse(failed.next_attempt_at) - clock.now().getTime();
    expect(pause).toBeGreaterThanOrEqual(4_000);
    expect(pause).toBeLessThanOrEqual(6_000);
    expect(next!.getTime()).toBeGreaterThan(clock.now().getTime());
    expect(await read(id)).toMatchObject({ failures: 1, failing_since: clock.now().toISOString() });
    await send(id);
    expect(receiver.received).toHaveLength(1);
    receiver.answer = () => 200;
    clock.advance(7_000);
    await send(id);
    const [first, second] = receiver.received;
    expect(second!.id).toBe(first!.id);
    expect(second!.body).toBe(first!.body);
    expect(second!.timestamp).toBe(first!.timestamp + 7);
    expect(second!.headers['webhook-signature']).not.toBe(first!.headers['webhook-signature']);
    verify(secret, second!);
    expect((await deliveries(id))[0]).toMatchObject({
      state: 'delivered',
      attempts: 2,
      last_status: 200,
      last_error: null,
    });
    expect(await read(id)).toMatchObject({ failures: 0, failing_since: null, retry_at: null });
  });

  it('is asked for by one request at a time until one is delivered, and then everything flows', async () => {
    const receiver = await receive(async () => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return 503;
    });
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 30);
    await send(id);
    const inTheFirstRound = receiver.received.length;
    expect(inTheFirstRound).toBeLessThanOrEqual(8);
    // However many failed at once, that was one failure.
    expect((await read(id)).failures).toBe(1);
    for (let round = 1; round <= 3; round++) {
      await pass(20 * MINUTE);
      await send(id);
      expect(receiver.received).toHaveLength(inTheFirstRound + round);
    }
    const tried = new Set(receiver.received.map((request) => request.id));
    expect(tried.size).toBe(inTheFirstRound + 3);
    receiver.answer = () => 204;
    await pass(20 * MINUTE);
    await send(id);
    expect((await deliveries(id)).every(({ state }: { state: string }) => state === 'delivered')).toBe(true);
    expect(await read(id)).toMatchObject({ failures: 0, failing_since: null, pending_deliveries: 0 });
  });

  it('holds up nothing else, though it is refused each time', async () => {
    const receiver = await receive(({ body }) => (JSON.parse(body).data.subject.n === 0 ? 400 : 200));
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 20);
    for (let i = 0; i < 4; i++) {
      await send(id);
      clock.advance(10_000);
    }
    const states = (await deliveries(id)).map(({ state }: { state: string }) => state);
    expect(states.filter((state: string) => state === 'delivered')).toHaveLength(19);
    expect(states.filter((state: string) => state === 'pending')).toHaveLength(1);
    await pass(2 * DAY);
    await happen(type, 2);
    await send(id);
    expect((await read(id)).active).toBe(true);
  });

  it('in great numbers does not stand before what comes later', async () => {
    const receiver = await receive(({ body }) => (JSON.parse(body).type === good ? 200 : 400));
    const bad = `bad_${Math.random()
      .toString(36)
      .replace(/[^a-z]/g, '')}.happened`;
    const good = bad.replace('bad', 'good');
    const { id } = await endpoint(receiver.url, [bad, good]);
    await happen(bad, 30);
    await send(id);
    await happen(good);
    clock.advance(7_000);
    await send(id);
    expect((await deliveries(id, '&state=delivered')).map(({ type }: { type: string }) => type)).toEqual([good]);
  });

  it('waits as long as the receiver asks for, within bounds', async () => {
    let retryAfter = '600';
    const receiver = await receive((_, response) => void response.writeHead(429, { 'retry-after': retryAfter }).end());
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await send(id);
    const waits = async () => Date.parse((await read(id)).retry_at) - clock.now().getTime();
    expect(await waits()).toBe(600_000);
    expect((await deliveries(id))[0].next_attempt_at).toBe((await read(id)).retry_at);
    clock.advance(599_000);
    await send(id);
    expect(receiver.received).toHaveLength(1);
    retryAfter = '999999';
    clock.advance(2_000);
    await send(id);
    expect(receiver.received).toHaveLength(2);
    expect(await waits()).toBe(4 * HOUR);
    retryAfter = new Date(clock.now().getTime() + 5 * HOUR).toUTCString();
    await pass(4 * HOUR);
    await send(id);
    expect(Math.abs((await waits()) - HOUR)).toBeLessThan(MINUTE + 10 * MINUTE);
    for (retryAfter of ['soon', '-5', '0', '']) {
      await pass(4 * HOUR);
      await send(id);
      expect(await waits()).toBeLessThanOrEqual(18 * MINUTE);
    }
    expect(receiver.received).toHaveLength(7);
  });

  it('is a redirect too, which nobody follows', async () => {
    const other = await receive();
    const receiver = await receive((_, response) => void response.writeHead(307, { location: other.url }).end());
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await send(id);
    expect(receiver.received).toHaveLength(1);
    expect(other.connections).toBe(0);
    const [delivery] = await deliveries(id);
    expect(delivery).toMatchObject({ state: 'pending', last_status: 307 });
    expect(delivery.last_error).toContain('Redirects are not followed');
  });

  it('is what hangs, which is let go of in time', async () => {
    const receiver = await receive(() => undefined);
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 3);
    const began = performance.now();
    await send(id, { timeoutMs: 300 });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await read(id)).toMatchObject({ failures: 1, pending_deliveries: 3 });
    expect((await deliveries(id))[0]).toMatchObject({
      last_status: null,
      last_error: 'It did not answer within 0.3 seconds.',
    });
    await eventually(() => expect(receiver.closed).toBe(receiver.connections));
  });

  it('to answer in time is not waited for by what comes meanwhile', async () => {
    const receiver = await receive(() => (receiver.received.length === 1 ? undefined : 200));
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    const sent = send(id, { timeoutMs: 3_000 });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await happen(type);
    await eventually(() => expect(receiver.received).toHaveLength(2), 2_000);
    await sent;
    const states = (await deliveries(id)).map(({ state }: { state: string }) => state);
    expect(states).toEqual(['delivered', 'pending']);
  });

  it('is not an answer whose body is endless, slow or no text: its beginning is kept', async () => {
    const receiver = await receive(({ body }, response) => {
      const { n } = JSON.parse(body).data.subject;
      response.writeHead(200);
      if (n === 0) response.end('done\0\u0001 \ud83d\ude00');
      else if (n === 1) {
        const more = () => {
          while (!response.destroyed && response.write('a'.repeat(10_000)));
        };
        response.on('drain', more);
        more();
      } else response.write('slow');
    });
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 3);
    const began = performance.now();
    await send(id);
    expect(performance.now() - began).toBeLessThan(4_000);
    const bodies = (await deliveries(id)).map((d: { state: string; last_response: string }) => [
      d.state,
      d.last_response,
    ]);
    expect(bodies).toHaveLength(3);
    expect(bodies).toContainEqual(['delivered', 'done\ufffd\u0001 \ud83d\ude00']);
    expect(bodies).toContainEqual(['delivered', 'a'.repeat(1_024)]);
    expect(bodies).toContainEqual(['delivered', 'slow']);
    await eventually(() => expect(receiver.closed).toBeGreaterThanOrEqual(2));
  });

  it('has not failed for being interrupted by a stop', async () => {
    const receiver = await receive(() => undefined);
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    const stop = new AbortController();
    const sent = send(id, { signal: stop.signal });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    stop.abort(new Error('stopping'));
    expect((await sent)!.getTime()).toBeLessThanOrEqual(clock.now().getTime());
    expect((await deliveries(id))[0]).toMatchObject({ state: 'pending', attempts: 0, last_error: null });
    expect((await read(id)).failures).toBe(0);
    receiver.answer = () => 200;
    await send(id);
    expect(receiver.received[1]!.id).toBe(receiver.received[0]!.id);
    expect((await deliveries(id))[0]).toMatchObject({ state: 'delivered', attempts: 1 });
  });

  it('has failed for good when its event is no longer in the log', async () => {
    const receiver = await receive();
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await shop.db.run(sql('delete from events where type = $1', [type]));
    await send(id);
    expect(receiver.received).toHaveLength(0);
    const [delivery] = await deliveries(id);
    expect(delivery).toMatchObject({ state: 'failed', attempts: 0, last_error: 'The event is no longer in the log.' });
    const retried = await boss.post(`/api/webhook-deliveries/${delivery.id}/retry`);
    expect([retried.status, retried.json.code]).toEqual([409, 'webhook_event_expired']);
    expect((await read(id)).failures).toBe(0);
  });
});

describe('an endpoint', () => {
  const mailed = (id: string) =>
    shop.db.many(
      sql<{ recipient: string }>(
        `select recipient from emails where template = 'webhook_disabled' and created_at = (
           select disabled_at from webhook_endpoints where id = $1)`,
        [id],
      ),
    );
  const superusers = async () =>
    (await shop.db.many(sql<{ email: string }>(`select email from users where role = 'superuser'`))).map(
      (u) => u.email,
    );

  it('that fails for a day without one success is switched off, and the superusers are told', async () => {
    const receiver = await receive(() => 500);
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    const began = clock.now().getTime();
    let next = await send(id);
    let attempts = 1;
    while (next && next.getTime() < began + DAY) {
      clock.advance(next.getTime() - clock.now().getTime());
      next = await send(id);
      attempts += 1;
    }
    boss = await shop.as('superuser');
    // Not a moment too early.
    expect(await read(id)).toMatchObject({ active: true, failing_since: new Date(began).toISOString() });
    // Then, or as soon after that as the endpoint is asked again.
    expect(next!.getTime()).toBeGreaterThanOrEqual(began + DAY);
    expect(next!.getTime()).toBeLessThan(began + DAY + 20 * MINUTE);
    expect(attempts).toBeGreaterThanOrEqual(10);
    expect(attempts).toBeLessThanOrEqual(20);
    await happen(type, 4);
    await pass(next!.getTime() - clock.now().getTime());
    expect(await send(id)).toBeNull();
    const webhook = await read(id);
    expect(webhook).toMatchObject({ active: false, disabled_reason: 'failing', pending_deliveries: 0 });
    expect(webhook.disabled_at).toBe(clock.now().toISOString());
    const states = (await deliveries(id)).map(({ state }: { state: string }) => state);
    expect(states).toEqual(Array(5).fill('failed'));
    expect((await mailed(id)).map(({ recipient }) => recipient).sort()).toEqual((await superusers()).sort());
    const { type: last, actor_id, data } = (await logged(id)).at(-1)!;
    expect([last, actor_id, data.reason]).toEqual(['webhook.disabled', null, 'failing']);

    const told = receiver.received.length;
    await happen(type);
    await send(id);
    expect(receiver.received).toHaveLength(told);

    receiver.answer = () => 200;
    const on = await boss.patch(`/api/webhooks/${id}`, { active: true });
    expect(on.json).toMatchObject({
      active: true,
      disabled_at: null,
      disabled_reason: null,
      failing_since: null,
      failures: 0,
    });
    await happen(type);
    await send(id);
    expect(receiver.received).toHaveLength(told + 1);
    expect((await read(id)).last_success_at).toBe(clock.now().toISOString());
  });

  it('that had a success within the day stays on', async () => {
    const receiver = await receive(({ body }) => (JSON.parse(body).data.subject.n === 0 ? 500 : 200));
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await send(id);
    await pass(23 * HOUR);
    await happen(type, 2);
    await send(id);
    // The one that has been tried less goes first.
    for (let i = 0; i < 3; i++) {
      await pass(2 * HOUR);
      await send(id);
    }
    expect((await read(id)).active).toBe(true);
    const states = (await deliveries(id)).map(({ state }: { state: string }) => state).sort();
    expect(states).toEqual(['delivered', 'failed', 'pending']);
  });

  it('that answers 410 is switched off at once', async () => {
    const receiver = await receive(() => 410);
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 20);
    await send(id);
    expect(receiver.received.length).toBeLessThanOrEqual(8);
    expect(await read(id)).toMatchObject({ active: false, disabled_reason: 'gone', pending_deliveries: 0 });
    expect(await mailed(id)).toHaveLength((await superusers()).length);
    expect((await logged(id)).filter(({ type }) => type === 'webhook.disabled')).toHaveLength(1);
  });

  it('that was given another address is tried there at once, and is not judged by the old one', async () => {
    const gone = await receive(async () => {
      await boss.patch(`/api/webhooks/${id}`, { url: good.url });
      return 410;
    });
    const good = await receive();
    const { id, type } = await endpoint(gone.url);
    await happen(type);
    const next = await send(id);
    expect(await read(id)).toMatchObject({ active: true, failures: 0 });
    clock.advance(next!.getTime() - clock.now().getTime());
    await send(id);
    expect(good.received.map((request) => request.id)).toEqual(gone.received.map((request) => request.id));

    good.answer = () => 500;
    await happen(type, 2);
    await send(id);
    const better = await receive();
    await boss.patch(`/api/webhooks/${id}`, { url: better.url });
    await send(id);
    expect(better.received).toHaveLength(2);
  });

  it('with a new secret gets both signatures for a day', async () => {
    const receiver = await receive();
    const { id, type, secret } = await endpoint(receiver.url);
    const rotated = await boss.patch(`/api/webhooks/${id}`, { rotate_secret: true });
    expect(rotated.json.secret).toMatch(/^whsec_/);
    expect(rotated.json.secret).not.toBe(secret);
    expect(rotated.json.previous_secret_until).toBe(new Date(clock.now().getTime() + DAY).toISOString());
    const event = (await logged(id)).at(-1)!;
    expect(event).toMatchObject({ type: 'webhook.updated', actor_id: boss.userId, changes: {} });
    expect(event.data).toMatchObject({ secret_rotated: true });
    expect(JSON.stringify(event)).not.toContain('whsec_');
    await happen(type);
    await send(id);
    const [first] = receiver.received;
    expect(first!.headers['webhook-signature']!.split(' ')).toHaveLength(2);
    verify(secret, first!);
    verify(rotated.json.secret, first!);
    await pass(DAY);
    await happen(type);
    await send(id);
    const second = receiver.received[1]!;
    verify(rotated.json.secret, second);
    expect(() => verify(secret, second)).toThrow('No matching signature');
  });

  it('that is switched off has nothing waiting, not even what was being made at that moment', async () => {
    const receiver = await receive();
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await boss.patch(`/api/webhooks/${id}`, { active: false });
    const [delivery] = await deliveries(id, '&state=failed');
    expect(delivery.last_error).toContain('switched off');
    const retried = await boss.post(`/api/webhook-deliveries/${delivery.id}/retry`);
    expect([retried.status, retried.json.code]).toEqual([409, 'webhook_inactive']);
    await shop.db.run(
      sql(`update webhook_deliveries set state = 'pending', next_attempt_at = $2 where id = $1`, [
        delivery.id,
        clock.now(),
      ]),
    );
    await send(id);
    expect(receiver.received).toHaveLength(0);
    expect((await deliveries(id))[0].state).toBe('failed');
  });

  it('may be deleted while something is on its way to it, and while deliveries are made', async () => {
    const receiver = await receive(async () => {
      expect((await boss.delete(`/api/webhooks/${id}`)).status).toBe(204);
      return 200;
    });
    const { id, type } = await endpoint(receiver.url);
    await happen(type, 3);
    receiver.answer = async (request) => (receiver.received[0] === request ? receiverDeletes() : 200);
    const receiverDeletes = async () => {
      expect((await boss.delete(`/api/webhooks/${id}`)).status).toBe(204);
      return 200;
    };
    expect(await send(id)).toBeNull();
    expect(await shop.db.many(sql('select from webhook_deliveries where endpoint_id = $1', [id]))).toHaveLength(0);

    const other = await endpoint(receiver.url);
    await append(other.type);
    await shop.events.flush();
    const { position } = await shop.db.one(
      sql<{ position: number }>('select position from events where type = $1', [other.type]),
    );
    let making: Promise<void> | undefined;
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('delete from webhook_endpoints where id = $1', [other.id]));
      making = handOne(position);
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    await expect(making).resolves.toBeUndefined();
  });
});

describe('a retry', () => {
  it('sends again what has failed, what was delivered, and what waits, and is in the log', async () => {
    const receiver = await receive();
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await send(id);
    const [delivered] = await deliveries(id);
    const again = await boss.post(`/api/webhook-deliveries/${delivered.id}/retry`);
    expect(again.status).toBe(202);
    expect(again.json).toMatchObject({ id: delivered.id, state: 'pending', attempts: 0, delivered_at: null });
    expect(again.json.next_attempt_at).toBe(clock.now().toISOString());
    expect((await logged(id)).at(-1)).toMatchObject({
      type: 'webhook.delivery_retried',
      actor_id: boss.userId,
      data: { delivery_id: delivered.id, event_id: delivered.event_id, event_type: type },
    });
    receiver.answer = () => 500;
    await send(id);
    expect((await deliveries(id))[0]).toMatchObject({ state: 'pending', attempts: 1 });
    await boss.post(`/api/webhook-deliveries/${delivered.id}/retry`);
    receiver.answer = () => 200;
    await send(id);
    expect(receiver.received.map((request) => request.id)).toEqual(Array(3).fill(delivered.event_id));

    await shop.db.run(
      sql(`update webhook_deliveries set state = 'failed', attempts = 12, give_up_at = $2 where id = $1`, [
        delivered.id,
        clock.now(),
      ]),
    );
    receiver.answer = () => 500;
    await boss.post(`/api/webhook-deliveries/${delivered.id}/retry`);
    await send(id);
    // It has another day.
    expect((await deliveries(id))[0]).toMatchObject({ state: 'pending', attempts: 1 });
  });
});

describe('deliveries', () => {
  it('are listed in pages, by state', async () => {
    const { id, type } = await endpoint('http://127.0.0.1:9/');
    await happen(type, 5);
    const [newest] = await deliveries(id);
    await shop.db.run(
      sql(`update webhook_deliveries set state = 'failed', next_attempt_at = null where id = $1`, [newest.id]),
    );
    const first = (await boss.get(`/api/webhooks/${id}/deliveries?page_size=3`)).json;
    expect(first).toMatchObject({ page: 1, page_size: 3, total: 5, total_pages: 2 });
    const rest = (await boss.get(`/api/webhooks/${id}/deliveries?page_size=3&cursor=${first.next_cursor}`)).json;
    expect([...first.items, ...rest.items]).toHaveLength(5);
    expect(await deliveries(id, '&state=failed')).toMatchObject([{ id: newest.id }]);
    expect(await deliveries(id, '&state=pending')).toHaveLength(4);
    expect((await boss.get(`/api/webhooks/${id}/deliveries?state=lost`)).status).toBe(400);
  });

  it('are forgotten after thirty days, unless they wait', async () => {
    const receiver = await receive();
    const { id, type } = await endpoint(receiver.url);
    await happen(type);
    await send(id);
    await happen(type);
    const tidy = shop.jobs.find(({ name }) => name === 'webhooks.tidy')!;
    await pass(30 * DAY);
    await tidy.run({} as never, {} as never);
    expect(await deliveries(id)).toHaveLength(2);
    clock.advance(1_000);
    await tidy.run({} as never, {} as never);
    expect((await deliveries(id)).map(({ state }: { state: string }) => state)).toEqual(['pending']);
  });

  it('that a crash left are found by the sweep', async () => {
    const [due, pausing, done] = [
      await endpoint('http://127.0.0.1:9/'),
      await endpoint('http://127.0.0.1:9/'),
      await endpoint('http://127.0.0.1:9/'),
    ];
    await happen(due.type);
    await happen(pausing.type);
    await shop.db.run(
      sql('update webhook_endpoints set retry_at = $2 where id = $1', [
        pausing.id,
        new Date(clock.now().getTime() + 1),
      ]),
    );
    const jobs = async () =>
      (
        await shop.db.many(
          sql<{ endpoint: string }>(
            `select payload ->> 'endpoint' as endpoint from graphile_worker._private_jobs j
             join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'webhooks.drain'`,
          ),
        )
      ).map((job) => job.endpoint);
    await eventually(async () => expect(await jobs()).toContain(pausing.id));
    await shop.db.run(sql('delete from graphile_worker._private_jobs'));
    await shop.jobs.find(({ name }) => name === 'webhooks.sweep')!.run({} as never, {} as never);
    await eventually(async () => expect(await jobs()).toContain(due.id));
    expect(await jobs()).not.toContain(pausing.id);
    expect(await jobs()).not.toContain(done.id);
  });
});
