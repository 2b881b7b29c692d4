import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Agent, request } from 'undici';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/kernel/config.ts';
import { newId } from '../src/kernel/ids.ts';
import { createKernel } from '../src/kernel/kernel.ts';
import { type Orders, placeOrder } from '../src/modules/orders/index.ts';
import { type Imported, importInto } from './import.ts';
import { fillCarts, idOf, makeBuyers, makePastOrders, makeProducts } from './support/buyers.ts';
import type { Bench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { median } from './support/load.ts';
import { asScript, type ProductOf, recordOrder } from './support/order-script.ts';
import { hasPgbench, pgbench } from './support/pgbench.ts';
import { runScript, startObedient } from './support/processes.ts';
import { report } from './support/report.ts';
import { atSteadyRate, latenciesOf } from './support/steady.ts';

/** Checkout: how many a second beside pgbench, over HTTP, and how long one takes while an import merges. */

const SHOP_URL = 'https://shop.example';

const configOf = (databaseUrl: string) =>
  readConfig({
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'error',
    SECRET_KEY: 'a secret that only this measurement has',
    DATABASE_POOL_SIZE: '20',
  });

export async function benchOrders(bench: Bench): Promise<void> {
  const url = await shopThatSells(bench, 'bench_orders');
  if (await hasPgbench()) await benchCheckouts(bench, url);
  await benchOverHttp(url);
  await benchDuringImport(bench);
}

const PRODUCTS = 10_000;
const PAST_ORDERS = 20_000;
const CALLERS = 16;

type Buying = {
  what: string;
  lines: number;
  productOf: ProductOf;
  /** Orders of each caller in a round. */
  each: number;
};

const MANY: Buying = {
  what: `checkouts of a three-line cart over ${PRODUCTS.toLocaleString('en')} products`,
  lines: 3,
  productOf: (n, j) => `(((${n}) * 3 + ${j}) * 7919 % ${PRODUCTS})`,
  each: 300,
};

const HOT: Buying = { what: 'checkouts of one thing that everybody buys', lines: 1, productOf: () => '0', each: 200 };

/** A database with products that never run out, and orders of before. Its next buyer has the number PAST_ORDERS. */
async function shopThatSells(bench: Bench, name: string): Promise<string> {
  const url = await bench.database(name);
  await makeProducts(url, PRODUCTS);
  await makePastOrders(url, { from: 0, count: PAST_ORDERS, products: PRODUCTS });
  return url;
}

/**
 * Ours with the events' relay as a running shop has it, against pgbench running the statements that one of ours was seen
 * to run, each buyer ordering once; by turns, each in a database of its own.
 */
async function benchCheckouts(bench: Bench, ours: string): Promise<void> {
  const bare = await shopThatSells(bench, 'bench_orders_bare');
  const kernel = await createKernel({ config: configOf(ours), databaseUrl: ours });
  const { orders } = createApp(kernel, SHOP_URL);
  await kernel.events.start();
  let from = PAST_ORDERS;
  for (const buying of [MANY, HOT]) from = await compareCheckouts({ bench, ours, bare, orders, from }, buying);
  await kernel.close();
}

async function compareCheckouts(
  { bench, ours, bare, orders, from }: { bench: Bench; ours: string; bare: string; orders: Orders; from: number },
  { what, lines, productOf, each }: Buying,
  rounds = 5,
): Promise<number> {
  const prepare = async (url: string, range: { from: number; count: number }) => {
    await makeBuyers(url, range);
    await fillCarts(url, { ...range, lines, productOf: productOf('n', 'j') });
  };
  await prepare(ours, { from, count: 1 });
  const text = asScript(await recordOrder(orders, idOf('buyer', from)), { lines, productOf });
  const count = CALLERS * each;
  const all = { from: from + 1, count: count * (rounds + 1) };
  for (const url of [ours, bare]) await prepare(url, all);
  const seen = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const first = all.from + round * count;
    const limit = await pgbench(
      bare,
      { path: join(bench.folder, 'orders.pgbench'), text },
      {
        clients: CALLERS,
        each,
        variables: { from: first, callers: CALLERS, done: 0 },
      },
    );
    await bench.query(bare, 'truncate outbox');
    const one = await checkouts(orders, { from: first, count });
    // The first round warms both up.
    if (round === 0) continue;
    seen.ours.push(one);
    seen.bare.push(limit);
  }
  const [one, limit] = [median(seen.ours), median(seen.bare)];
  console.log(`  ours ${seen.ours.map(Math.round).join(', ')}; pgbench ${seen.bare.map(Math.round).join(', ')}`);
  report({
    what: `${what}, ${CALLERS} callers`,
    measured: `${Math.round(one)}/s`,
    limit: `pgbench running the same statements ${Math.round(limit)}/s`,
    ratio: one / limit,
    target: '≥ 0.7',
    met: one >= 0.7 * limit,
  });
  return all.from + all.count;
}

/** Each caller takes every sixteenth buyer, as pgbench's script does. */
async function checkouts(orders: Orders, { from, count }: { from: number; count: number }): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let n = caller; n < count; n += CALLERS) await placeOrder(orders, idOf('buyer', from + n), {});
    }),
  );
  return (count * 1_000) / (performance.now() - began);
}

const BUYERS = 32;
const USERS_OF_EACH = 8;
const BUYING_MS = 4_000;
/** Beyond all who bought before. */
const FIRST_OVER_HTTP = 500_000;

/** What a shop's web server takes from buyers who put one thing into their cart and order it, with and without a key. */
async function benchOverHttp(url: string, rounds = 3): Promise<void> {
  const users = { from: FIRST_OVER_HTTP, count: BUYERS * USERS_OF_EACH };
  await makeBuyers(url, users);
  const server = await startObedient('support/orders-server.ts', [url]);
  const ids = Array.from({ length: users.count }, (_, n) => idOf('buyer', users.from + n));
  const tokens = await server.ask<string[]>({ logIn: ids });
  const agent = new Agent({ connections: BUYERS });
  const post = async (path: string, token: string, body: object, headers: Record<string, string> = {}) => {
    const answer = await request(server.first + path, {
      dispatcher: agent,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 201) throw new Error(`${answer.statusCode} from ${path}: ${text}`);
  };
  let bought = 0;
  const buying = async (withKey: boolean) => {
    const taken: number[] = [];
    const began = performance.now();
    const buyers = Array.from({ length: BUYERS }, async (_, buyer) => {
      for (let turn = 0; performance.now() < began + BUYING_MS; turn++) {
        const token = tokens[buyer * USERS_OF_EACH + (turn % USERS_OF_EACH)]!;
        bought += 1;
        const product_id = idOf('product', (bought * 7919) % PRODUCTS);
        await post('/api/cart/items', token, { product_id, quantity: 1 });
        const asked = performance.now();
        await post('/api/orders', token, {}, withKey ? { 'idempotency-key': newId() } : {});
        taken.push(performance.now() - asked);
      }
    });
    await Promise.all(buyers);
    return { perSecond: (taken.length * 1_000) / (performance.now() - began), p99: latenciesOf(taken).p99 };
  };
  await buying(true);
  const seen: Record<'keyed' | 'plain', Awaited<ReturnType<typeof buying>>[]> = { keyed: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    seen.plain.push(await buying(false));
    seen.keyed.push(await buying(true));
  }
  await agent.close();
  await server.stop();
  const of = (rows: typeof seen.keyed) => ({
    perSecond: median(rows.map((row) => row.perSecond)),
    p99: median(rows.map((row) => row.p99)),
  });
  const [keyed, plain] = [of(seen.keyed), of(seen.plain)];
  const spell = ({ perSecond, p99 }: typeof keyed) => `${Math.round(perSecond)}/s, p99 ${p99.toFixed(0)} ms`;
  report({
    what: `orders over HTTP, ${BUYERS} buyers, each after putting something into the cart, under an idempotency key`,
    measured: spell(keyed),
    limit: `without a key ${spell(plain)}`,
    ratio: keyed.perSecond / plain.perSecond,
    target: 'none',
    met: true,
  });
}

const ITEMS = 100_000;
const CHECKOUTS_PER_SECOND = 20;
const QUIET = 600;

/** Checkouts of imported products at a fixed rate, on their own and while a feed changes the price and stock of all products. */
async function benchDuringImport(bench: Bench): Promise<void> {
  const url = await bench.database('bench_orders_import');
  const feed = await feedFile(bench.folder, ITEMS, 4);
  await importInto(url, feed);
  await makePastOrders(url, { from: 0, count: PAST_ORDERS, products: ITEMS / 2 });
  const most = QUIET + 300 * CHECKOUTS_PER_SECOND;
  await makeBuyers(url, { from: PAST_ORDERS, count: most });
  await fillCarts(url, { from: PAST_ORDERS, count: most, lines: 3, productOf: `((n * 3 + j) * 7919 % ${ITEMS / 2})` });
  const changed = await dearerFeed(feed);
  await bench.query(url, 'vacuum analyze');

  const kernel = await createKernel({ config: configOf(url), databaseUrl: url });
  const { orders } = createApp(kernel, SHOP_URL);
  await kernel.events.start();
  let next = PAST_ORDERS;
  const buy = () => placeOrder(orders, idOf('buyer', next++), {});
  await atSteadyRate(CHECKOUTS_PER_SECOND, { count: 100 }, buy);
  const quiet = await atSteadyRate(CHECKOUTS_PER_SECOND, { count: QUIET - 100 }, buy);
  let isOver = false;
  const importing = runScript<Imported>('support/import-once.ts', [url, changed, 'upsert']).finally(() => {
    isOver = true;
  });
  const busy = await atSteadyRate(CHECKOUTS_PER_SECOND, { count: most - QUIET, isOver: () => isOver }, buy);
  const { status, seconds, phases } = await importing;
  await kernel.close();
  if (status !== 'completed') throw new Error(`The import ended as ${status}.`);
  const spell = ({ count, p50, p99, max }: typeof busy) =>
    `${count}: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(0)} ms`;
  console.log(`  quiet ${spell(quiet)}; in ${seconds.toFixed(0)} s of import ${JSON.stringify(phases)} ${spell(busy)}`);
  report({
    what: `checkouts while a feed changes all of ${ITEMS.toLocaleString('en')} products, ${CHECKOUTS_PER_SECOND}/s, p99`,
    measured: `${busy.p99.toFixed(1)} ms`,
    limit: `quiet ${quiet.p99.toFixed(1)} ms`,
    ratio: busy.p99 / quiet.p99,
    target: '≤ 3',
    met: busy.p99 <= 3 * quiet.p99,
  });
}

/** The same feed with other prices and quantities. */
async function dearerFeed(path: string): Promise<string> {
  const dearer = path.replace('.xml', '-dearer.xml');
  const lines = async function* (source: AsyncIterable<string>) {
    for await (const line of source)
      yield `${line
        .replace(/^<g:price>(\d+)\./, (_, whole) => `<g:price>${Number(whole) + 1}.`)
        .replace(/^<g:quantity>(\d+)/, (_, count) => `<g:quantity>${Number(count) + 5}`)}\n`;
  };
  await pipeline(createInterface({ input: createReadStream(path) }), lines, createWriteStream(dearer));
  return dearer;
}
