import { createApp } from '../src/app.ts';
import { readConfig } from '../src/kernel/config.ts';
import { sql } from '../src/kernel/db.ts';
import type { Events } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { defineJob, enqueue, startJobs } from '../src/kernel/jobs.ts';
import { createKernel } from '../src/kernel/kernel.ts';
import { createLogger } from '../src/kernel/log.ts';
import { changeAlone } from '../src/modules/catalogue/change-product.ts';
import { importInto } from './import.ts';
import type { Bench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { median } from './support/load.ts';
import { report } from './support/report.ts';

/** The event log and the jobs: what they carry, and what a change pays for being told. */

const SHOP_URL = 'https://shop.example';

const configOf = (databaseUrl: string) =>
  readConfig({
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'error',
    SECRET_KEY: 'a secret that only this measurement has',
    DATABASE_POOL_SIZE: '20',
  });

export async function benchEvents(bench: Bench): Promise<void> {
  await benchDrain(await bench.database('bench_drain'));
  const url = await bench.database('bench_writers');
  await importInto(url, await feedFile(bench.folder, 10_000));
  await benchWriters(url);
  await benchJobs(await bench.database('bench_jobs'));
}

const DRAINED = 100_000;
const DRAIN_PER_SECOND = 30_000;

/** Product changes that wait in the outbox, moved to the log by a relay with the shop's own subscribers. */
async function benchDrain(databaseUrl: string, rounds = 3): Promise<void> {
  const kernel = await createKernel({ config: configOf(databaseUrl), databaseUrl });
  createApp(kernel, SHOP_URL);
  const head = () => kernel.db.one(sql<{ position: number }>('select position from event_log_head'));
  const seen: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await kernel.db.run(
      sql(
        `insert into outbox (event_id, type, occurred_at, actor_id, subject_type, subject_id, changes, data)
         select gen_random_uuid(), 'product.updated', now(), gen_random_uuid(), 'product', gen_random_uuid(),
                '{"price": {"from": "19.99", "to": "17.99"}}', jsonb_build_object('sku', 'SKU-' || n, 'slug', 'thing-' || n, 'name', 'Thing ' || n)
         from generate_series(1, $1::int) n`,
        [DRAINED],
      ),
    );
    const { position } = await head();
    const began = performance.now();
    await kernel.events.start();
    while ((await head()).position < position + DRAINED) await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push((DRAINED * 1_000) / (performance.now() - began));
    await kernel.events.stop();
  }
  await kernel.close();
  const perSecond = median(seen);
  report({
    what: `events moved by the relay, ${DRAINED.toLocaleString('en')} waiting`,
    measured: `${Math.round(perSecond)}/s`,
    limit: `${DRAIN_PER_SECOND}/s`,
    ratio: perSecond / DRAIN_PER_SECOND,
    target: '≥ 1',
    met: perSecond >= DRAIN_PER_SECOND,
  });
}

const WRITERS = 16;
const WRITING_MS = 4_000;

/** Product updates per second by 16 callers, without events, with them and no relay, and with both. */
async function benchWriters(databaseUrl: string, rounds = 5): Promise<void> {
  const kernel = await createKernel({ config: configOf(databaseUrl), databaseUrl });
  createApp(kernel, SHOP_URL);
  const ids = (await kernel.db.many(sql<{ id: string }>('select id from products order by id'))).map(({ id }) => id);
  const silent: Events = { ...kernel.events, append: async () => {} };
  const actor = { userId: newId(), role: 'staff' } as const;
  let price = 100_000;
  const updates = async (events: Events) => {
    const until = performance.now() + WRITING_MS;
    let done = 0;
    const began = performance.now();
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = writer; performance.now() < until; i += WRITERS) {
        price += 1;
        const change = { version: null, fields: { price }, replace: false, stock: null };
        await changeAlone({ ...kernel, events }, actor, ids[i % ids.length]!, change);
        done += 1;
      }
    });
    await Promise.all(writers);
    return (done * 1_000) / (performance.now() - began);
  };
  await updates(silent);
  const seen = { silent: [] as number[], stopped: [] as number[], running: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    seen.silent.push(await updates(silent));
    seen.stopped.push(await updates(kernel.events));
    await kernel.events.start();
    await kernel.events.flush();
    seen.running.push(await updates(kernel.events));
    await kernel.events.flush();
    await kernel.events.stop();
  }
  await kernel.close();
  const without = median(seen.silent);
  for (const [how, values, most] of [
    ['with the relay stopped', seen.stopped, 0.15],
    ['with the relay running', seen.running, 0.35],
  ] as const) {
    const perSecond = median(values);
    const cost = 1 - perSecond / without;
    report({
      what: `product updates with their event, ${how}, ${WRITERS} callers`,
      measured: `${Math.round(perSecond)}/s`,
      limit: `without events ${Math.round(without)}/s`,
      ratio: perSecond / without,
      target: `≥ ${1 - most}`,
      met: cost <= most,
    });
  }
}

const JOBS = 20_000;
const JOBS_PER_SECOND = 5_000;

async function benchJobs(url: string): Promise<void> {
  const kernel = await createKernel({ config: configOf(url), databaseUrl: url });
  let done = 0;
  const empty = defineJob<{ n: number }>({
    name: 'bench.empty',
    async run() {
      done += 1;
    },
  });
  const warm = await startJobs({ url, jobs: [empty], concurrency: 4, log: createLogger('error') });
  await warm.stop();
  for (let n = 0; n < JOBS; n += 1_000)
    await enqueue(
      kernel.db,
      empty,
      Array.from({ length: 1_000 }, (_, i) => ({ n: n + i })),
    );
  const began = performance.now();
  const workers = await startJobs({ url, jobs: [empty], concurrency: 4, log: createLogger('error') });
  while (done < JOBS) await new Promise((resolve) => setTimeout(resolve, 10));
  const perSecond = (JOBS * 1_000) / (performance.now() - began);
  await workers.stop();
  await kernel.close();
  report({
    what: `empty jobs, ${JOBS.toLocaleString('en')} waiting, one process`,
    measured: `${Math.round(perSecond)}/s`,
    limit: `${JOBS_PER_SECOND}/s`,
    ratio: perSecond / JOBS_PER_SECOND,
    target: '≥ 1',
    met: perSecond >= JOBS_PER_SECOND,
  });
}
