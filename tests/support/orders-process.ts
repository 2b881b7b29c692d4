import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import type { AddressInfo } from 'node:net';
import { readConfig } from '../../src/kernel/config.ts';
import { createHttp } from '../../src/kernel/http/index.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { createAccounts } from '../../src/modules/accounts/index.ts';
import { registerCartRoutes } from '../../src/modules/orders/cart-routes.ts';
import { createOrders } from '../../src/modules/orders/index.ts';
import { registerOrderRoutes } from '../../src/modules/orders/order-routes.ts';

/**
 * The part of a shop that takes orders, as a process that is started often and killed: carts, orders, who asks, and the
 * keys under which they ask. Its environment is a shop's. It waits to be told to begin, so that a next one can stand
 * ready while this one is at work; then it says at which port it listens.
 */

const config = readConfig(process.env);
const publicUrl = 'http://shop.example';
// It would be written at the end, which never comes.
flushCompileCache();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const kernel = await createKernel({
  config,
  databaseUrl: config.DATABASE_URL!,
  log: createLogger(config.LOG_LEVEL),
  applicationName: 'orders-process',
});
await kernel.events.start();
const orders = createOrders(kernel, { publicUrl });
const accounts = createAccounts(kernel, {
  publicUrl,
  sendMail: async () => {},
  loggedIn: orders.adoptCart,
  loggedOut: () => {},
  forget: async () => {},
});
await accounts.start();
const http = await createHttp({
  config,
  cache: kernel.cache,
  log: kernel.log,
  errorPage: () => '',
  keys: {
    claim: kernel.idempotency.claim,
    callerOf: ({ identity }) => identity && `user:${identity.userId}`,
    takesKey: () => true,
  },
});
accounts.guard(http);
registerCartRoutes(http, orders);
registerOrderRoutes(http, orders);
await http.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${(http.server.address() as AddressInfo).port}\n`);
