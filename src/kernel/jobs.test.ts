import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sql } from './db.ts';
import {
  defineFailureWatch,
  defineJob,
  enqueue,
  type Job,
  type JobContext,
  retryJob,
  startJobs,
  type Workers,
} from './jobs.ts';
import type { Kernel } from './kernel.ts';
import { createLogger } from './log.ts';
import { cloneDatabase, eventually, testKernelHere } from './testing/index.ts';

type Times = NonNullable<Parameters<typeof startJobs>[0]['times']>;

/** Workers of this process, stopped when the test is over if not before. */
async function work(
  kernel: Kernel,
  jobs: readonly Job<never>[],
  { times = {}, concurrency = 2 }: { times?: Times; concurrency?: number } = {},
): Promise<Workers> {
  const workers = await startJobs({ url: kernel.directUrl, jobs, concurrency, log: kernel.log, times });
  let stopped: Promise<void> | undefined;
  const once: Workers = { stop: () => (stopped ??= workers.stop()) };
  onTestFinished(() => once.stop());
  return once;
}

type Queued = {
  id: number;
  attempts: number;
  locked_by: string | null;
  is_available: boolean;
  pause: number;
  last_error: string | null;
};
const queue = (kernel: Kernel) =>
  kernel.db.many(
    sql<Queued>(
      `select id, attempts, locked_by, is_available, extract(epoch from run_at - now())::float8 as pause, last_error
       from graphile_worker._private_jobs order by id`,
    ),
  );
const finished = (kernel: Kernel) =>
  kernel.db.many(
    sql<{ id: number; task: string; outcome: string; attempts: number; payload: unknown }>(
      'select id, task, outcome, attempts, payload from finished_jobs order by id',
    ),
  );
const askToCancel = (kernel: Kernel, id: number) =>
  kernel.db.run(sql('insert into job_cancellations (job_id) values ($1)', [id]));

const connections = async (kernel: Kernel) =>
  (
    await kernel.db.one(
      sql<{ n: number }>(
        `select count(*) as n from pg_stat_activity
         where datname = current_database() and application_name in ('vitrine jobs', 'vitrine workers')`,
      ),
    )
  ).n;

const fails = (maxAttempts = 25) =>
  defineJob({
    name: 'test.fails',
    maxAttempts,
    async run() {
      throw new Error('it does not work');
    },
  });

/** A log that keeps its lines. */
function listen() {
  const kept: string[] = [];
  const log = pino(
    { level: 'debug', formatters: { level: (level) => ({ level }) } },
    { write: (line) => kept.push(line) },
  );
  return { log, lines: () => kept.map((line) => JSON.parse(line) as { level: string; msg: string }) };
}

/** Lets nobody give a job back that is taken, until the trigger is dropped. */
async function refuseReturns(kernel: Kernel): Promise<void> {
  await kernel.db.run(sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$"));
  await kernel.db.run(
    sql(`create trigger refuse before update on graphile_worker._private_jobs for each row
         when (old.locked_by is not null and new.locked_by is null) execute function refuse()`),
  );
}

describe('a job that fails', () => {
  it('comes back after a pause that is spread, so that those that failed together do not return together', async () => {
    const kernel = await testKernelHere();
    const job = fails();
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 20 }, () => ({})),
    );
    const began = Date.now();
    const workers = await work(kernel, [job], { concurrency: 4 });
    await eventually(async () => {
      expect((await queue(kernel)).every((row) => row.attempts === 1 && row.locked_by === null)).toBe(true);
    });
    await workers.stop();
    const since = (Date.now() - began) / 1_000;
    const pauses = (await queue(kernel)).map((row) => row.pause).sort((a, b) => a - b);
    // The library's own pause after a first attempt is e seconds; ours lie between it and half as much again.
    expect(pauses).toHaveLength(20);
    expect(pauses[0]).toBeGreaterThan(Math.E - since);
    expect(pauses.at(-1)).toBeLessThan(Math.E * 1.5);
    expect(pauses.at(-1)! - pauses[0]!).toBeGreaterThan(0.4);
  });

  it('is kept when it is given up, knows that it will be, and blocks nothing behind it', async () => {
    const kernel = await testKernelHere();
    const last: boolean[] = [];
    const job = defineJob({
      name: 'test.fails',
      maxAttempts: 1,
      async run(_payload, { isLastAttempt }: JobContext) {
        last.push(isLastAttempt);
        throw new Error('it does not work');
      },
    });
    const works = defineJob({ name: 'test.works', run: async () => {} });
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 50 }, () => ({})),
    );
    await enqueue(kernel.db, works, [{}]);
    const workers = await work(kernel, [job, works]);
    await eventually(async () => expect(await queue(kernel)).toHaveLength(50));
    await eventually(() => expect(last).toHaveLength(50));
    await workers.stop();
    expect(last.every(Boolean)).toBe(true);
    const left = await queue(kernel);
    expect(left).toHaveLength(50);
    for (const row of left)
      expect(row).toMatchObject({ is_available: false, locked_by: null, last_error: 'it does not work' });
    expect((await finished(kernel)).map((row) => row.task)).toEqual(['test.works']);
  });
});

/** The tasks of the given-up jobs that people are told of now. */
const told = async (kernel: Kernel) => {
  const tasks: string[] = [];
  const watch = defineFailureWatch(kernel.db, async (_tx, jobs) => void tasks.push(...jobs.map((job) => job.task)));
  await watch.run({}, { signal: new AbortController().signal, log: kernel.log, isLastAttempt: false });
  return tasks;
};

describe('a job whose place a later one with its key takes while it runs', () => {
  const KEY = { key: 'one at a time' };

  /** Throws when it is told to; `begun` says how many runs there were. */
  const throwsOnce = () => {
    const signals = new EventTarget();
    const state = { begun: 0 };
    const job = defineJob<{ n: number }>({
      name: 'test.keyed',
      maxAttempts: 3,
      async run({ n }, { signal }) {
        state.begun += 1;
        if (n === 2) return;
        await once(signals, 'now', { signal });
        throw new Error('it does not work');
      },
    });
    return { job, state, fail: () => signals.dispatchEvent(new Event('now')) };
  };
  it('ends when it throws: the later one does the work, and nobody is told of a failure', async () => {
    const kernel = await testKernelHere();
    const { job, state, fail } = throwsOnce();
    await enqueue(kernel.db, job, [{ n: 1 }], KEY);
    await work(kernel, [job]);
    await eventually(() => expect(state.begun).toBe(1));
    await enqueue(kernel.db, job, [{ n: 2 }], KEY);
    await eventually(() => expect(state.begun).toBe(2));
    fail();
    await eventually(async () => expect(await queue(kernel)).toEqual([]));
    await eventually(async () =>
      expect(await finished(kernel)).toMatchObject([
        { outcome: 'cancelled', payload: { n: 1 } },
        { outcome: 'done', payload: { n: 2 } },
      ]),
    );
    expect(state.begun).toBe(2);
    expect(await told(kernel)).toEqual([]);
  });

  it('does not come back from a stop', async () => {
    const kernel = await testKernelHere();
    const { job, state } = throwsOnce();
    await enqueue(kernel.db, job, [{ n: 1 }], KEY);
    const workers = await work(kernel, [job], { times: { drain: 100 } });
    await eventually(() => expect(state.begun).toBe(1));
    await enqueue(kernel.db, job, [{ n: 3 }], { ...KEY, at: new Date(Date.now() + 60_000) });
    await workers.stop();
    expect(await queue(kernel)).toMatchObject([{ attempts: 0 }]);
    expect(await finished(kernel)).toMatchObject([{ outcome: 'cancelled', payload: { n: 1 } }]);
  });

  it('does not begin when it had only been fetched', async () => {
    const kernel = await testKernelHere();
    const { job, state } = throwsOnce();
    await enqueue(kernel.db, job, [{ n: 1 }], KEY);
    await kernel.db.run(
      sql("update graphile_worker._private_jobs set locked_by = 'x', locked_at = now(), attempts = 1"),
    );
    await enqueue(kernel.db, job, [{ n: 2 }], KEY);
    await kernel.db.run(
      sql(`update graphile_worker._private_jobs set locked_by = null, locked_at = null, attempts = attempts - 1
           where locked_by = 'x'`),
    );
    await work(kernel, [job]);
    await eventually(async () => expect(await queue(kernel)).toEqual([]));
    expect(state.begun).toBe(1);
  });

  it('is not taken for given up when it failed at that very moment', async () => {
    const kernel = await testKernelHere();
    const { job } = throwsOnce();
    await enqueue(kernel.db, job, [{ n: 1 }], KEY);
    await kernel.db.run(
      sql("update graphile_worker._private_jobs set locked_by = 'pool-dead', locked_at = now(), attempts = 1"),
    );
    await enqueue(kernel.db, job, [{ n: 2 }], KEY);
    await kernel.db.run(
      sql("update graphile_worker._private_jobs set locked_by = null, locked_at = null where locked_by = 'pool-dead'"),
    );
    expect((await queue(kernel)).map((row) => row.is_available)).toEqual([false, true]);
    expect(await told(kernel)).toEqual([]);
    await work(kernel, [job], { times: { sweep: 50 } });
    await eventually(async () => expect(await queue(kernel)).toEqual([]));
  });

  it('but is given up and told when it was its last attempt that failed before, also when a later one comes', async () => {
    const kernel = await testKernelHere();
    const job = fails(1);
    await enqueue(kernel.db, job, [{}], KEY);
    await work(kernel, [job], { times: { sweep: 50 } });
    const isGivenUp = async (count: number) =>
      expect((await queue(kernel)).map((row) => [row.is_available, row.locked_by])).toEqual(
        Array.from({ length: count }, () => [false, null]),
      );
    await eventually(() => isGivenUp(1));
    await enqueue(kernel.db, job, [{}], KEY);
    await eventually(() => isGivenUp(2));
    await sleep(200);
    await isGivenUp(2);
    expect(await told(kernel)).toEqual(['test.fails', 'test.fails']);
  });
});

describe('a job with a key that was given up', () => {
  const KEY = { key: 'one at a time' };
  const job = defineJob({ name: 'test.keyed', maxAttempts: 1, run: async () => {} });
  const hold = (kernel: Kernel) =>
    kernel.db.run(
      sql(
        `update graphile_worker._private_jobs
         set locked_by = 'pool-dead', locked_at = now() - interval '1 hour', attempts = 1`,
      ),
    );
  const release = (kernel: Kernel) =>
    kernel.db.run(
      sql("update graphile_worker._private_jobs set locked_by = null, locked_at = null where locked_by = 'pool-dead'"),
    );

  it('because its worker died stays so when a later one comes', async () => {
    const kernel = await testKernelHere();
    await enqueue(kernel.db, job, [{}], KEY);
    await hold(kernel);
    const workers = await work(kernel, [job], { times: { sweep: 50 } });
    await eventually(async () => expect(await queue(kernel)).toMatchObject([{ is_available: false, locked_by: null }]));
    await workers.stop();
    await enqueue(kernel.db, job, [{}], KEY);
    expect(await told(kernel)).toEqual(['test.keyed']);
  });

  it('and retried can be replaced again', async () => {
    const kernel = await testKernelHere();
    const throws = fails(1);
    await enqueue(kernel.db, throws, [{}], KEY);
    const workers = await work(kernel, [throws]);
    await eventually(async () => expect(await queue(kernel)).toMatchObject([{ is_available: false, locked_by: null }]));
    await workers.stop();
    const [row] = await queue(kernel);
    await kernel.db.transaction((tx) => retryJob(tx, String(row!.id)));
    await hold(kernel);
    await enqueue(kernel.db, throws, [{}], KEY);
    await release(kernel);
    expect(await told(kernel)).toEqual([]);
  });
});

describe('a running job that is cancelled', () => {
  it('has its signal aborted, ends as cancelled and is not tried again', async () => {
    const kernel = await testKernelHere();
    let begun = 0;
    let reason: unknown;
    let last: boolean | undefined;
    const job = defineJob<{ thing: string }>({
      name: 'test.waits',
      async run(_payload, context) {
        begun += 1;
        try {
          await sleep(60_000, undefined, { signal: context.signal });
        } catch (error) {
          reason = context.signal.reason;
          last = context.isLastAttempt;
          throw error;
        }
      },
    });
    await enqueue(kernel.db, job, [{ thing: 'a' }, { thing: 'b' }]);
    const workers = await work(kernel, [job], { times: { cancel: 50, drain: 100 } });
    await eventually(() => expect(begun).toBe(2));
    const [first, second] = (await queue(kernel)) as [Queued, Queued];
    await askToCancel(kernel, first.id);
    await eventually(async () =>
      expect(await finished(kernel)).toEqual([
        { id: first.id, task: 'test.waits', outcome: 'cancelled', attempts: 1, payload: { thing: 'a' } },
      ]),
    );
    expect(String(reason)).toMatch(/cancelled/);
    expect(last).toBe(true);
    expect((await queue(kernel)).map((row) => row.id)).toEqual([second.id]);
    await workers.stop();
    expect((await queue(kernel)).map((row) => row.id)).toEqual([second.id]);
    expect(await finished(kernel)).toHaveLength(1);
  });

  it('ends as cancelled when it fails before it has heard of it', async () => {
    const kernel = await testKernelHere();
    const signals = new EventTarget();
    let begun = false;
    const job = defineJob({
      name: 'test.fails_later',
      async run() {
        begun = true;
        await once(signals, 'now');
        throw new Error('by itself');
      },
    });
    await enqueue(kernel.db, job, [{}]);
    const workers = await work(kernel, [job], { times: { cancel: 60_000 } });
    await eventually(() => expect(begun).toBe(true));
    await askToCancel(kernel, (await queue(kernel))[0]!.id);
    signals.dispatchEvent(new Event('now'));
    await workers.stop();
    expect(await queue(kernel)).toEqual([]);
    expect(await finished(kernel)).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('is done when it pays no heed', async () => {
    const kernel = await testKernelHere();
    let aborted = false;
    const job = defineJob({
      name: 'test.deaf',
      async run(_payload, { signal }: JobContext) {
        while (!signal.aborted) await sleep(10);
        aborted = true;
      },
    });
    await enqueue(kernel.db, job, [{}]);
    const workers = await work(kernel, [job], { times: { cancel: 50 } });
    await eventually(async () => expect((await queue(kernel))[0]?.locked_by).toBeTruthy());
    await askToCancel(kernel, (await queue(kernel))[0]!.id);
    await eventually(() => expect(aborted).toBe(true));
    await workers.stop();
    expect(await queue(kernel)).toEqual([]);
    expect(await finished(kernel)).toMatchObject([{ outcome: 'done' }]);
  });

  it('does not run again when its worker died before it heard of it', async () => {
    const kernel = await testKernelHere();
    let ran = 0;
    const job = defineJob({
      name: 'test.counts',
      async run() {
        ran += 1;
      },
    });
    // One that the sweep finds still locked, one that came free before and is taken at once, and one that waits.
    await enqueue(kernel.db, job, [{}, {}, {}]);
    const [locked, free, waiting] = (await queue(kernel)) as [Queued, Queued, Queued];
    await kernel.db.run(
      sql(
        `update graphile_worker._private_jobs
         set attempts = 1, locked_at = case when id = $1 then now() - interval '1 hour' end,
             locked_by = case when id = $1 then 'pool-dead' end,
             run_at = case when id = $2 then now() + interval '1 hour' else run_at end`,
        [locked.id, waiting.id],
      ),
    );
    for (const { id } of [locked, free, waiting]) await askToCancel(kernel, id);
    const workers = await work(kernel, [job], { times: { sweep: 500 } });
    await eventually(async () => expect(await kernel.db.many(sql('select job_id from job_cancellations'))).toEqual([]));
    await workers.stop();
    expect((await finished(kernel)).map((row) => row.outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(await queue(kernel)).toEqual([]);
    expect(ran).toBe(0);
  });
});

describe('dead workers', () => {
  it('are known by their beats: a job of one that lives is left alone however long it takes', async () => {
    const kernel = await testKernelHere();
    let begun = 0;
    const job = defineJob({
      name: 'test.long',
      async run(_payload, { signal }: JobContext) {
        begun += 1;
        await sleep(1_500, undefined, { signal });
      },
    });
    await enqueue(kernel.db, job, [{}]);
    const times = { beat: 100, dead: 600 };
    const first = await work(kernel, [job], { times });
    await eventually(() => expect(begun).toBe(1));
    const second = await work(kernel, [job], { times: { ...times, sweep: 100 } });
    const holders = new Set<string | null>();
    await eventually(async () => {
      const rows = await queue(kernel);
      for (const row of rows) holders.add(row.locked_by);
      expect(rows).toEqual([]);
    });
    await Promise.all([first.stop(), second.stop()]);
    expect([...holders]).toEqual([expect.any(String)]);
    expect(begun).toBe(1);
    expect(await finished(kernel)).toMatchObject([{ outcome: 'done', attempts: 1 }]);
  });

  it('leave behind only jobs of their own, without a beat for long', async () => {
    const kernel = await testKernelHere();
    const job = defineJob({ name: 'test.counts', run: async () => {} });
    await enqueue(kernel.db, job, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const [stale, unknown, fresh] = (await queue(kernel)) as [Queued, Queued, Queued];
    await kernel.db.run(sql("insert into job_workers values ('pool-stale', now(), now() - interval '31 s')"));
    const lock = (id: number, by: string, ago: string) =>
      kernel.db.run(
        sql(
          `update graphile_worker._private_jobs set attempts = 1, locked_by = $2, locked_at = now() - $3::interval
           where id = $1`,
          [id, by, ago],
        ),
      );
    await lock(stale.id, 'pool-stale', '5 s');
    await lock(unknown.id, 'pool-unknown', '31 s');
    await lock(fresh.id, 'pool-new', '20 s');
    await work(kernel, [job], { times: { sweep: 50 } });
    await eventually(async () => expect(await finished(kernel)).toHaveLength(2));
    expect((await queue(kernel)).map((row) => [row.id, row.locked_by])).toEqual([[fresh.id, 'pool-new']]);
    const known = await kernel.db.many(sql<{ pool_id: string }>('select pool_id from job_workers'));
    expect(known.map((row) => row.pool_id)).not.toContain('pool-stale');
  });
});

describe('a stop', () => {
  it('gives back at once what was fetched and not begun', async () => {
    const kernel = await testKernelHere();
    let begun = 0;
    const job = defineJob({
      name: 'test.slow',
      async run() {
        begun += 1;
        await sleep(700);
      },
    });
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 8 }, () => ({})),
    );
    const workers = await work(kernel, [job], { concurrency: 2 });
    await eventually(() => expect(begun).toBe(2));
    const stopped = workers.stop();
    await eventually(async () => {
      const rows = await queue(kernel);
      expect(rows.filter((row) => row.locked_by === null && row.attempts === 0)).toHaveLength(6);
    }, 500);
    await stopped;
    expect(begun).toBe(2);
    expect(await queue(kernel)).toHaveLength(6);
    expect(await finished(kernel)).toHaveLength(2);
  });

  it('logs no errors of its own under load, and those of jobs all the same', async () => {
    const kernel = await testKernelHere();
    const job = defineJob<{ n: number }>({
      name: 'test.slow',
      maxAttempts: 1,
      async run({ n }) {
        await sleep(300);
        if (n === 0) throw new Error('it does not work');
      },
    });
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 40 }, (_, n) => ({ n })),
    );
    const { log, lines } = listen();
    const workers = await startJobs({ url: kernel.directUrl, jobs: [job], concurrency: 2, log });
    await eventually(async () => expect((await queue(kernel)).filter((row) => row.locked_by)).toHaveLength(8));
    await workers.stop();
    const told = lines().filter((line) => line.level !== 'debug');
    expect(told.map((line) => [line.level, line.msg])).toEqual([
      ['error', expect.stringContaining('it does not work')],
    ]);
    expect(lines().length).toBeGreaterThan(1);
  });

  it('tells as details what the database refuses meanwhile', async () => {
    const kernel = await testKernelHere();
    const job = defineJob({ name: 'test.slow', run: () => sleep(500) });
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 40 }, () => ({})),
    );
    const { log, lines } = listen();
    const workers = await startJobs({ url: kernel.directUrl, jobs: [job], concurrency: 2, log });
    await eventually(async () => expect((await queue(kernel)).filter((row) => row.locked_by)).toHaveLength(8));
    await refuseReturns(kernel);
    await workers.stop();
    expect(lines().filter((line) => /forceful shutdown: /.test(line.msg))).toMatchObject([{ level: 'debug' }]);
    expect(lines().filter((line) => line.level === 'error')).toEqual([]);
  });

  it('takes back what a start had begun that could not be completed', async () => {
    const kernel = await testKernelHere();
    let ran = 0;
    const first = defineJob({
      name: 'test.first',
      async run() {
        ran += 1;
      },
    });
    const second = defineJob({
      name: 'test.second',
      lane: { name: 'other', concurrency: 1 },
      cron: 'no crontab',
      run: async () => {},
    });
    await expect(work(kernel, [first, second])).rejects.toThrow();
    await enqueue(kernel.db, first, [{}]);
    await eventually(async () => expect(await connections(kernel)).toBe(0));
    expect(ran).toBe(0);
    expect(await queue(kernel)).toMatchObject([{ attempts: 0, locked_by: null }]);
    expect(await kernel.db.many(sql('select pool_id from job_workers'))).toEqual([]);
  });
});

it('begins a job at once, also when it was just notified of one for another lane', async () => {
  const kernel = await testKernelHere();
  let begun = 0;
  const run = async () => {
    begun += 1;
  };
  const job = defineJob({ name: 'test.here', run });
  const other = defineJob({ name: 'test.there', lane: { name: 'there', concurrency: 1 }, run: async () => {} });
  await work(kernel, [job, other]);
  await sleep(200);
  const waits: number[] = [];
  for (let n = 1; n <= 20; n++) {
    await enqueue(kernel.db, other, [{}]);
    await sleep(25);
    const at = performance.now();
    await enqueue(kernel.db, job, [{}]);
    await eventually(() => expect(begun).toBe(n));
    waits.push(performance.now() - at);
  }
  // The library polls every two seconds: a single job that waited for that would show.
  expect(Math.max(...waits)).toBeLessThan(1_000);
});

it('finds taken and given-up jobs by indexes of its own', async () => {
  const kernel = await testKernelHere();
  const indexes = await kernel.db.many(
    sql<{ name: string }>("select indexname as name from pg_indexes where tablename = '_private_jobs'"),
  );
  expect(indexes.map((index) => index.name)).toEqual(
    expect.arrayContaining(['vitrine_taken_jobs', 'vitrine_given_up_jobs']),
  );
});

it('goes on when the database refused the end of a job', async () => {
  const kernel = await testKernelHere();
  let ran = 0;
  const job = defineJob({
    name: 'test.counts',
    async run() {
      ran += 1;
    },
  });
  const signals = new EventTarget();
  let long = 'waits';
  const takesLong = defineJob({
    name: 'test.takes_long',
    async run() {
      long = 'runs';
      await once(signals, 'now');
      long = 'done';
    },
  });
  await enqueue(kernel.db, takesLong, [{}]);
  const workers = await work(kernel, [job, takesLong]);
  await eventually(() => expect(long).toBe('runs'));
  await kernel.db.run(sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$"));
  await kernel.db.run(
    sql('create trigger refuse before delete on graphile_worker._private_jobs for each row execute function refuse()'),
  );
  await enqueue(kernel.db, job, [{}]);
  await eventually(() => expect(ran).toBe(1));
  await sleep(200);
  await kernel.db.run(sql('drop trigger refuse on graphile_worker._private_jobs'));
  await enqueue(kernel.db, job, [{}]);
  // Others work on although one of the first still runs; with its end, what they had taken comes free.
  await eventually(() => expect(ran).toBe(2), 10_000);
  expect(long).toBe('runs');
  signals.dispatchEvent(new Event('now'));
  await eventually(async () => expect(await queue(kernel)).toEqual([]), 10_000);
  expect([ran, long]).toEqual([3, 'done']);
  await workers.stop();
  expect(await kernel.db.many(sql('select pool_id from job_workers'))).toEqual([]);
}, 25_000);

it('goes on when the database failed at the first look for jobs', async () => {
  const kernel = await testKernelHere();
  let ran = 0;
  const job = defineJob({
    name: 'test.counts',
    async run() {
      ran += 1;
    },
  });
  await kernel.db.run(sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$"));
  await kernel.db.run(
    sql('create trigger refuse before insert on graphile_worker._private_tasks for each row execute function refuse()'),
  );
  await work(kernel, [job], { times: { fetch: 500 } });
  await sleep(200);
  await kernel.db.run(sql('drop function refuse() cascade'));
  await enqueue(kernel.db, job, [{}]);
  await eventually(() => expect(ran).toBe(1), 8_000);
}, 15_000);

it('loses no attempt of what it had only fetched when the database refuses that too', async () => {
  const kernel = await testKernelHere();
  const job = defineJob({ name: 'test.slow', run: () => sleep(300) });
  await enqueue(
    kernel.db,
    job,
    Array.from({ length: 8 }, () => ({})),
  );
  await work(kernel, [job], { concurrency: 2, times: { sweep: 200 } });
  await eventually(async () => expect((await queue(kernel)).filter((row) => row.locked_by)).toHaveLength(8));
  await refuseReturns(kernel);
  await kernel.db.run(
    sql(
      'create trigger refuse_end before delete on graphile_worker._private_jobs for each row execute function refuse()',
    ),
  );
  await sleep(1_500);
  expect((await queue(kernel)).filter((row) => row.locked_by)).toHaveLength(8);
  await kernel.db.run(sql('drop function refuse() cascade'));
  await eventually(async () => expect(await queue(kernel)).toEqual([]), 10_000);
  await eventually(async () => expect(await finished(kernel)).toHaveLength(8));
  // The two that were running were listed when they had run for the first time.
  expect((await finished(kernel)).map((row) => row.attempts)).toEqual(Array.from({ length: 8 }, () => 1));
}, 25_000);

describe('a job at its times', () => {
  const missed = async (kernel: Kernel, name: string) =>
    kernel.db.run(
      sql(
        `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
         values ($1, now() - interval '5 days', now() - interval '30 hours')`,
        [name],
      ),
    );
  const anHourAgo = new Date(Date.now() - 3_600_000);

  it('that is daily is made up for when everything was down, once, by whichever process', async () => {
    const kernel = await testKernelHere();
    let ran = 0;
    const job = defineJob({
      name: 'test.daily',
      cron: `${anHourAgo.getUTCMinutes()} ${anHourAgo.getUTCHours()} * * *`,
      async run() {
        ran += 1;
      },
    });
    await missed(kernel, job.name);
    const both = await Promise.all([work(kernel, [job]), work(kernel, [job])]);
    await eventually(() => expect(ran).toBe(1));
    await sleep(300);
    await Promise.all(both.map((workers) => workers.stop()));
    expect(ran).toBe(1);
    expect(await queue(kernel)).toEqual([]);
  });

  it('that comes again soon is not', async () => {
    const kernel = await testKernelHere();
    let ran = 0;
    const job = defineJob({
      name: 'test.hourly',
      cron: `${(anHourAgo.getUTCMinutes() + 30) % 60} * * * *`,
      async run() {
        ran += 1;
      },
    });
    await missed(kernel, job.name);
    const workers = await work(kernel, [job]);
    await sleep(500);
    await workers.stop();
    expect(ran).toBe(0);
    expect(await queue(kernel)).toEqual([]);
  });
});

it('counts every run and lists single jobs, written at the latest when the workers stop', async () => {
  const kernel = await testKernelHere();
  const works = defineJob<{ n: number }>({ name: 'test.works', run: async () => {} });
  const job = fails(1);
  await enqueue(
    kernel.db,
    works,
    Array.from({ length: 3_000 }, (_, n) => ({ n })),
  );
  await enqueue(kernel.db, job, [{}]);
  const workers = await work(kernel, [works, job], { concurrency: 4 });
  await eventually(async () => expect((await queue(kernel)).map((row) => row.is_available)).toEqual([false]), 10_000);
  await workers.stop();
  const counted = await kernel.db.many(
    sql(
      `select task, sum(done)::int as done, sum(failed)::int as failed from job_throughput group by task order by task`,
    ),
  );
  expect(counted).toEqual([
    { task: 'test.fails', done: 0, failed: 1 },
    { task: 'test.works', done: 3_000, failed: 0 },
  ]);
  const listed = await finished(kernel);
  expect(listed.length).toBeGreaterThan(0);
  expect(listed.every((row) => row.outcome === 'done' && row.attempts === 1)).toBe(true);
});

it('does not end the process when its database goes away', async () => {
  const database = await cloneDatabase();
  const job = defineJob({ name: 'test.works', run: async () => {} });
  const workers = await startJobs({
    url: database.url,
    jobs: [job],
    concurrency: 2,
    log: createLogger('silent'),
    times: { beat: 50, sweep: 50, cancel: 50, drain: 200 },
  });
  await database.drop();
  await sleep(300);
  await expect(workers.stop()).resolves.toBeUndefined();
});
