import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/kernel/embedded-postgres.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { migrate } from '../../src/kernel/migrate.ts';

/** One durable PostgreSQL for a whole run, at the settings that the shop gives its own. */
export type Bench = {
  /** Where generated feeds and dumps lie. */
  folder: string;
  /** A migrated, empty database of that name. */
  database(name: string): Promise<string>;
  query<R extends pg.QueryResultRow>(url: string, text: string): Promise<R[]>;
  stop(): Promise<void>;
};

export async function startBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  // Started as root, the server runs as another user, who must be able to enter the folder.
  chmodSync(folder, 0o755);
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  const postgres = await startEmbeddedPostgres({ dataDir, log: (message) => console.error(message) });
  const query = async <R extends pg.QueryResultRow>(url: string, text: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<R>(text)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    folder,
    query,
    async database(name) {
      await query(postgres.url, `drop database if exists ${name} with (force)`);
      await query(postgres.url, `create database ${name}`);
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      await migrate(url.href, createLogger('warn'));
      return url.href;
    },
    async stop() {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
