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
const LAST_WORD_MS = 3_000;

export type LaneWorkers = {
  /** Takes no more; resolves when its running jobs have ended and what it had only fetched is back. */
  stop(): Promise<void>;
  /** Frees what is still taken. */
  leave(): Promise<void>;
};

type JobId = number | string;
type Held = {
  runner: Runner;
  /** What it had only fetched, once it has shut down. */
  unbegun: readonly JobId[];
  /** When it is not waited for any more. */
  overdue: Promise<void>;
};
/** The library's own private method of a queue. */
type Counting = { background(work: Promise<void>): void };
type Deps = { pool: pg.Pool; performer: Performer; registry: Registry; firstFetchMs: number; log: Logger };

/**
 * The workers of one lane, over one runner of the library. A runner shuts down by itself when the database refuses the end
 * of a job (a restart of the server is enough), and takes no more while its last jobs run: then another is started beside
 * it, and what it still holds when it has ended is freed. Resolves when the first runs.
 */
export async function startLane(
  jobs: readonly Job<never>[],
  concurrency: number,
  { pool, performer, registry, firstFetchMs, log }: Deps,
): Promise<LaneWorkers> {
  const stopping = new AbortController();
  /** By the pool that they lock jobs by; more than one while one that shut down has not ended. */
  const runners = new Map<string, Held>();
  let restarting: Promise<void> | undefined;

  const leave = async (id: string) => {
    const unbegun = runners.get(id)?.unbegun ?? [];
    await registry.leave(id, unbegun).catch((error: unknown) => log.warn({ err: error }, 'workers could not sign off'));
    runners.delete(id);
  };

  const begin = async () => {
    const events: WorkerEvents = new EventEmitter();
    const unbegun = returnWhatIsUnbegun(events);
    const overdue = endIsOverdue(events);
    const firstFetchFailed = failureOfFirstFetch(events, firstFetchMs);
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
      logger: loggerFor(log, stopping.signal),
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
    runners.set(id, { runner, unbegun, overdue });
    firstFetchFailed.then(() => runner.stop()).catch(() => {});
    const ended = Promise.race([runner.promise, overdue]).catch(() => {});
    void ended.then(() => {
      if (stopping.signal.aborted) return;
      // One that is overdue still has its timer of periodic jobs; any other refuses.
      runner.stop().catch(() => {});
      return leave(id);
    });
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
        [...runners.values()].map(({ runner, overdue }) => {
          // One that has shut down by itself refuses to be stopped, and is waited for all the same.
          const stopped = runner.stop().catch(() => {});
          return Promise.race([stopped.then(() => runner.promise.catch(() => {})), overdue]);
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

/**
 * When a runner shuts down with fetched jobs in its queue, the library gives them back and then refuses, by a mistake, to
 * keep count of that: the shutdown fails, and if the database then fails too, nobody hears of it and it ends the process.
 * With something else under way at that moment it is counted, waited for and heard. The jobs, in case it fails, are
 * answered once they are known.
 */
function returnWhatIsUnbegun(events: WorkerEvents): readonly JobId[] {
  const unbegun: JobId[] = [];
  let queue: Counting | undefined;
  events.once('localQueue:init', ({ localQueue }) => {
    queue = localQueue as unknown as Counting;
  });
  // Emitted just before the queue is released, in the same turn.
  events.once('pool:gracefulShutdown', () => queue?.background(Promise.resolve()));
  events.on('localQueue:returnJobs', ({ localQueue, jobs }) => {
    if (localQueue.mode === 'RELEASED') unbegun.push(...jobs.map((job) => job.id));
  });
  return unbegun;
}

/**
 * Resolves a while after the jobs of a runner that shuts down have ended. It then waits for its last word on them to reach
 * the database, and for ever when the database has refused two at once: the library counts one of these twice.
 */
async function endIsOverdue(events: WorkerEvents): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  events.once('pool:gracefulShutdown:complete', () => resolve());
  events.once('pool:forcefulShutdown:complete', () => resolve());
  events.once('pool:forcefulShutdown:error', () => resolve());
  await promise;
  await sleep(LAST_WORD_MS, undefined, { ref: false });
}

/**
 * Resolves when a runner has fetched nothing for so long since it began, not even that there is nothing. If the database
 * fails at its first fetch, the library keeps that failure for the answer to all later ones: only another runner helps.
 */
function failureOfFirstFetch(events: WorkerEvents, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms).unref();
  events.once('localQueue:getJobs:complete', () => clearTimeout(timer));
  events.once('pool:gracefulShutdown', () => clearTimeout(timer));
  return promise;
}

/** A run that was missed is made up for if the next one is far away: one of every minute or hour is not worth it. */
function cronItem({ name, cron, maxAttempts = 25 }: Job<never>) {
  if (!cron) return [];
  const backfillPeriod = /^\d+ \d+ /.test(cron) ? DAY_MS : 0;
  return [{ task: name, match: cron, identifier: name, options: { maxAttempts, backfillPeriod } }];
}

/** What fails in a stop, for jobs that could not go back, is freed by "leave": only what a job itself has done is told. */
function loggerFor(log: Logger, stopping: AbortSignal): GraphileLogger {
  return new GraphileLogger(() => (level, message, meta) => {
    const job = meta?.failure ? (meta.job as { attempts: number; max_attempts: number }) : undefined;
    const isOfStop = stopping.aborted && !job && !meta?.fatalError;
    if (meta?.error instanceof JobInterrupted || isOfStop) log.debug(message);
    else if (level === 'error' && (!job || job.attempts >= job.max_attempts)) log.error(message);
    else if (level === 'error' || level === 'warning') log.warn(message);
    else log.debug(message);
  });
}
