import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/kernel/config.ts';
import { createKernel } from '../src/kernel/kernel.ts';
import { type Orders, placeOrder } from '../src/modules/orders/index.ts';
import { fillCarts, idOf, makeBuyers, makePastOrders, makeProducts } from './support/buyers.ts';
import type { Bench } from './support/database.ts';
import { median } from './support/load.ts';
import { asScript, type ProductOf, recordOrder } from './support/order-script.ts';
import { hasPgbench, pgbench } from './support/pgbench.ts';
import { report } from './support/report.ts';

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
  if (await hasPgbench()) await benchCheckouts(bench);
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
  each: 150,
};

const HOT: Buying = { what: 'checkouts of one thing that everybody buys', lines: 1, productOf: () => '0', each: 100 };

/**
 * Ours with the events' relay as a running shop has it, against pgbench running the statements that one of ours was seen
 * to run, each buyer ordering once; by turns, each in a database of its own.
 */
async function benchCheckouts(bench: Bench): Promise<void> {
  const ours = await bench.database('bench_orders');
  const bare = await bench.database('bench_orders_bare');
  for (const url of [ours, bare]) {
    await makeProducts(url, PRODUCTS);
    await makePastOrders(url, { from: 0, count: PAST_ORDERS, products: PRODUCTS });
  }
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
  rounds = 9,
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
