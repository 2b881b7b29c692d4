import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { defineJob, defineTidyJob, enqueue, type Job, startJobs } from '../src/kernel/jobs.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

let shop: TestShop;
let boss: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  boss = await shop.as('superuser');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  await shop.db.run(sql('delete from graphile_worker._private_jobs'));
  for (const table of ['finished_jobs', 'job_throughput', 'job_cancellations', 'job_failures_told', 'job_workers'])
    await shop.db.run(sql(`delete from ${table}`));
});

const plain = defineJob<{ thing_id: number }>({ name: 'test.plain', maxAttempts: 4, run: async () => {} });

async function add(count = 1, job: Job<{ thing_id: number }> = plain): Promise<string[]> {
  await enqueue(
    shop.db,
    job,
    Array.from({ length: count }, (_, n) => ({ thing_id: n })),
  );
  const rows = await shop.db.many(
    sql<{ id: string }>('select j.id::text from graphile_worker._private_jobs j order by j.id desc limit $1', [count]),
  );
  return rows.map((row) => row.id).reverse();
}
const giveUp = (id: string, error: string | null = 'it does not work') =>
  shop.db.run(
    sql('update graphile_worker._private_jobs set attempts = max_attempts, last_error = $2 where id = $1', [id, error]),
  );
const take = (id: string, by = 'pool-x') =>
  shop.db.run(
    sql(
      `update graphile_worker._private_jobs set attempts = attempts + 1, locked_by = $2, locked_at = now() where id = $1`,
      [id, by],
    ),
  );
const idsOf = ({ json }: Answer) => json.items.map((item: { id: string }) => item.id);
const events = () =>
  shop.db.many(
    sql<{ type: string; subject_id: string; actor_id: string; data: unknown }>(
      `select type, subject_id, actor_id, data from events where type like 'job.%' order by position desc limit 2`,
    ),
  );

async function work(jobs: readonly Job<never>[], times = {}) {
  const workers = await startJobs({ url: shop.directUrl, jobs, concurrency: 2, log: shop.log, times });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= workers.stop());
  onTestFinished(stop);
  return { stop };
}

describe('GET /api/jobs', () => {
  it('lists what waits, runs, was given up, was done and was cancelled, the newest first', async () => {
    const [done] = await add();
    const workers = await work([plain]);
    await eventually(async () => expect((await boss.get('/api/jobs')).json.counts.done).toBe(1));
    await workers.stop();
    const [queued, running, failed, cancelled] = await add(4);
    await take(running!);
    await shop.db.run(sql("insert into job_workers (pool_id) values ('pool-x')"));
    await giveUp(failed!, 'x'.repeat(5_000));
    await boss.post(`/api/jobs/${cancelled}/cancel`);

    const all = await boss.get('/api/jobs');
    expect(all.status).toBe(200);
    expect(all.headers.get('cache-control')).toBe('no-store');
    expect(all.json).toMatchObject({
      page: 1,
      page_size: 10,
      total: 5,
      total_pages: 1,
      next_cursor: null,
      counts: { queued: 1, running: 1, failed: 1, done: 1, cancelled: 1 },
    });
    expect(idsOf(all)).toEqual([cancelled, failed, running, queued, done]);
    const byState = Object.fromEntries(all.json.items.map((item: { state: string }) => [item.state, item]));
    const common = { task: 'test.plain', max_attempts: 4, created_at: expect.any(String), cancel_requested: false };
    expect(byState.queued).toEqual({
      ...common,
      id: queued,
      state: 'queued',
      payload: { thing_id: 0 },
      attempts: 0,
      run_at: expect.any(String),
      started_at: null,
      finished_at: null,
      duration_ms: null,
      last_error: null,
      worker_alive: null,
    });
    expect(byState.running).toMatchObject({
      ...common,
      attempts: 1,
      started_at: expect.any(String),
      worker_alive: true,
    });
    expect(byState.failed).toMatchObject({ ...common, attempts: 4, run_at: null, last_error: 'x'.repeat(2_000) });
    expect(byState.done).toMatchObject({
      ...common,
      payload: { thing_id: 0 },
      attempts: 1,
      finished_at: expect.any(String),
      duration_ms: expect.any(Number),
    });
    expect(byState.cancelled).toMatchObject({
      ...common,
      attempts: 0,
      started_at: null,
      finished_at: expect.any(String),
    });

    for (const state of ['queued', 'running', 'failed', 'done', 'cancelled']) {
      const only = await boss.get(`/api/jobs?state=${state}`);
      expect(idsOf(only)).toEqual([byState[state].id]);
      expect(only.json.total).toBe(1);
    }
    expect((await boss.get('/api/jobs?state=lost')).status).toBe(400);
    await shop.db.run(sql("update job_workers set beat_at = now() - interval '31 s'"));
    expect((await boss.get(`/api/jobs/${running}`)).json.worker_alive).toBe(false);
  });

  it('narrows all of it to a task', async () => {
    const [mine] = await add();
    await enqueue(shop.db, defineJob<object>({ name: 'test.other', run: async () => {} }), [{}]);
    const answer = await boss.get('/api/jobs?task=test.plain');
    expect(idsOf(answer)).toEqual([mine]);
    expect(answer.json.counts.queued).toBe(1);
    expect((await boss.get('/api/jobs?task=test.nothing')).json).toMatchObject({ items: [], total: 0, total_pages: 0 });
  });

  it('is walked by pages and by a cursor, across those that wait and those that are over', async () => {
    const ids = await add(7);
    for (const id of ids.filter((_, n) => n % 2 === 0)) await boss.post(`/api/jobs/${id}/cancel`);
    const newest = ids.toReversed();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const answer: Answer = await boss.get(`/api/jobs?page_size=3${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...idsOf(answer));
      cursor = answer.json.next_cursor;
    } while (cursor);
    expect(seen).toEqual(newest);
    expect(idsOf(await boss.get('/api/jobs?page_size=3&page=2'))).toEqual(newest.slice(3, 6));
    expect((await boss.get('/api/jobs?cursor=abc')).json.code).toBe('invalid_cursor');
    expect((await boss.get('/api/jobs?page=200&page_size=100')).json.code).toBe('page_too_deep');
  });

  it('says how much is being done', async () => {
    await shop.db.run(
      sql(
        `insert into job_throughput (task, minute, done, failed, total_ms)
         select 'test.plain', date_trunc('minute', now()) - n * interval '1 minute', 10, 1, 110 from unnest(array[0, 1, 2, 61]) n`,
      ),
    );
    const { throughput } = (await boss.get('/api/jobs')).json;
    // When the minute turns between the two, one row less lies within the hour.
    expect(throughput).toEqual([
      { task: 'test.plain', last_minute: { done: 10, failed: 1 }, last_hour: { done: 30, failed: 3 }, average_ms: 10 },
    ]);
  });
});

describe('POST /api/jobs/{id}/retry', () => {
  it('gives a failed job all its attempts again, at once', async () => {
    const [id] = await add();
    await giveUp(id!);
    const answer = await boss.post(`/api/jobs/${id}/retry`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id, state: 'queued', attempts: 0, last_error: 'it does not work' });
    expect(Date.parse(answer.json.run_at)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect((await events())[0]).toEqual({
      type: 'job.retried',
      subject_id: id,
      actor_id: boss.userId,
      data: { task: 'test.plain' },
    });
    await work([plain]);
    await eventually(async () => expect((await boss.get(`/api/jobs/${id}`)).json.state).toBe('done'));
  });

  it('ends the pause of one that waits, whose attempts stay counted', async () => {
    const [id] = await add();
    await shop.db.run(
      sql("update graphile_worker._private_jobs set attempts = 2, run_at = now() + interval '1 hour' where id = $1", [
        id,
      ]),
    );
    const { json } = await boss.post(`/api/jobs/${id}/retry`);
    expect(json).toMatchObject({ state: 'queued', attempts: 2 });
    expect(Date.parse(json.run_at)).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it('refuses one that runs, is over, or is unknown', async () => {
    const [running, over] = await add(2);
    await take(running!);
    await boss.post(`/api/jobs/${over}/cancel`);
    for (const [id, status, code] of [
      [running, 409, 'job_running'],
      [over, 409, 'job_finished'],
      ['999999999', 404, 'job_not_found'],
    ]) {
      const answer = await boss.post(`/api/jobs/${id}/retry`);
      expect([answer.status, answer.json.code]).toEqual([status, code]);
    }
    expect((await boss.post('/api/jobs/1e3/retry')).status).toBe(400);
  });
});

describe('POST /api/jobs/{id}/cancel', () => {
  it('removes one that waits or has failed', async () => {
    const [queued, failed] = await add(2);
    await giveUp(failed!);
    for (const id of [queued, failed]) {
      const answer = await boss.post(`/api/jobs/${id}/cancel`);
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        id,
        state: 'cancelled',
        last_error: id === failed ? 'it does not work' : null,
      });
      expect((await events())[0]).toMatchObject({ type: 'job.cancelled', subject_id: id, actor_id: boss.userId });
    }
    const again = await boss.post(`/api/jobs/${queued}/cancel`);
    expect([again.status, again.json.code]).toEqual([409, 'job_finished']);
    expect((await boss.post('/api/jobs/999999999/cancel')).json.code).toBe('job_not_found');
    expect((await boss.get('/api/jobs/999999999')).json.code).toBe('job_not_found');
  });

  it('asks one that runs, which ends within a second', async () => {
    const waits = defineJob<{ thing_id: number }>({
      name: 'test.waits',
      run: (_payload, { signal }) => sleep(60_000, undefined, { signal }),
    });
    const [id] = await add(1, waits);
    await work([waits]);
    await eventually(async () => expect((await boss.get(`/api/jobs/${id}`)).json.state).toBe('running'));
    const answer = await boss.post(`/api/jobs/${id}/cancel`);
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ id, state: 'running', cancel_requested: true, worker_alive: true });
    const before = await events();
    expect(before[0]).toMatchObject({ type: 'job.cancelled', subject_id: id });
    const again = await boss.post(`/api/jobs/${id}/cancel`);
    if (again.status !== 409) expect(again.status).toBe(202);
    expect(await events()).toEqual(before);
    await eventually(async () =>
      expect((await boss.get(`/api/jobs/${id}`)).json).toMatchObject({ state: 'cancelled', cancel_requested: false }),
    );
  });

  it('is undone by a retry when the job came back before it was heard', async () => {
    const [id] = await add();
    await take(id!);
    expect((await boss.post(`/api/jobs/${id}/cancel`)).status).toBe(202);
    await shop.db.run(sql('update graphile_worker._private_jobs set locked_by = null, locked_at = null'));
    expect((await boss.post(`/api/jobs/${id}/retry`)).status).toBe(200);
    await work([plain], { sweep: 50 });
    await eventually(async () => expect((await boss.get(`/api/jobs/${id}`)).json.state).toBe('done'));
  });
});

it('keeps the newest 10,000 single jobs of a week, and figures of 30 days', async () => {
  await shop.db.run(
    sql(
      `insert into finished_jobs (id, task, payload, outcome, attempts, max_attempts, queued_at, finished_at)
       select n, 'test.plain', '{}', 'done', 1, 1, now(), now() - case when n > 10199 then interval '8 days' else '0' end
       from generate_series(1, 10200) n`,
    ),
  );
  await shop.db.run(
    sql(
      `insert into job_throughput select 'test.plain', date_trunc('minute', now()) - d * interval '1 day', 1, 0, 0
       from unnest(array[1, 31]) d`,
    ),
  );
  await shop.db.run(sql('insert into job_failures_told values (1, now())'));
  await defineTidyJob(shop.db).run({}, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
  const { n, oldest } = await shop.db.one(
    sql<{ n: number; oldest: number }>('select count(*) as n, min(id) as oldest from finished_jobs'),
  );
  expect([n, oldest]).toEqual([9_999, 201]);
  expect(await shop.db.many(sql('select task from job_throughput'))).toHaveLength(1);
  expect(await shop.db.many(sql('select job_id from job_failures_told'))).toEqual([]);
});
