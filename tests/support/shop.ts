import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp, createWeb } from '../../src/app.ts';
import { seedDemo } from '../../src/demo/seed.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { build } from '../../src/kernel/db.ts';
import type { Http } from '../../src/kernel/http/index.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Logger } from '../../src/kernel/log.ts';
import { testKernel } from '../../src/kernel/testing/index.ts';
import type { Role } from '../../src/modules/accounts/index.ts';
import { startTokenSession } from '../../src/modules/accounts/sessions.ts';
import type { ImportMode, ImportReport } from '../../src/modules/imports/index.ts';

/** A whole shop on a database and a socket of its own, for tests. */
export type TestShop = Kernel &
  App & {
    url: string;
    http: Http;
    importFeed(path: string, mode?: ImportMode): Promise<ImportReport>;
    importText(feed: string, mode?: ImportMode): Promise<ImportReport>;
    get(path: string, headers?: Record<string, string>): Promise<Answer>;
    /** A request with any method; an object is sent as JSON, FormData and text as they are. */
    send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
    /** Somebody with this role, logged in as a program is. */
    as(role: Role): Promise<Caller>;
    stop(): Promise<void>;
  };

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers that they have just asked for
export type Answer = { status: number; headers: Headers; text: string; json: any };

/** Sends requests in somebody's name. */
export type Caller = {
  userId: string;
  username: string;
  sessionId: string;
  headers: Record<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
};

export async function startTestShop(
  options: { demo?: boolean; env?: Record<string, string>; databaseUrl?: string; clock?: Clock; log?: Logger } = {},
): Promise<TestShop> {
  const kernel = await testKernel({
    env: { PUBLIC_URL: 'https://shop.example', ...options.env },
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.log ? { log: options.log } : {}),
  });
  const app = createApp(kernel, kernel.config.PUBLIC_URL!);
  await app.start();
  if (options.demo) await seedDemo(kernel, () => {});
  const http = await createWeb(kernel, app);
  await http.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-shop-'));
  let files = 0;

  const importFeed = async (path: string, mode: ImportMode = 'create') => {
    const report = await app.imports.run({ path, mode, ownUrl: kernel.config.PUBLIC_URL });
    await kernel.events.flush();
    return report;
  };
  const send: TestShop['send'] = async (method, path, body, headers = {}) => {
    const isJson =
      typeof body === 'object' && body !== null && !(body instanceof FormData) && !ArrayBuffer.isView(body);
    const response = await fetch(url + path, {
      method,
      headers: {
        'accept-encoding': 'identity',
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: isJson ? JSON.stringify(body) : (body as string | FormData | Uint8Array<ArrayBuffer>) }),
      redirect: 'manual',
    });
    const text = await response.text();
    const answersJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: answersJson ? JSON.parse(text) : undefined,
    };
  };

  const as: TestShop['as'] = async (role) => {
    const userId = newId();
    const username = `${role}-${userId.slice(-8)}`;
    const now = kernel.clock.now();
    await kernel.db.run(
      build.insertInto('users').values({
        id: userId,
        email: `${username}@example.com`,
        username,
        password_hash: 'none that can be right',
        role,
        created_at: now,
        updated_at: now,
      }),
    );
    const pair = await kernel.db.transaction((tx) =>
      startTokenSession(
        app.accounts,
        app.accounts.tokens,
        tx,
        { id: userId, role, token_epoch: 0, password_hash: 'none that can be right' },
        { origin: { address: '127.0.0.1', userAgent: 'test' }, secondFactor: false },
      ),
    );
    const authorization = `Bearer ${pair.access}`;
    const { sessionId } = app.accounts.tokens.identify(pair.access);
    const by =
      (method: string) =>
      (path: string, body?: unknown, headers: Record<string, string> = {}) =>
        send(method, path, body, { authorization, ...headers });
    return {
      userId,
      username,
      sessionId: sessionId!,
      headers: { authorization },
      get: (path, headers = {}) => send('GET', path, undefined, { authorization, ...headers }),
      post: by('POST'),
      put: by('PUT'),
      patch: by('PATCH'),
      delete: by('DELETE'),
    };
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
    get: (path, headers) => send('GET', path, undefined, headers),
    send,
    as,
    async stop() {
      await http.close();
      await app.stop();
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
