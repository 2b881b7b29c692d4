import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from './log.ts';
import { MigrationError, migrate, readMigrations } from './migrate.ts';
import { cloneDatabase } from './testing/index.ts';

const log = createLogger('silent');

async function database() {
  const clone = await cloneDatabase();
  onTestFinished(() => clone.drop());
  return clone.url;
}

const extra = (text: string) => ({ version: '9000', file: '9000_extra.sql', text, checksum: text });

it('applies what is missing, once, also when many start together', async () => {
  const url = await database();
  const migrations = [...readMigrations(), extra('create table extra (n int); select pg_sleep(0.1)')];
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(url, log, migrations)));
  expect(applied.flat()).toEqual(['9000_extra.sql']);
  expect(await migrate(url, log, migrations)).toEqual([]);
});

it('leaves nothing of a migration that fails', async () => {
  const url = await database();
  await expect(
    migrate(url, log, [...readMigrations(), extra('create table extra (n int); select 1 / 0')]),
  ).rejects.toThrow(/division by zero/);
  expect(await migrate(url, log, [...readMigrations(), extra('create table extra (n int)')])).toEqual([
    '9000_extra.sql',
  ]);
});

it('refuses a database that a newer program has migrated, and a file that was changed', async () => {
  const url = await database();
  await migrate(url, log, [...readMigrations(), extra('select 1')]);
  await expect(migrate(url, log)).rejects.toThrow(MigrationError);
  await expect(migrate(url, log)).rejects.toThrow(/newer version/);
  await expect(migrate(url, log, [...readMigrations(), extra('select 2')])).rejects.toThrow(/was changed after/);
});
