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
  let app: App | undefined;
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
    app = createApp(kernel, config.PUBLIC_URL ?? derivedUrl(config.HOST, config.PORT));
    await kernel.events.start();
    await app.start();
    const close = async () => {
      await app?.stop();
      await kernel?.close();
      await postgres?.stop();
    };
    return { ...kernel, ...app, close };
  } catch (error) {
    await app?.stop();
    await kernel?.close();
    await postgres?.stop();
    throw error;
  }
}

/** Notes the address that the shop is served at, for commands that run beside it with other settings. */
export async function noteServedUrl({ db, publicUrl }: Shop): Promise<void> {
  await saveSetting(db, 'served_url', publicUrl);
}

/** Where the shop is, or was last, served; its own address before it ever was. */
export async function servedUrl({ db, config, publicUrl }: Shop): Promise<string> {
  return config.PUBLIC_URL ?? (await readSetting(db, 'served_url')) ?? publicUrl;
}

/** The address to call a server by that listens on `host`. */
export function derivedUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Stored prices are in minor units of one currency; under another they would be other prices. */
async function keepCurrency(db: Database, currency: string): Promise<void> {
  const stored = await readSetting(db, 'currency');
  if (stored === currency) return;
  if (stored !== undefined && (await db.maybe(sql('select from products limit 1'))))
    throw new ShopError(
      `The prices in this database are in ${stored}, but CURRENCY is ${currency}. Set CURRENCY=${stored}, or use another database.`,
    );
  await saveSetting(db, 'currency', currency);
}

async function readSetting(db: Database, name: string): Promise<string | undefined> {
  return (await db.maybe(sql<{ value: string }>('select value from shop_settings where name = $1', [name])))?.value;
}

async function saveSetting(db: Database, name: string, value: string): Promise<void> {
  await db.run(
    sql(
      'insert into shop_settings (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
      [name, value],
    ),
  );
}
