import { cancelJob as cancel, retryJob as retry } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { jobFinished, jobRunning } from './errors.ts';
import { findJob, unknownJob } from './list-jobs.ts';
import type { Job } from './schemas.ts';

type Deps = Pick<Kernel, 'db' | 'events'>;

/** Runs a given-up or waiting job now. Throws job_not_found, job_running, job_finished. */
export async function retryJob({ db, events }: Deps, id: string, actorId: string): Promise<Job> {
  await db.transaction(async (tx) => {
    const retried = await retry(tx, id);
    if (retried.outcome === 'unknown') throw unknownJob();
    if (retried.outcome === 'finished') throw jobFinished('This job is over. It is not run again.');
    if (retried.outcome === 'running')
      throw jobRunning('This job is running. Wait for its end, or cancel it, before you retry it.');
    await events.append(tx, {
      type: 'job.retried',
      subject: { type: 'job', id },
      actorId,
      data: { task: retried.task },
    });
  });
  await events.flush();
  return findJob(db, id);
}

/**
 * Removes a waiting or given-up job, or asks a running one to stop, which it does within a second if it heeds its
 * signal; `asked` says which. Throws job_not_found, job_finished.
 */
export async function cancelJob(
  { db, events }: Deps,
  id: string,
  actorId: string,
): Promise<{ asked: boolean; job: Job }> {
  const asked = await db.transaction(async (tx) => {
    const cancelled = await cancel(tx, id);
    if (cancelled.outcome === 'unknown') throw unknownJob();
    if (cancelled.outcome === 'finished') throw jobFinished('This job is over. There is nothing left to cancel.');
    if (cancelled.outcome === 'asked_before') return true;
    await events.append(tx, {
      type: 'job.cancelled',
      subject: { type: 'job', id },
      actorId,
      data: { task: cancelled.task },
    });
    return cancelled.outcome === 'asked';
  });
  await events.flush();
  return { asked, job: await findJob(db, id) };
}
