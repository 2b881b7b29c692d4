import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { cloneDatabase } from '../src/kernel/testing/index.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** A web process is killed with SIGKILL; whoever asked it sends the same again to another one. */

let database: Awaited<ReturnType<typeof cloneDatabase>>;
let shop: TestShop;
let staff: Caller;
beforeAll(async () => {
  database = await cloneDatabase();
  shop = await startTestShop({ databaseUrl: database.url });
  staff = await shop.as('staff');
});
afterAll(async () => {
  await shop.stop();
  await database.drop();
});

async function startWeb(dies: 'before' | 'after' | 'never'): Promise<{ url: string; child: ChildProcess }> {
  const script = fileURLToPath(new URL('support/idempotency-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dies], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      SECRET_KEY: 'a secret that only tests have, and all of them',
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${Number(String(line))}`, child };
}

const post = (url: string, path: string, body: object, { headers }: Pick<Caller, 'headers'>, key: string) =>
  fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });

async function newProduct(stock: number): Promise<string> {
  const { status, json } = await staff.post('/api/products', { name: 'A lamp', price: '10.00', stock });
  expect(status).toBe(201);
  return json.id;
}
const stockOf = async (id: string) => (await staff.get(`/api/products/${id}`)).json.stock as number;

/** A dead process has been silent for half a minute. */
const passLeases = () => shop.db.run(sql("update idempotency_keys set lease_until = now() - interval '1 second'"));

async function killedBy(url: string, child: ChildProcess, path: string, body: object, caller: Caller, key: string) {
  const exit = once(child, 'exit');
  await expect(post(url, path, body, caller, key)).rejects.toThrow('fetch failed');
  expect(await exit).toEqual([null, 'SIGKILL']);
}

it('what had not committed is done by the repetition', async () => {
  const product = await newProduct(10);
  const path = `/api/products/${product}/stock`;
  const { url, child } = await startWeb('before');
  await killedBy(url, child, path, { delta: -1, reason: 'Sold' }, staff, 'before');
  expect(await stockOf(product)).toBe(10);
  const early = await post(shop.url, path, { delta: -1, reason: 'Sold' }, staff, 'before');
  expect(await early.json()).toMatchObject({ code: 'idempotency_key_in_use' });
  await passLeases();
  const again = await post(shop.url, path, { delta: -1, reason: 'Sold' }, staff, 'before');
  expect([again.status, await again.json()]).toEqual([200, { stock: 9 }]);
  expect(await stockOf(product)).toBe(9);
});

it('what had committed is not done again, and that its answer is lost is told', async () => {
  const product = await newProduct(10);
  const path = `/api/products/${product}/stock`;
  const { url, child } = await startWeb('after');
  await killedBy(url, child, path, { delta: -1, reason: 'Sold' }, staff, 'after');
  await passLeases();
  for (const _ of [1, 2]) {
    const again = await post(shop.url, path, { delta: -1, reason: 'Sold' }, staff, 'after');
    expect([again.status, await again.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'idempotency_answer_lost' }),
    ]);
  }
  expect(await stockOf(product)).toBe(9);
});

it('an order that had committed is answered as it would have been', async () => {
  const product = await newProduct(10);
  const customer = await shop.as('customer');
  expect((await customer.post('/api/cart/items', { product_id: product, quantity: 3 })).status).toBe(201);
  const { url, child } = await startWeb('after');
  await killedBy(url, child, '/api/orders', {}, customer, 'order');
  const again = await post(shop.url, '/api/orders', {}, customer, 'order');
  const order = (await again.json()) as { id: string; number: string };
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  expect(again.headers.get('location')).toBe(`/api/orders/${order.id}`);
  const mine = (await customer.get('/api/orders')).json.items as { id: string; number: string }[];
  expect(mine.map(({ id, number }) => [id, number])).toEqual([[order.id, order.number]]);
  const found = await customer.get(`/api/orders/${order.id}`);
  expect(found.json).toEqual(order);
  expect(found.headers.get('etag')).toBe(again.headers.get('etag'));
  expect(await stockOf(product)).toBe(7);
});

it('killed at any moment under load, each thing that was asked for is done exactly once', async () => {
  const stock = 100_000;
  const product = await newProduct(stock);
  const path = `/api/products/${product}/stock`;
  const outcomes = { fresh: 0, replayed: 0, lost: 0 };
  const keys: string[] = [];
  const take = (url: string, key: string) => post(url, path, { delta: -1, reason: 'Sold' }, staff, key);
  for (let round = 0; round < 3; round++) {
    const { url, child } = await startWeb('never');
    const sent: string[] = [];
    let answered = 0;
    const clients = Array.from({ length: 8 }, async () => {
      for (;;) {
        const key = newId();
        sent.push(key);
        await (await take(url, key)).text();
        answered += 1;
      }
    });
    const down = Promise.allSettled(clients);
    while (answered < 16) await sleep(5);
    await sleep(Math.random() * 200);
    child.kill('SIGKILL');
    await down;
    await passLeases();
    for (const key of sent) {
      const again = await take(shop.url, key);
      const { code } = (await again.json()) as { code?: string };
      if (code !== undefined) expect(code).toBe('idempotency_answer_lost');
      outcomes[code ? 'lost' : again.headers.get('idempotent-replayed') ? 'replayed' : 'fresh'] += 1;
    }
    keys.push(...sent);
  }
  expect(outcomes.replayed).toBeGreaterThanOrEqual(48);
  expect(await stockOf(product)).toBe(stock - keys.length);
}, 90_000);
