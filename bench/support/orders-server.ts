import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createApp, createWeb } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { readSessionUser } from '../../src/modules/accounts/index.ts';
import { startTokenSession } from '../../src/modules/accounts/sessions.ts';

/**
 * The shop's web server: `orders-server.ts <url>`. Prints its address, then obeys lines of JSON: `{"logIn": [ids]}` answers the
 * access tokens of these users.
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
const kernel = await createKernel({ config, databaseUrl });
const app = createApp(kernel, SHOP_URL);
await kernel.events.start();
await app.start();
const web = await createWeb(kernel, app);
await web.listen({ host: '127.0.0.1', port: 0 });
console.log(`http://127.0.0.1:${(web.server.address() as AddressInfo).port}`);

const origin = { address: '127.0.0.1', userAgent: 'measurement' };
for await (const line of createInterface({ input: process.stdin })) {
  const { logIn } = JSON.parse(line) as { logIn: string[] };
  const tokens: string[] = [];
  for (const id of logIn) {
    const user = await readSessionUser(app.accounts, id);
    const pair = await kernel.db.transaction((tx) =>
      startTokenSession(app.accounts, app.accounts.tokens, tx, user, { origin, secondFactor: false }),
    );
    tokens.push(pair.access);
  }
  console.log(JSON.stringify(tokens));
}
await web.close();
await app.stop();
await kernel.close();
process.exit();
