import { performance } from 'node:perf_hooks';
import type { Job as GraphileJob, JobHelpers } from 'graphile-worker';
import { type Database, prepare, sql } from '../db.ts';
import type { Logger } from '../log.ts';
import type { Job } from './definition.ts';
import type { JobRecord } from './record.ts';
import { endReplaced, SET_GIVEN_UP, wasReplaced } from './replaced.ts';

/**
 * One run of a job, between the library, which takes and ends it, and its handler. How a run ends:
 *
 * - it returns: done, even when it was asked to stop or cancelled meanwhile;
 * - it throws: tried again after a pause that is spread at random, or given up by the library when its attempts are spent;
 * - it throws after a later job with its key has taken its place: it ends, since that one does the work;
 * - it throws after it was cancelled: it ends as cancelled and is not tried again. Nothing else that throws is completed;
 * - it throws after this process was asked to stop: it goes back as if it had never been taken, for others at once.
 */

export interface Performer {
  /** The job as a task of the library. */
  task(job: Job<never>): (payload: unknown, helpers: JobHelpers) => Promise<void>;
  /** Aborts the running jobs that somebody asked to cancel. */
  watchCancellations(): Promise<void>;
  /** Aborts every running job: the process ends. */
  interrupt(): void;
}

/** Thrown on to the library, which finds that the job is no longer this worker's and leaves it alone. */
export class JobInterrupted extends Error {
  override name = 'JobInterrupted';
}

const IS_CANCELLED = prepare('select from job_cancellations where job_id = $1');

// The library ends a failed run with run_at = greatest(now(), run_at) + exp(attempts) seconds, the same for all: jobs that
// failed together, because what they call was away, would come back together for ever. It has no way to say otherwise, so
// the random part is put into its private column first, which makes it 1 to 1.5 times the pause.
const SPREAD = prepare(
  `update graphile_worker._private_jobs
   set run_at = now() + random() * 0.5 * exp(least(attempts, 10)) * interval '1 second', ${SET_GIVEN_UP}
   where id = $1 and locked_by = $2`,
);

// What the library does with jobs that it has fetched and not begun.
const GIVE_BACK = prepare(
  `update graphile_worker._private_jobs
   set locked_by = null, locked_at = null, attempts = greatest(0, attempts - 1)
   where id = $1 and locked_by = $2`,
);

const END_REPLACED = endReplaced('id = $1 and locked_by = $2');

const CANCELLED = new DOMException('The job was cancelled.', 'AbortError');
const STOPPING = new DOMException('The process is asked to stop.', 'AbortError');

/** Whether it is the job itself that is not wanted any more, and not its process that ends. */
export function wasCancelled(signal: AbortSignal): boolean {
  return signal.reason === CANCELLED;
}

type Run = { id: number | string; controller: AbortController };

export function createPerformer({ db, record, log }: { db: Database; record: JobRecord; log: Logger }): Performer {
  const runs = new Set<Run>();
  let stopping = false;
  const isCancelled = async (id: number | string) => (await db.run(IS_CANCELLED([id]))) > 0;

  /** What cannot be ended now is once it has come free, by the sweep. */
  const endIfReplaced = async (taken: GraphileJob): Promise<boolean> => {
    const ended = await db.run(END_REPLACED([taken.id, taken.locked_by])).catch(() => 0);
    return ended > 0;
  };

  const perform = async (job: Job<never>, taken: GraphileJob): Promise<void> => {
    const { id, attempts, max_attempts: most } = taken;
    // It was fetched and replaced before it had begun, and came back.
    if (wasReplaced(taken)) return void (await endIfReplaced(taken));
    // A first attempt cannot have been cancelled while it ran. One query less for nearly every job.
    if (attempts > 1 && (await isCancelled(id))) return record.cancelled(taken, null);
    const run: Run = { id, controller: new AbortController() };
    const { signal } = run.controller;
    if (stopping) run.controller.abort(STOPPING);
    runs.add(run);
    const began = performance.now();
    try {
      await job.run(taken.payload as never, {
        signal,
        log: log.child({ job: job.name, job_id: id }),
        get isLastAttempt() {
          return wasCancelled(signal) || (attempts >= most && signal.reason !== STOPPING);
        },
      });
      record.done(taken, performance.now() - began);
    } catch (error) {
      const ms = performance.now() - began;
      if (wasCancelled(signal) || (await isCancelled(id).catch(() => false))) return record.cancelled(taken, ms);
      if (taken.key !== null && (await endIfReplaced(taken))) return record.failed(job.name, ms);
      const end = signal.reason === STOPPING ? GIVE_BACK : SPREAD;
      await db.run(end([id, taken.locked_by])).catch((fault: unknown) => {
        log.warn({ err: fault, job: job.name, job_id: id }, 'a failed job could not be put off');
      });
      if (signal.reason === STOPPING) throw new JobInterrupted('The process was asked to stop.', { cause: error });
      record.failed(job.name, ms);
      throw error;
    } finally {
      runs.delete(run);
    }
  };

  return {
    task: (job) => (_payload, helpers) => perform(job, helpers.job),
    async watchCancellations() {
      if (runs.size === 0) return;
      const asked = await db.many<{ job_id: number }>(
        sql('select job_id from job_cancellations where job_id = any ($1)', [[...runs].map((run) => run.id)]),
      );
      const ids = new Set(asked.map((row) => String(row.job_id)));
      for (const run of runs) if (ids.has(String(run.id))) run.controller.abort(CANCELLED);
    },
    interrupt() {
      stopping = true;
      for (const run of runs) run.controller.abort(STOPPING);
    },
  };
}
