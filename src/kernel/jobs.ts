import { setTimeout as sleep } from 'node:timers/promises';
import { Logger as GraphileLogger, type JobHelpers, parseCronItems, run } from 'graphile-worker';
import pg from 'pg';
import { type Sql, sql } from './db.ts';
import type { Logger } from './log.ts';

/**
 * Work that outlives the request that caused it, over graphile-worker: jobs are rows beside the data, retried with
 * growing pauses until their attempts are spent. A job may run twice (a worker can die after its effect), so every
 * handler is idempotent.
 */

export type JobContext = {
  /** Aborted when the process is asked to stop: finish soon, or throw and be retried. */
  signal: AbortSignal;
  log: Logger;
};

export type Job<Payload> = {
  readonly name: string;
  run(payload: Payload, context: JobContext): Promise<void>;
  /** Tries before it is given up; 25 when left out, over about three days. */
  readonly maxAttempts?: number;
  /** Also run by itself at these times (crontab, UTC), with an empty payload. */
  readonly cron?: string;
};

export function defineJob<Payload extends object>(job: Job<Payload>): Job<Payload> {
  return job;
}

/**
 * Adds jobs in one statement. It notifies the workers, and a NOTIFY makes commits queue behind one another: business
 * transactions append an event instead, and the relay adds its subscribers' jobs.
 */
export async function enqueue<Payload extends object>(
  target: Sql,
  job: Job<Payload>,
  payloads: readonly Payload[],
): Promise<void> {
  if (payloads.length === 0) return;
  await target.run(
    sql(
      `select 1 from graphile_worker.add_jobs(array(
         select json_populate_record(null::graphile_worker.job_spec,
           json_build_object('identifier', $1::text, 'payload', payload, 'max_attempts', $3::int))
         from json_array_elements($2::json) as payload))`,
      [job.name, JSON.stringify(payloads), job.maxAttempts ?? 25],
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
  const taskList = Object.fromEntries(
    jobs.map((job) => [
      job.name,
      async (payload: unknown, helpers: JobHelpers) => {
        const context = { signal: stopping.signal, log: log.child({ job: job.name, job_id: helpers.job.id }) };
        await job.run(payload as never, context);
      },
    ]),
  );
  // Of the library's own pool nobody listens to errors any more once it stops, and a connection that is lost at that moment
  // would take the process along.
  const pool = new pg.Pool({ connectionString: url, max: concurrency + 2, application_name: 'vitrine jobs' });
  const lost = (error: Error) => log.debug({ err: error }, 'a connection of the workers was lost');
  pool.on('error', lost).on('connect', (client) => client.on('error', lost));
  const runner = await run({
    pgPool: pool,
    taskList,
    parsedCronItems: parseCronItems(
      jobs.flatMap((job) => (job.cron ? [{ task: job.name, match: job.cron, identifier: job.name }] : [])),
    ),
    logger: new GraphileLogger(() => (level, message) => {
      if (level === 'error') log.error(message);
      else if (level === 'warning') log.warn(message);
      else log.debug(message);
    }),
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: concurrency,
        pollInterval: 2_000,
        // Fetching and completing in batches: 11.9k jobs/s against 360/s one by one.
        localQueue: { size: concurrency * 4, refetchDelay: { durationMs: 100 } },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  return {
    async stop() {
      const stopped = runner.stop();
      await Promise.race([stopped, sleep(DRAIN_MS, undefined, { ref: false })]);
      stopping.abort();
      await Promise.race([stopped, sleep(DRAIN_MS, undefined, { ref: false })]);
      await Promise.race([pool.end(), sleep(DRAIN_MS, undefined, { ref: false })]);
    },
  };
}
