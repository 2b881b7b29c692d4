import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { runMigrations as migrateJobs } from 'graphile-worker';
import pg from 'pg';
import type { Logger } from './log.ts';

/**
 * Ordered SQL migrations, `migrations/NNNN_name.sql`, each in a transaction of its own, under one advisory lock so that
 * nodes that start together wait for the first. A file that has been applied never changes: its checksum is kept.
 */

const FOLDER = new URL('../../migrations/', import.meta.url);
/** Any number that nobody else locks: the ASCII of "vitr". */
const LOCK = 0x76697472;

// The library's tables come after ours, and it only looks for jobs that wait. Who looks for taken ones (every ten seconds,
// after dead workers) or for given-up ones must not read a backlog of a hundred thousand.
const JOB_INDEXES = `
  create index if not exists vitrine_taken_jobs on graphile_worker._private_jobs (id) where locked_at is not null;
  create index if not exists vitrine_given_up_jobs on graphile_worker._private_jobs (id)
    where locked_at is null and not is_available`;

export class MigrationError extends Error {
  override name = 'MigrationError';
}

type Migration = { version: string; file: string; text: string; checksum: string };

export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      return { version: file.slice(0, 4), file, text, checksum: createHash('sha256').update(text).digest('hex') };
    });
}

/**
 * Brings the database to this version of the program and answers the files applied now. Throws MigrationError with a
 * sentence when the database is older than PostgreSQL 15, was migrated by a newer program, or a file was changed.
 */
export async function migrate(url: string, log: Logger, migrations = readMigrations()): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'vitrine migrate' });
  client.on('error', (error) => log.warn({ err: error }, 'the connection that migrates was lost'));
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await checkServer(client);
    await client.query(`create table if not exists schema_migrations (
      version text primary key, file text not null, checksum text not null, applied_at timestamptz not null default now())`);
    const { rows } = await client.query<{ version: string; file: string; checksum: string }>(
      'select version, file, checksum from schema_migrations order by version',
    );
    const pending = pendingMigrations(migrations, rows);
    for (const migration of pending) {
      await client.query('begin');
      await client.query(migration.text);
      await client.query('insert into schema_migrations (version, file, checksum) values ($1, $2, $3)', [
        migration.version,
        migration.file,
        migration.checksum,
      ]);
      await client.query('commit');
      log.debug({ migration: migration.file }, 'migrated');
    }
    const jobs = await client.query("select to_regclass('graphile_worker.migrations') is not null as there");
    if (pending.length > 0 || !jobs.rows[0]?.there) {
      await migrateJobs({ connectionString: url });
      await client.query(JOB_INDEXES);
    }
    return pending.map((m) => m.file);
  } finally {
    await client.end();
  }
}

function pendingMigrations(
  migrations: Migration[],
  applied: { version: string; file: string; checksum: string }[],
): Migration[] {
  const byVersion = new Map(migrations.map((m) => [m.version, m]));
  for (const row of applied) {
    const known = byVersion.get(row.version);
    if (!known)
      throw new MigrationError(
        `The database was migrated by a newer version of this program (${row.file}). Start that version, or restore a backup from before the upgrade.`,
      );
    if (known.checksum !== row.checksum)
      throw new MigrationError(
        `The migration ${row.file} was changed after it had been applied to this database. Restore the file; put the change into a new migration.`,
      );
  }
  const done = new Set(applied.map((row) => row.version));
  return migrations.filter((m) => !done.has(m.version));
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: number; encoding: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
  );
  const { version, encoding } = rows[0]!;
  if (version < 150000)
    throw new MigrationError(
      `The database is PostgreSQL ${Math.trunc(version / 10000)}; this program needs version 15 or later.`,
    );
  if (encoding !== 'UTF8')
    throw new MigrationError(
      `The database is encoded in ${encoding}; this program needs a database created with encoding UTF8.`,
    );
}
