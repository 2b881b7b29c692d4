import { type App, createApp } from './app.ts';
import type { Config } from './kernel/config.ts';
import { type Database, sql } from './kernel/db.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './kernel/embedded-postgres.ts';
import { createKernel, type Kernel } from './kernel/kernel.ts';
import { createLogger } from './kernel/log.ts';
import { migrate } from './kernel/migrate.ts';

/** A shop that is open for work: its database up and migrated, its modules built. Every command begins with one. */
export type Shop = Kernel &
  App & {
    /** How the world calls this shop, without a slash at the end. */
    readonly publicUrl: string;
    close(): Promise<void>;
  };

/** Something in the shop's surroundings is not as it must be; the message is a sentence for whoever started it. */
export class ShopError extends Error {
  override name = 'ShopError';
}

export async function openShop(
  config: Config,
  options: { say: (sentence: string) => void; applicationName?: string },
): Promise<Shop> {
  let postgres: EmbeddedPostgres | undefined;
  let kernel: Kernel | undefined;
  try {
    if (config.embedded) postgres = await startEmbeddedPostgres({ dataDir: config.DATA_DIR, log: options.say });
    const databaseUrl = config.DATABASE_URL ?? postgres!.url;
    const log = createLogger(config.LOG_LEVEL);
    await migrate(config.DATABASE_DIRECT_URL ?? databaseUrl, log);
    kernel = await createKernel({
      config,
      databaseUrl,
      log,
      ...(options.applicationName ? { applicationName: options.applicationName } : {}),
    });
    await keepCurrency(kernel.db, config.CURRENCY);
    const app = createApp(kernel);
    await kernel.events.start();
    const opened = kernel;
    return {
      ...kernel,
      ...app,
      publicUrl: config.PUBLIC_URL ?? derivedUrl(config.HOST, config.PORT),
      async close() {
        await opened.close();
        await postgres?.stop();
      },
    };
  } catch (error) {
    await kernel?.close();
    await postgres?.stop();
    throw error;
  }
}

/** The address to call a server by that listens on `host`. */
export function derivedUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Stored prices are in minor units of one currency; under another they would be other prices. */
async function keepCurrency(db: Database, currency: string): Promise<void> {
  const stored = await db.maybe(sql<{ value: string }>("select value from shop_settings where name = 'currency'"));
  if (stored?.value === currency) return;
  if (stored && (await db.maybe(sql('select from products limit 1'))))
    throw new ShopError(
      `The prices in this database are in ${stored.value}, but CURRENCY is ${currency}. Set CURRENCY=${stored.value}, or use another database.`,
    );
  await db.run(
    sql(
      "insert into shop_settings (name, value) values ('currency', $1) on conflict (name) do update set value = excluded.value",
      [currency],
    ),
  );
}
