import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp, createWeb } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { build, sql } from '../../src/kernel/db.ts';
import type { Events } from '../../src/kernel/events.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { startTokenSession } from '../../src/modules/accounts/sessions.ts';
import { changeProduct } from '../../src/modules/catalogue/change-product.ts';

/**
 * The shop with its live feed: `live-server.ts <url>`. Prints its address and an access token of its staff, then obeys
 * lines of JSON: `{"changes": n, "rate": r}` commits n events of changed prices, r a second, each by itself, with `"whole":
 * true` by changing the products, and answers when each was committed; `{"burst": n}` commits n of them one after another and
 * answers when it began. Times are nanoseconds of the machine's
 * monotonic clock, which its processes share.
 */
const [databaseUrl] = process.argv.slice(2) as [string];
const SHOP_URL = 'https://shop.example';

const config = readConfig({
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: 'error',
  PUBLIC_URL: SHOP_URL,
  SECRET_KEY: 'a secret that only this measurement has',
  RATE_LIMIT: 'off',
});
const bare = await createKernel({ config, databaseUrl });
const committed: Record<string, string> = {};
const events: Events = {
  ...bare.events,
  async append(tx, event) {
    await bare.events.append(tx, event);
    const price = event.changes?.price?.to;
    if (typeof price === 'string')
      tx.afterCommit(() => {
        committed[price] = String(process.hrtime.bigint());
      });
  },
};
const kernel = { ...bare, events };
const app = createApp(kernel, SHOP_URL);
await events.start();
await app.start();
const web = await createWeb(kernel, app);
await web.listen({ host: '127.0.0.1', port: 0 });

const user = { id: newId(), role: 'staff', token_epoch: 0, password_hash: 'none that can be right' } as const;
const now = kernel.clock.now();
await kernel.db.run(
  build.insertInto('users').values({
    id: user.id,
    email: `${user.id}@example.com`,
    username: `staff-${user.id.slice(-8)}`,
    password_hash: user.password_hash,
    role: user.role,
    created_at: now,
    updated_at: now,
  }),
);
const { access } = await kernel.db.transaction((tx) =>
  startTokenSession(app.accounts, app.accounts.tokens, tx, user, {
    origin: { address: '127.0.0.1', userAgent: 'measurement' },
    secondFactor: false,
  }),
);
console.log(`http://127.0.0.1:${(web.server.address() as AddressInfo).port} ${access}`);

const products = (await kernel.db.many(sql<{ id: string }>('select id from products order by id limit 2000'))).map(
  ({ id }) => id,
);
let price = 100_000;

const told = (id: string, to: number) => ({
  type: 'product.updated',
  subject: { type: 'product', id },
  actorId: user.id,
  changes: { price: { from: '19.99', to: `${to / 100}` } },
  data: { sku: 'SKU-0000001', slug: 'a-thing-of-some-kind', name: 'A thing of some kind' },
});

const commit = (id: string, to: number) => kernel.db.transaction((tx) => events.append(tx, told(id, to)));

const edit = (id: string, to: number) =>
  changeProduct(kernel, { userId: user.id, role: user.role }, id, {
    version: null,
    fields: { price: to },
    replace: false,
    stock: null,
  });

/** At a fixed rate, whether or not those before are done. */
async function change(count: number, rate: number, by: typeof edit | typeof commit): Promise<void> {
  const began = performance.now();
  const running: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const wait = began + (i * 1000) / rate - performance.now();
    if (wait > 1) await sleep(wait);
    price += 1;
    running.push(by(products[price % products.length]!, price));
  }
  await Promise.all(running);
}

async function burst(count: number): Promise<string> {
  const at = String(process.hrtime.bigint());
  for (let i = 0; i < count; i++) await commit(products[i % products.length]!, price);
  return at;
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as { changes?: number; rate?: number; whole?: boolean; burst?: number };
  if (order.changes !== undefined) {
    for (const key of Object.keys(committed)) delete committed[key];
    await change(order.changes, order.rate!, order.whole ? edit : commit);
    console.log(JSON.stringify(committed));
  } else console.log(JSON.stringify({ at: await burst(order.burst!) }));
}
await web.close();
await app.stop();
await kernel.close();
process.exit();
