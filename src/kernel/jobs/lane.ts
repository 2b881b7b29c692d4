import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger as GraphileLogger, parseCronItems, type Runner, run, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import type { Job } from './definition.ts';
import { JobInterrupted, type Performer } from './perform.ts';
import type { Registry } from './registry.ts';

const DAY_MS = 86_400_000;
const LONGEST_PAUSE_MS = 30_000;

export type LaneWorkers = {
  /** Takes no more; resolves when its running jobs have ended and what it had only fetched is back. */
  stop(): Promise<void>;
  /** Frees what is still taken. */
  leave(): Promise<void>;
};

type Deps = { pool: pg.Pool; performer: Performer; registry: Registry; log: Logger };

/**
 * The workers of one lane, over one runner of the library. A runner shuts down by itself when the database refuses the end
 * of a job (a restart of the server is enough), and takes no more while its last jobs run: then another is started beside
 * it, and what it still holds when it has ended is freed. Resolves when the first runs.
 */
export async function startLane(
  jobs: readonly Job<never>[],
  concurrency: number,
  { pool, performer, registry, log }: Deps,
): Promise<LaneWorkers> {
  const stopping = new AbortController();
  /** By the pool that they lock jobs by; more than one while one that shut down has not ended. */
  const runners = new Map<string, Runner>();
  let restarting: Promise<void> | undefined;

  const leave = async (id: string) => {
    await registry.leave(id).catch((error: unknown) => log.warn({ err: error }, 'workers could not sign off'));
    runners.delete(id);
  };

  const begin = async () => {
    const events: WorkerEvents = new EventEmitter();
    let id = '';
    let joined: Promise<void> | undefined;
    events.once('pool:create', ({ workerPool }) => {
      id = workerPool.id;
      // What cannot be said now is said by the next beat, long before a worker without one counts as dead.
      joined = registry.join(id).catch((error: unknown) => log.warn({ err: error }, 'workers could not register yet'));
    });
    events.once('pool:gracefulShutdown', () => {
      if (!stopping.signal.aborted) restarting = again();
    });
    fetchWhatIsNotified(events);
    const runner = await run({
      pgPool: pool,
      events,
      taskList: Object.fromEntries(jobs.map((job) => [job.name, performer.task(job)])),
      parsedCronItems: parseCronItems(jobs.flatMap(cronItem)),
      logger: loggerFor(log),
      noHandleSignals: true,
      preset: {
        worker: {
          concurrentJobs: concurrency,
          pollInterval: 2_000,
          localQueue: LOCAL_QUEUE(concurrency),
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    });
    runners.set(id, runner);
    const ended = () => (stopping.signal.aborted ? undefined : leave(id));
    runner.promise.then(ended, ended);
    await joined;
  };

  const again = async () => {
    log.error('workers have shut down by themselves; others are started in their place');
    for (let pause = 1_000; !stopping.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await sleep(pause, undefined, { signal: stopping.signal });
        return await begin();
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'workers could not be started');
      }
    }
  };

  await begin();
  return {
    async stop() {
      stopping.abort();
      await restarting;
      await Promise.all(
        [...runners.values()].map(async (runner) => {
          // One that has shut down by itself refuses to be stopped, and is waited for all the same.
          await runner.stop().catch(() => {});
          await runner.promise.catch(() => {});
        }),
      );
    },
    async leave() {
      await Promise.all([...runners.keys()].map(leave));
    },
  };
}

/**
 * Fetching and completing in batches: 11.9k jobs/s against 360/s one by one. What was fetched waits a second at most
 * behind jobs that take long: then it goes back for the workers of other processes.
 */
const LOCAL_QUEUE = (concurrency: number) => ({
  size: concurrency * 4,
  ttl: 1_000,
  refetchDelay: { durationMs: 50 },
});

/**
 * After a fetch that found nothing, the library waits a moment before it fetches again, and forgets what it is notified of
 * meanwhile until the next poll, two seconds later. With several lanes that is common: each hears of the others' jobs,
 * and finds nothing. So a fetch follows at the end of the wait if there was a notification.
 */
function fetchWhatIsNotified(events: WorkerEvents): void {
  let notified = false;
  events.on('pool:listen:notification', () => {
    notified = true;
  });
  events.on('localQueue:refetchDelay:expired', ({ localQueue }) => {
    if (notified) localQueue.pulse(1);
    notified = false;
  });
}

/** A run that was missed is made up for if the next one is far away: one of every minute or hour is not worth it. */
function cronItem({ name, cron, maxAttempts = 25 }: Job<never>) {
  if (!cron) return [];
  const backfillPeriod = /^\d+ \d+ /.test(cron) ? DAY_MS : 0;
  return [{ task: name, match: cron, identifier: name, options: { maxAttempts, backfillPeriod } }];
}

function loggerFor(log: Logger): GraphileLogger {
  return new GraphileLogger(() => (level, message, meta) => {
    const job = meta?.failure ? (meta.job as { attempts: number; max_attempts: number }) : undefined;
    if (meta?.error instanceof JobInterrupted) log.debug(message);
    else if (level === 'error' && (!job || job.attempts >= job.max_attempts)) log.error(message);
    else if (level === 'error' || level === 'warning') log.warn(message);
    else log.debug(message);
  });
}
