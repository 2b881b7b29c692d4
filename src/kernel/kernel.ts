import { type Blobs, createBlobs } from './blobs.ts';
import { type Bus, createPostgresBus } from './bus.ts';
import { type Cache, createMemoryCache } from './cache.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './db.ts';
import { createEvents, type Events } from './events.ts';
import { createIdempotency, type Idempotency } from './idempotency.ts';
import { createLogger, type Logger } from './log.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { createSecrets, type Secrets } from './secrets.ts';

/** What every module is handed: the shop's stores and services, built once by the composition root. */
export type Kernel = {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly db: Database;
  readonly bus: Bus;
  readonly cache: Cache;
  readonly events: Events;
  readonly secrets: Secrets;
  readonly idempotency: Idempotency;
  readonly blobs: Blobs;
  readonly outbound: Outbound;
  /** The database without a pooler in between. */
  readonly directUrl: string;
  close(): Promise<void>;
};

export type KernelOptions = {
  config: Config;
  databaseUrl: string;
  log?: Logger;
  clock?: Clock;
  cache?: Cache;
  applicationName?: string;
};

export async function createKernel(options: KernelOptions): Promise<Kernel> {
  const { config, databaseUrl } = options;
  const log = options.log ?? createLogger(config.LOG_LEVEL);
  const clock = options.clock ?? systemClock;
  const directUrl = config.DATABASE_DIRECT_URL ?? databaseUrl;
  const db = openDatabase({
    url: databaseUrl,
    poolSize: config.DATABASE_POOL_SIZE,
    namedStatements: config.DATABASE_POOL_MODE === 'session',
    log,
    ...(options.applicationName ? { applicationName: options.applicationName } : {}),
  });
  const bus = await createPostgresBus({ url: directUrl, db, log });
  const events = createEvents({
    db,
    bus,
    clock,
    log,
    retentionDays: config.EVENT_RETENTION_DAYS,
  });
  const cache = options.cache ?? createMemoryCache();
  const secrets = createSecrets(config);
  const outbound = createOutbound({ allowPrivate: config.ALLOW_PRIVATE_ADDRESSES });
  return {
    config,
    log,
    clock,
    db,
    bus,
    cache,
    events,
    secrets,
    idempotency: createIdempotency({ db, clock, secrets }),
    blobs: createBlobs(config),
    outbound,
    directUrl,
    async close() {
      await events.stop();
      await outbound.close();
      await bus.close();
      await db.close();
    },
  };
}
