import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Clock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { createKernel, type Kernel, type KernelOptions } from '../kernel.ts';
import { createLogger } from '../log.ts';
import { TEMPLATE } from './global-setup.ts';

/** A migrated, empty database of one's own, dropped by `drop`. */
export async function cloneDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await admin(`create database ${name} template ${TEMPLATE}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => admin(`drop database if exists ${name} with (force)`) };
}

export function testConfig(env: Record<string, string> = {}): Config {
  return readConfig({
    LOG_LEVEL: 'silent',
    DATABASE_URL: 'postgresql://unused',
    SECRET_KEY: 'a secret that only tests have, and all of them',
    RATE_LIMIT: 'off',
    DATA_DIR: '/nonexistent',
    ...env,
  });
}

/** A kernel over a database of its own, closed and dropped when the test (or suite, if `keep`) is finished. */
export async function testKernel(
  options: Partial<KernelOptions> & { env?: Record<string, string>; databaseUrl?: string } = {},
): Promise<Kernel> {
  const database = options.databaseUrl ? { url: options.databaseUrl, drop: async () => {} } : await cloneDatabase();
  const kernel = await createKernel({
    config: testConfig({
      ...(options.env?.DATABASE_POOL_MODE === 'transaction' ? { DATABASE_DIRECT_URL: database.url } : {}),
      ...options.env,
    }),
    log: createLogger('silent'),
    ...options,
    databaseUrl: database.url,
  });
  await kernel.events.start();
  const close = async () => {
    await kernel.close();
    await database.drop();
  };
  return { ...kernel, close };
}

/** The same, for one test: closed when it ends. */
export async function testKernelHere(options: Parameters<typeof testKernel>[0] = {}): Promise<Kernel> {
  const kernel = await testKernel(options);
  onTestFinished(() => kernel.close());
  return kernel;
}

/** A clock that stands still until it is moved. */
export function fakeClock(
  at = '2026-01-15T12:00:00.000Z',
): Clock & { set(time: string): void; advance(ms: number): void } {
  let now = new Date(at);
  return {
    now: () => new Date(now),
    set(time) {
      now = new Date(time);
    },
    advance(ms) {
      now = new Date(now.getTime() + ms);
    },
  };
}

/** Tries until the check passes; fails with its last error after the time given. */
export async function eventually(check: () => void | Promise<void>, ms = 5_000): Promise<void> {
  const until = Date.now() + ms;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(20);
    }
  }
}
