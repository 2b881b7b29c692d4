import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp, createWeb } from '../../src/app.ts';
import { seedDemo } from '../../src/demo/seed.ts';
import type { Http } from '../../src/kernel/http/index.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { testKernel } from '../../src/kernel/testing/index.ts';
import type { ImportMode, ImportReport } from '../../src/modules/imports/index.ts';

/** A whole shop on a database and a socket of its own, for tests. */
export type TestShop = Kernel &
  App & {
    url: string;
    http: Http;
    importFeed(path: string, mode?: ImportMode): Promise<ImportReport>;
    importText(feed: string, mode?: ImportMode): Promise<ImportReport>;
    get(path: string, headers?: Record<string, string>): Promise<Answer>;
    stop(): Promise<void>;
  };

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
export type Answer = { status: number; headers: Headers; text: string; json: any };

export async function startTestShop(
  options: { demo?: boolean; env?: Record<string, string>; databaseUrl?: string } = {},
): Promise<TestShop> {
  const kernel = await testKernel({
    env: { PUBLIC_URL: 'https://shop.example', ...options.env },
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
  });
  const app = createApp(kernel);
  if (options.demo) await seedDemo(kernel, () => {});
  const http = await createWeb(kernel, app, kernel.config.PUBLIC_URL!);
  await http.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-shop-'));
  let files = 0;

  const importFeed = async (path: string, mode: ImportMode = 'create') => {
    const report = await app.imports.run({ path, mode, ownUrl: kernel.config.PUBLIC_URL });
    await kernel.events.flush();
    return report;
  };
  return {
    ...kernel,
    ...app,
    url,
    http,
    importFeed,
    importText(feed, mode) {
      const path = join(folder, `feed-${files++}.xml`);
      writeFileSync(path, feed);
      return importFeed(path, mode);
    },
    async get(path, headers = {}) {
      const response = await fetch(url + path, {
        headers: { 'accept-encoding': 'identity', ...headers },
        redirect: 'manual',
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    async stop() {
      await http.close();
      await kernel.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A small feed in Google's format: one object for each item, its keys the attributes without `g:`. */
export function feedOf(items: Record<string, string | string[]>[]): string {
  const xmlText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const body = items.map(
    (item) =>
      `<item>${Object.entries(item)
        .flatMap(([name, value]) => [value].flat().map((text) => `<g:${name}>${xmlText(text)}</g:${name}>`))
        .join('')}</item>`,
  );
  return `<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>t</title>\n${body.join('\n')}\n</channel></rss>`;
}
