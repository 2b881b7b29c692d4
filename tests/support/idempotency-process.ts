import type { AddressInfo } from 'node:net';
import { createApp, createWeb } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { createLogger } from '../../src/kernel/log.ts';

/**
 * A web process of a shop, to be killed. Its environment is a shop's, its argument where it kills itself: `before` the commit
 * of what is asked, `after` it and before the answer, or `never`.
 */

const config = readConfig(process.env);
const kernel = await createKernel({ config, databaseUrl: config.DATABASE_URL!, log: createLogger(config.LOG_LEVEL) });
const die = () => process.kill(process.pid, 'SIGKILL');
const moment = process.argv[2];
const events = {
  ...kernel.events,
  async append(...given: Parameters<typeof kernel.events.append>) {
    await kernel.events.append(...given);
    if (moment === 'before') die();
  },
  async flush() {
    if (moment === 'after') die();
    await kernel.events.flush();
  },
};
await kernel.events.start();
const app = createApp({ ...kernel, events }, 'https://shop.example');
await app.start();
const http = await createWeb({ ...kernel, events }, app);
await http.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${(http.server.address() as AddressInfo).port}\n`);
