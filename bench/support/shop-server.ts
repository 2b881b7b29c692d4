import type { AddressInfo } from 'node:net';
import { createApp, createWeb } from '../../src/app.ts';
import { type Cache, createMemoryCache, etagOf } from '../../src/kernel/cache.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';

/** The shop's web server over a database: `shop-server.ts <url> cached|uncached`. */
const [databaseUrl, mode] = process.argv.slice(2) as [string, string];

/** Every answer made anew: what a cache that always misses would cost. */
const uncached: Cache = {
  get: () => undefined,
  async fetch(_key, fill) {
    const filled = await fill();
    const body = Buffer.from(filled.body);
    return {
      body,
      contentType: filled.contentType,
      etag: etagOf(body, filled.version),
      status: 200,
      headers: filled.headers ?? {},
      expires: 0,
      fresh: false,
    };
  },
  invalidate() {},
};

const config = readConfig({
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: 'error',
  PUBLIC_URL: 'https://shop.example',
  SECRET_KEY: 'a secret that only this measurement has',
  RATE_LIMIT: 'off',
});
const kernel = await createKernel({ config, databaseUrl, cache: mode === 'uncached' ? uncached : createMemoryCache() });
const app = createApp(kernel, 'https://shop.example');
await kernel.events.start();
await app.start();
const web = await createWeb(kernel, app);
await web.listen({ host: '127.0.0.1', port: 0 });
console.log(`http://127.0.0.1:${(web.server.address() as AddressInfo).port}`);
process.on('SIGTERM', async () => {
  await web.close();
  await app.stop();
  await kernel.close();
  process.exit();
});
