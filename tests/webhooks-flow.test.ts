import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Webhook as Standard } from 'standardwebhooks';
import { expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../src/kernel/clock.ts';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { defineJob, enqueue, startJobs } from '../src/kernel/jobs.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { drainEndpoint } from '../src/modules/notifications/webhooks/drain.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** Webhooks from the event to the receiver, by real workers and the real clock, while some receivers hang. */

async function start(clock?: Clock): Promise<{ shop: TestShop; boss: Caller }> {
  const shop = await startTestShop({
    env: { ALLOW_PRIVATE_ADDRESSES: 'true' },
    ...(clock ? { clock } : {}),
  });
  onTestFinished(() => shop.stop());
  return { shop, boss: await shop.as('superuser') };
}

async function receive(answer: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  onTestFinished(() => receiver.stop());
  return receiver;
}

async function endpoint(boss: Caller, url: string, types = ['test.*']): Promise<{ id: string; secret: string }> {
  const answer = await boss.post('/api/webhooks', { url, types });
  expect(answer.status).toBe(201);
  return answer.json;
}

async function happen(shop: TestShop, times: number): Promise<void> {
  for (let n = 0; n < times; n++)
    await shop.db.transaction((tx) =>
      shop.events.append(tx, { type: 'test.happened', subject: { type: 'test', id: newId() }, data: { n } }),
    );
}

it('endpoints that hang hold up neither another endpoint, not even at the same host, nor other jobs', async () => {
  const { shop, boss } = await start();
  const ping = { count: 0 };
  const other = defineJob<object>({
    name: 'test.ping',
    async run() {
      ping.count += 1;
    },
  });
  const receiver = await receive((request) => (request.path.startsWith('/hang') ? undefined : 200));
  const { origin } = new URL(receiver.url);
  const hanging = await Promise.all([1, 2, 3].map((n) => endpoint(boss, `${origin}/hang/${n}`)));
  const { id, secret } = await endpoint(boss, `${origin}/good`);
  const jobs = await startJobs({
    url: shop.directUrl,
    jobs: [...shop.jobs, other],
    concurrency: 2,
    log: shop.log,
  });
  onTestFinished(() => jobs.stop());
  await happen(shop, 20);
  await eventually(() => {
    const hung = receiver.received.filter(({ path }) => path.startsWith('/hang'));
    expect(new Set(hung.map(({ path }) => path)).size).toBe(3);
  }, 10_000);
  const began = performance.now();
  await happen(shop, 20);
  await enqueue(shop.db, other, [{}]);
  const good = () => receiver.received.filter(({ path }) => path === '/good');
  await eventually(() => {
    expect(new Set(good().map((request) => request.id)).size).toBe(40);
    expect(ping.count).toBe(1);
  }, 10_000);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(good()).toHaveLength(40);
  for (const { body, headers } of good()) new Standard(secret).verify(body, headers);
  const health = async (webhook: string) => (await boss.get(`/api/webhooks/${webhook}`)).json;
  await eventually(async () => expect(await health(id)).toMatchObject({ failures: 0, pending_deliveries: 0 }));
  for (const one of hanging) expect(await health(one.id)).toMatchObject({ active: true, pending_deliveries: 40 });
}, 60_000);

it('a worker killed between the request and its record sends it again, under the same id', async () => {
  let later = 0;
  const clock = { now: () => new Date(Date.now() + later) };
  const { shop, boss } = await start(clock);
  const receiver = await receive(async () => {
    const killed = once(child, 'exit');
    child.kill('SIGKILL');
    await killed;
    return 200;
  });
  const { id, secret } = await endpoint(boss, receiver.url);
  await happen(shop, 1);
  await shop.events.flush();
  const deliver = shop.events.jobs.find(({ name }) => name === 'events.deliver')!;
  const { position } = await shop.db.one(
    sql<{ position: number }>(`select position from events where type = 'test.happened'`),
  );
  await deliver.run({ position, subscriber: 'webhooks' } as never, {} as never);
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('support/webhook-process.ts', import.meta.url)), id],
    {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: shop.directUrl,
        SECRET_KEY: 'a secret that only tests have, and all of them',
        LOG_LEVEL: 'silent',
        ALLOW_PRIVATE_ADDRESSES: 'true',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  expect(receiver.received).toHaveLength(1);
  receiver.answer = () => 200;
  const send = () => drainEndpoint(shop.webhooks, id, { signal: new AbortController().signal });
  // The dead one's turn has not run out.
  await send();
  expect(receiver.received).toHaveLength(1);
  later = 61_000;
  await send();
  expect(receiver.received).toHaveLength(2);
  const [first, second] = receiver.received;
  expect(second!.id).toBe(first!.id);
  expect(second!.body).toBe(first!.body);
  expect(second!.timestamp).toBeGreaterThan(first!.timestamp);
  new Standard(secret).verify(second!.body, second!.headers);
  const [delivery] = (await boss.get(`/api/webhooks/${id}/deliveries`)).json.items;
  expect(delivery).toMatchObject({ state: 'delivered', attempts: 1 });
}, 60_000);

it('what failed comes again by itself', async () => {
  const { shop, boss } = await start();
  let refused = 0;
  const receiver = await receive(() => (refused++ === 0 ? 500 : 200));
  const { id } = await endpoint(boss, receiver.url);
  const jobs = await startJobs({ url: shop.directUrl, jobs: shop.jobs, concurrency: 2, log: shop.log });
  onTestFinished(() => jobs.stop());
  await happen(shop, 1);
  await eventually(() => expect(receiver.received).toHaveLength(2), 20_000);
  expect(receiver.received[1]!.id).toBe(receiver.received[0]!.id);
  expect(receiver.received[1]!.timestamp - receiver.received[0]!.timestamp).toBeGreaterThanOrEqual(4);
  await eventually(async () =>
    expect((await boss.get(`/api/webhooks/${id}/deliveries`)).json.items).toMatchObject([
      { state: 'delivered', attempts: 2 },
    ]),
  );
}, 60_000);
