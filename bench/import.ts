import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Bench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { median } from './support/load.ts';
import { runScript } from './support/processes.ts';
import { report } from './support/report.ts';

/**
 * Importing 100,000 items against COPY of every row that the import writes into empty tables with the same indexes and
 * constraints. COPY gets its rows ready made: no XML, no validation, no merge, and titles parsed already.
 */

/** In an order that foreign keys allow. */
const TABLES = [
  'imports',
  'categories',
  'products',
  'product_texts',
  'search_words',
  'stock',
  'stock_movements',
  'price_history',
  'product_changes',
  'import_issues',
];

export type Imported = {
  seconds: number;
  peakMb: number;
  status: string;
  counts: { created: number };
  phases: Record<string, number>;
};

export async function benchImport(bench: Bench, rounds = 3): Promise<Imported> {
  const feed = await feedFile(bench.folder, 100_000);
  const ours: Imported[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const url = await bench.database('import_ours');
    await bench.query(url, 'checkpoint');
    ours.push(await importInto(url, feed));
    const dumps = round === 0 ? await dump(url, bench.folder) : dumpsIn(bench.folder);
    const empty = await bench.database('import_bare');
    await bench.query(empty, 'checkpoint');
    bare.push(await restore(empty, dumps));
    console.log(
      `  round ${round + 1}: import ${ours.at(-1)!.seconds.toFixed(1)} s (${JSON.stringify(ours.at(-1)!.phases)}), COPY ${bare.at(-1)!.toFixed(1)} s`,
    );
  }
  const seconds = median(ours.map((run) => run.seconds));
  const limit = median(bare);
  const peakMb = Math.max(...ours.map((run) => run.peakMb));
  report({
    what: 'import of 100,000 items',
    measured: `${seconds.toFixed(1)} s`,
    limit: `COPY of the same rows ${limit.toFixed(1)} s`,
    ratio: seconds / limit,
    target: '≤ 2',
    met: seconds <= 2 * limit,
  });
  report({
    what: 'peak memory of that import',
    measured: `${peakMb} MB`,
    limit: '300 MB',
    ratio: peakMb / 300,
    target: '≤ 1',
    met: peakMb <= 300,
  });
  return { ...ours[0]!, seconds, peakMb };
}

export async function importInto(url: string, feed: string): Promise<Imported> {
  const run = await runScript<Imported>('support/import-once.ts', [url, feed, 'create']);
  if (run.status !== 'completed') throw new Error(`The import ended as ${run.status}.`);
  return run;
}

const dumpsIn = (folder: string) => TABLES.map((table) => ({ table, path: join(folder, `${table}.copy`) }));

async function columnsOf(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
    [table],
  );
  return rows.map(({ name }) => name).join(', ');
}

async function dump(url: string, folder: string): Promise<ReturnType<typeof dumpsIn>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const { table, path } of dumpsIn(folder)) {
    await pipeline(
      client.query(copyTo(`copy ${table} (${await columnsOf(client, table)}) to stdout`)),
      createWriteStream(path),
    );
  }
  await client.end();
  return dumpsIn(folder);
}

async function restore(url: string, dumps: ReturnType<typeof dumpsIn>): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const columns = new Map<string, string>();
  for (const { table } of dumps) columns.set(table, await columnsOf(client, table));
  const began = performance.now();
  await client.query('begin');
  for (const { table, path } of dumps) {
    if (statSync(path).size === 0) continue;
    await pipeline(
      createReadStream(path, { highWaterMark: 256 * 1024 }),
      client.query(copyFrom(`copy ${table} (${columns.get(table)}) from stdin`)),
    );
  }
  await client.query('commit');
  const seconds = (performance.now() - began) / 1000;
  await client.end();
  return seconds;
}
