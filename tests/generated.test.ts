import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeSql, describeTypes } from '../scripts/describe-schema.ts';
import { envExample } from '../src/kernel/config.ts';
import { cloneDatabase } from '../src/kernel/testing/index.ts';

const fileOf = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

it('.env.example is what the configuration says', () => {
  expect(fileOf('.env.example')).toBe(envExample());
});

it('the schema and the table types are those of the migrations', async () => {
  const database = await cloneDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await database.drop();
  });
  expect(fileOf('migrations/schema.sql')).toBe(await describeSql(client));
  expect(fileOf('src/kernel/tables.ts')).toBe(await describeTypes(client));
});
