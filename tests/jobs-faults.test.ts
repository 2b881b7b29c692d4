import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { defineJob, enqueue } from '../src/kernel/jobs.ts';
import type { Kernel } from '../src/kernel/kernel.ts';
import { eventually, testKernelHere } from '../src/kernel/testing/index.ts';

/** Workers as processes of their own, which are killed, paused and asked to stop while they work. */

const QUICK = { beat: 200, dead: 1_500, sweep: 300, drain: 400 };
const heeds = defineJob<{ ms: number }>({ name: 'test.heeds', run: async () => {} });
const quick = defineJob<{ ms: number }>({ name: 'test.quick', run: async () => {} });
const deaf = defineJob<{ ms: number }>({ name: 'test.deaf', run: async () => {} });

async function here(): Promise<Kernel> {
  const kernel = await testKernelHere();
  await kernel.db.run(sql('create table runs (id serial primary key, job text, pid int, what text)'));
  return kernel;
}

async function startWorker(kernel: Kernel): Promise<ChildProcess> {
  const script = new URL('support/jobs-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, kernel.directUrl, JSON.stringify(QUICK)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

const runs = (kernel: Kernel) =>
  kernel.db.many(sql<{ job: string; pid: number; what: string }>('select job, pid, what from runs order by id'));
const queue = (kernel: Kernel) =>
  kernel.db.many(
    sql<{ attempts: number; locked_by: string | null; due: boolean; last_error: string | null; available: boolean }>(
      `select attempts, locked_by, run_at <= now() as due, last_error, is_available as available
       from graphile_worker._private_jobs order by id`,
    ),
  );
const workers = async (kernel: Kernel) =>
  (await kernel.db.one(sql<{ n: number }>('select count(*) as n from job_workers'))).n;

it('takes over the job of a worker that was killed', async () => {
  const kernel = await here();
  const first = await startWorker(kernel);
  await enqueue(kernel.db, heeds, [{ ms: 3_000 }]);
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  first.kill('SIGKILL');
  const second = await startWorker(kernel);
  await eventually(async () => {
    expect(await runs(kernel)).toEqual([
      { job: 'heeds', pid: first.pid, what: 'begun' },
      { job: 'heeds', pid: second.pid, what: 'begun' },
      { job: 'heeds', pid: second.pid, what: 'done' },
    ]);
    expect(await queue(kernel)).toEqual([]);
    expect(await workers(kernel)).toBe(1);
  }, 12_000);
}, 30_000);

it('gives up a job that takes its worker down each time, and says why', async () => {
  const kernel = await here();
  const kills = defineJob({ name: 'test.kills', maxAttempts: 2, run: async () => {} });
  await enqueue(kernel.db, kills, [{}]);
  for (let died = 0; died < 2; died++) {
    const worker = await startWorker(kernel);
    if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
    expect(worker.signalCode).toBe('SIGKILL');
  }
  await startWorker(kernel);
  await eventually(
    async () =>
      expect(await queue(kernel)).toMatchObject([
        { attempts: 2, locked_by: null, available: false, last_error: expect.stringMatching(/worker .* died/) },
      ]),
    10_000,
  );
  expect(await runs(kernel)).toHaveLength(2);
}, 40_000);

it('makes no dead letter of a job whose place was taken while its worker died', async () => {
  const kernel = await here();
  const worker = await startWorker(kernel);
  await enqueue(kernel.db, heeds, [{ ms: 60_000 }], { key: 'one' });
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  await enqueue(kernel.db, heeds, [{ ms: 1 }], { key: 'one', at: new Date(Date.now() + 3_000) });
  worker.kill('SIGKILL');
  const next = await startWorker(kernel);
  await eventually(async () => {
    expect(await queue(kernel)).toEqual([]);
    expect(await runs(kernel)).toEqual([
      { job: 'heeds', pid: worker.pid, what: 'begun' },
      { job: 'heeds', pid: next.pid, what: 'begun' },
      { job: 'heeds', pid: next.pid, what: 'done' },
    ]);
  }, 12_000);
  await eventually(async () =>
    expect(await kernel.db.many(sql('select outcome, last_error from finished_jobs order by id'))).toEqual([
      { outcome: 'cancelled', last_error: expect.stringMatching(/took its place/) },
      { outcome: 'done', last_error: null },
    ]),
  );
}, 30_000);

it('lets a running job end when it is asked to stop', async () => {
  const kernel = await here();
  const worker = await startWorker(kernel);
  await enqueue(kernel.db, heeds, [{ ms: 250 }]);
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  worker.kill('SIGTERM');
  const [code] = await once(worker, 'exit');
  expect(code).toBe(0);
  expect((await runs(kernel)).map((run) => run.what)).toEqual(['begun', 'done']);
  expect(await queue(kernel)).toEqual([]);
  expect(await workers(kernel)).toBe(0);
}, 20_000);

it('gives a job back that is too long when it is asked to stop, as if it had never been taken', async () => {
  const kernel = await here();
  const worker = await startWorker(kernel);
  await enqueue(kernel.db, heeds, [{ ms: 60_000 }]);
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  worker.kill('SIGTERM');
  await once(worker, 'exit');
  expect(await queue(kernel)).toEqual([{ attempts: 0, locked_by: null, due: true, last_error: null, available: true }]);
}, 20_000);

it('leaves no job locked that ignores that it is asked to stop', async () => {
  const kernel = await here();
  const worker = await startWorker(kernel);
  await enqueue(kernel.db, deaf, [{ ms: 60_000 }]);
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  const asked = Date.now();
  worker.kill('SIGTERM');
  const [code] = await once(worker, 'exit');
  expect(code).toBe(0);
  expect(Date.now() - asked).toBeLessThan(5_000);
  expect(await queue(kernel)).toMatchObject([{ attempts: 1, locked_by: null, due: true, available: true }]);
  expect(await workers(kernel)).toBe(0);
}, 20_000);

it('works on when a process comes back that was only paused', async () => {
  const kernel = await here();
  const paused = await startWorker(kernel);
  await enqueue(kernel.db, heeds, [{ ms: 1_000 }]);
  await eventually(async () => expect(await runs(kernel)).toHaveLength(1));
  paused.kill('SIGSTOP');
  const other = await startWorker(kernel);
  await eventually(async () => {
    expect((await runs(kernel)).filter((run) => run.pid === other.pid).map((run) => run.what)).toEqual([
      'begun',
      'done',
    ]);
    expect(await workers(kernel)).toBe(1);
  }, 12_000);
  paused.kill('SIGCONT');
  await eventually(async () => expect(await workers(kernel)).toBe(2));
  other.kill('SIGTERM');
  await once(other, 'exit');
  await enqueue(kernel.db, heeds, [{ ms: 1 }]);
  await eventually(async () => {
    expect((await runs(kernel)).at(-1)).toEqual({ job: 'heeds', pid: paused.pid, what: 'done' });
    expect(await queue(kernel)).toEqual([]);
  });
  await sleep(QUICK.dead);
  expect(await workers(kernel)).toBe(1);
}, 30_000);

/** As a restart of the server is to its clients: all are thrown out, and none is let in for a while. */
async function outage(kernel: Kernel, ms: number): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const name = new URL(kernel.directUrl).pathname.slice(1);
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await sleep(ms);
  await admin.query(`alter database ${name} allow_connections true`);
  await admin.end();
}

it('lives on when the database is restarted under load, and does all the jobs', async () => {
  const kernel = await here();
  const worker = await startWorker(kernel);
  const outages = 4;
  for (let n = 1; n <= outages; n++) {
    await enqueue(
      kernel.db,
      quick,
      Array.from({ length: 100 }, () => ({ ms: 20 })),
    );
    await eventually(async () =>
      expect((await queue(kernel)).filter((row) => row.locked_by).length).toBeGreaterThan(2),
    );
    await outage(kernel, 300);
    await sleep(300);
    expect([worker.exitCode, worker.signalCode]).toEqual([null, null]);
  }
  await eventually(async () => expect(await queue(kernel)).toEqual([]), 25_000);
  expect([worker.exitCode, worker.signalCode]).toEqual([null, null]);
  expect(await workers(kernel)).toBe(1);
}, 60_000);
