import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sql, type Tx } from '../db.ts';
import { defineFailureWatch, defineJob, enqueue, type FailedJob, retryJob } from '../jobs.ts';
import type { Kernel } from '../kernel.ts';
import { testKernelHere } from '../testing/index.ts';

const job = defineJob<{ n: number }>({ name: 'test.fails', maxAttempts: 3, run: async () => {} });

async function giveUp(kernel: Kernel, error: string | null = 'it does not work'): Promise<void> {
  await kernel.db.run(
    sql('update graphile_worker._private_jobs set attempts = max_attempts, last_error = $1, run_at = now()', [error]),
  );
}

/** Runs the watch `times` times at once and answers what was told. */
async function watch(kernel: Kernel, times = 1): Promise<FailedJob[]> {
  const told: FailedJob[] = [];
  const failures = defineFailureWatch(kernel.db, async (_tx, jobs) => {
    told.push(...jobs);
    // Long enough for the others to look while this one has not committed.
    if (times > 1) await sleep(200);
  });
  await Promise.all(Array.from({ length: times }, () => run(kernel, failures)));
  return told;
}

const run = (kernel: Kernel, failures: ReturnType<typeof defineFailureWatch>) =>
  failures.run({}, { signal: new AbortController().signal, log: kernel.log, isLastAttempt: false });

describe('people are told of jobs that were given up', () => {
  it('once each, however many look at the same time', async () => {
    const kernel = await testKernelHere();
    await enqueue(kernel.db, job, [{ n: 1 }, { n: 2 }]);
    expect(await watch(kernel)).toEqual([]);
    await giveUp(kernel);
    const told = await watch(kernel, 4);
    expect(told).toHaveLength(2);
    expect(told[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      task: 'test.fails',
      attempts: 3,
      lastError: 'it does not work',
    });
    expect(await watch(kernel)).toEqual([]);
  });

  it('of more than a thousand too', async () => {
    const kernel = await testKernelHere();
    await enqueue(
      kernel.db,
      job,
      Array.from({ length: 2_300 }, (_, n) => ({ n })),
    );
    await giveUp(kernel);
    const told = await watch(kernel);
    expect(new Set(told.map((one) => one.id)).size).toBe(2_300);
    expect(told).toHaveLength(2_300);
  });

  it('again when it was retried and given up again', async () => {
    const kernel = await testKernelHere();
    await enqueue(kernel.db, job, [{ n: 1 }]);
    await giveUp(kernel);
    const [first] = await watch(kernel);
    await kernel.db.transaction((tx) => retryJob(tx, first!.id));
    expect(await watch(kernel)).toEqual([]);
    await giveUp(kernel, null);
    expect(await watch(kernel)).toEqual([{ ...first, lastError: null }]);
    expect(await watch(kernel)).toEqual([]);
  });

  it('in one transaction with what is written about it', async () => {
    const kernel = await testKernelHere();
    await kernel.db.run(sql('create table told (id bigint)'));
    await enqueue(kernel.db, job, [{ n: 1 }]);
    await giveUp(kernel);
    const write = (tx: Tx, jobs: readonly FailedJob[]) => tx.run(sql('insert into told values ($1)', [jobs[0]!.id]));
    const breaks = defineFailureWatch(kernel.db, async (tx, jobs) => {
      await write(tx, jobs);
      throw new Error('the mail could not be written');
    });
    await expect(run(kernel, breaks)).rejects.toThrow('could not be written');
    const works = defineFailureWatch(kernel.db, async (tx, jobs) => void (await write(tx, jobs)));
    await run(kernel, works);
    await run(kernel, works);
    expect(await kernel.db.many(sql('select id from told'))).toHaveLength(1);
  });
});
