import { type Database, prepare } from '../db.ts';
import type { Logger } from '../log.ts';

/**
 * What this process's workers did, written in batches: at ten thousand jobs a second a row each would cost more than
 * the jobs. The counts are exact, but for what a killed process had not yet written; of single jobs that are done at
 * once, the first thousand are listed.
 */

/** A job as its worker has it. */
export type TakenJob = {
  id: number | string;
  task_identifier: string;
  payload: unknown;
  attempts: number;
  max_attempts: number;
  created_at: Date;
};

export interface JobRecord {
  done(job: TakenJob, ms: number): void;
  /** A run that ended in an error. */
  failed(task: string, ms: number): void;
  /** `ms` is null when it was not run. */
  cancelled(job: TakenJob, ms: number | null): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

const FLUSH_MS = 500;
const MOST_LISTED = 1_000;

// By the database's clock, as every time of a job: a row says how long ago it was finished.
const FINISHED = prepare(
  `insert into finished_jobs (id, task, payload, outcome, attempts, max_attempts, queued_at, finished_at, duration_ms)
   select id, task, payload, outcome, attempts, max_attempts, queued_at, now() - age_ms * interval '1 ms', duration_ms
   from json_to_recordset($1) as f (id bigint, task text, payload jsonb, outcome text, attempts int, max_attempts int,
                                    queued_at timestamptz, age_ms float8, duration_ms int)
   on conflict (id) do nothing`,
);
// In one order in every process, so that two that write the same minute wait for one another and never in a circle.
const THROUGHPUT = prepare(
  `insert into job_throughput as t (task, minute, done, failed, total_ms)
   select task, date_trunc('minute', now()), done, failed, total_ms
   from json_to_recordset($1) as n (task text, done bigint, failed bigint, total_ms bigint) order by task
   on conflict (minute, task) do update
     set done = t.done + excluded.done, failed = t.failed + excluded.failed, total_ms = t.total_ms + excluded.total_ms`,
);

type Finished = { at: number; [column: string]: unknown };
type Count = { done: number; failed: number; totalMs: number };

export function createRecord(db: Database, log: Logger): JobRecord {
  let finished: Finished[] = [];
  let counts = new Map<string, Count>();
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();

  const write = async () => {
    timer = undefined;
    const rows = finished;
    const sums = counts;
    finished = [];
    counts = new Map();
    try {
      const now = performance.now();
      if (rows.length > 0)
        await db.run(FINISHED([JSON.stringify(rows.map(({ at, ...row }) => ({ ...row, age_ms: now - at })))]));
      if (sums.size > 0)
        await db.run(
          THROUGHPUT([
            JSON.stringify(
              [...sums].map(([task, { done, failed, totalMs }]) => ({
                task,
                done,
                failed,
                total_ms: Math.round(totalMs),
              })),
            ),
          ]),
        );
    } catch (error) {
      log.warn({ err: error, jobs: rows.length }, 'what jobs were done could not be recorded');
    }
  };
  const flush = () => {
    flushing = flushing.then(write);
    return flushing;
  };
  const soon = () => {
    timer ??= setTimeout(flush, FLUSH_MS);
  };
  const count = (task: string, what: 'done' | 'failed', ms: number) => {
    const sum = counts.get(task) ?? { done: 0, failed: 0, totalMs: 0 };
    sum[what] += 1;
    sum.totalMs += ms;
    counts.set(task, sum);
    soon();
  };
  const list = (job: TakenJob, outcome: 'done' | 'cancelled', ms: number | null) => {
    finished.push({
      at: performance.now(),
      id: job.id,
      task: job.task_identifier,
      payload: job.payload,
      outcome,
      attempts: job.attempts,
      max_attempts: job.max_attempts,
      queued_at: job.created_at,
      duration_ms: ms === null ? null : Math.round(ms),
    });
    soon();
  };

  return {
    done(job, ms) {
      if (finished.length < MOST_LISTED) list(job, 'done', ms);
      count(job.task_identifier, 'done', ms);
    },
    failed: (task, ms) => count(task, 'failed', ms),
    cancelled: (job, ms) => list(job, 'cancelled', ms),
    stop() {
      clearTimeout(timer);
      return flush();
    },
  };
}
