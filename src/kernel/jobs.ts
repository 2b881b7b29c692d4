import { setTimeout as sleep } from 'node:timers/promises';
import { Logger as GraphileLogger, type JobHelpers, parseCronItems, type Runner, run } from 'graphile-worker';
import pg from 'pg';
import { type Sql, sql } from './db.ts';
import type { Logger } from './log.ts';

/**
 * Work that outlives the request that caused it, over graphile-worker: jobs are rows beside the data, retried with
 * growing pauses until their attempts are spent. A job may run twice (a worker can die after its effect), so every
 * handler is idempotent.
 */

export type JobContext = {
  /** Aborted when the process is asked to stop, or the job to be cancelled: finish soon, or throw and be retried. */
  signal: AbortSignal;
  log: Logger;
  /** Whether it is given up if it throws now. */
  isLastAttempt: boolean;
};

/**
 * Workers of their own for jobs that wait on foreign hosts: however slow these are, the other jobs have theirs. Jobs
 * without a lane share the process's workers.
 */
export type Lane = { readonly name: string; readonly concurrency: number };

export type Job<Payload> = {
  readonly name: string;
  run(payload: Payload, context: JobContext): Promise<void>;
  /** Tries before it is given up; 25 when left out, over about three days. */
  readonly maxAttempts?: number;
  readonly lane?: Lane;
  /** Also run by itself at these times (crontab, UTC), with an empty payload. */
  readonly cron?: string;
};

export function defineJob<Payload extends object>(job: Job<Payload>): Job<Payload> {
  return job;
}

export type EnqueueOptions = {
  /** Not before this time; at once when left out. */
  at?: Date;
  /** Of jobs with one key at most one waits: a later one takes its place, payload and time included. */
  key?: string;
};

/**
 * Adds jobs in one statement. It notifies the workers, and a NOTIFY makes commits queue behind one another: business
 * transactions append an event instead, and the relay adds its subscribers' jobs; or enqueue after their commit, with
 * something that looks for what a crash in between has left.
 */
export async function enqueue<Payload extends object>(
  target: Sql,
  job: Job<Payload>,
  payloads: readonly Payload[],
  { at, key }: EnqueueOptions = {},
): Promise<void> {
  if (payloads.length === 0) return;
  await target.run(
    sql(
      `select 1 from graphile_worker.add_jobs(array(
         select json_populate_record(null::graphile_worker.job_spec,
           json_build_object('identifier', $1::text, 'payload', payload, 'max_attempts', $3::int, 'run_at', $4::timestamptz,
             'job_key', $5::text))
         from json_array_elements($2::json) as payload))`,
      [job.name, JSON.stringify(payloads), job.maxAttempts ?? 25, at ?? null, key ?? null],
    ),
  );
}

/** How long a stop waits for running jobs before their signal is aborted, and after that before giving up on them. */
const DRAIN_MS = 5_000;

/** Starts the workers of this process. `url` must reach PostgreSQL without a pooler, for LISTEN. */
export async function startJobs(options: {
  url: string;
  jobs: readonly Job<never>[];
  concurrency: number;
  log: Logger;
}): Promise<{ stop(): Promise<void> }> {
  const { url, jobs, concurrency, log } = options;
  const stopping = new AbortController();
  const shared: Lane = { name: 'shared', concurrency };
  const lanes = Map.groupBy(jobs, (job) => job.lane ?? shared);
  const workers = lanes.keys().reduce((sum, lane) => sum + lane.concurrency, 0);
  // Of the library's own pool nobody listens to errors any more once it stops, and a connection that is lost at that moment
  // would take the process along.
  const pool = new pg.Pool({ connectionString: url, max: workers + 2 * lanes.size, application_name: 'vitrine jobs' });
  const lost = (error: Error) => log.debug({ err: error }, 'a connection of the workers was lost');
  pool.on('error', lost).on('connect', (client) => client.on('error', lost));
  const logger = new GraphileLogger(() => (level, message) => {
    if (level === 'error') log.error(message);
    else if (level === 'warning') log.warn(message);
    else log.debug(message);
  });
  const runners: Runner[] = [];
  for (const [lane, theirs] of lanes) {
    const taskList = Object.fromEntries(
      theirs.map((job) => [
        job.name,
        async (payload: unknown, { job: { id, attempts, max_attempts } }: JobHelpers) => {
          await job.run(payload as never, {
            signal: stopping.signal,
            log: log.child({ job: job.name, job_id: id }),
            isLastAttempt: attempts >= max_attempts,
          });
        },
      ]),
    );
    runners.push(
      await run({
        pgPool: pool,
        taskList,
        parsedCronItems: parseCronItems(
          theirs.flatMap((job) => (job.cron ? [{ task: job.name, match: job.cron, identifier: job.name }] : [])),
        ),
        logger,
        noHandleSignals: true,
        preset: {
          worker: {
            concurrentJobs: lane.concurrency,
            pollInterval: 2_000,
            // Fetching and completing in batches: 11.9k jobs/s against 360/s one by one.
            localQueue: { size: lane.concurrency * 4, refetchDelay: { durationMs: 100 } },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      }),
    );
  }
  return {
    async stop() {
      const stopped = Promise.all(runners.map((runner) => runner.stop()));
      await Promise.race([stopped, sleep(DRAIN_MS, undefined, { ref: false })]);
      stopping.abort();
      await Promise.race([stopped, sleep(DRAIN_MS, undefined, { ref: false })]);
      await Promise.race([pool.end(), sleep(DRAIN_MS, undefined, { ref: false })]);
    },
  };
}
