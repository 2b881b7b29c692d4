import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openDatabase } from '../db.ts';
import type { Logger } from '../log.ts';
import type { Job, Lane } from './definition.ts';
import { type LaneWorkers, startLane } from './lane.ts';
import { createPerformer } from './perform.ts';
import { periodically } from './periodic.ts';
import { createRecord } from './record.ts';
import { createRegistry } from './registry.ts';

/** The workers of a process. */
export interface Workers {
  /**
   * Takes no more jobs; waits for those that run, aborts their signal when they take too long, and gives up on them when
   * that does not help. No job stays locked.
   */
  stop(): Promise<void>;
}

/** All in milliseconds. */
const TIMES = {
  /** How often workers say that they live. */
  beat: 5_000,
  /** Without a beat for so long they are dead. */
  dead: 30_000,
  /** How often jobs of the dead are looked for. */
  sweep: 10_000,
  /** How soon a running job hears that it was cancelled. */
  cancel: 1_000,
  /** How long workers that begin may take to look for jobs, before others are started in their place. */
  fetch: 10_000,
  /** How long a stop waits for running jobs before their signal is aborted, and after that before giving up on them. */
  drain: 5_000,
};

/** Starts the workers of this process. `url` must reach PostgreSQL without a pooler, for LISTEN. */
export async function startJobs(options: {
  url: string;
  jobs: readonly Job<never>[];
  concurrency: number;
  log: Logger;
  times?: Partial<typeof TIMES>;
}): Promise<Workers> {
  const { url, jobs, concurrency, log } = options;
  const times = { ...TIMES, ...options.times };
  const shared: Lane = { name: 'shared', concurrency };
  const byLane = Map.groupBy(jobs, (job) => job.lane ?? shared);
  const workers = byLane.keys().reduce((sum, lane) => sum + lane.concurrency, 0);

  // Of the library's own pool nobody listens to errors any more once it stops, and a connection that is lost at that moment
  // would take the process along.
  const pool = new pg.Pool({ connectionString: url, max: workers + 2 * byLane.size, application_name: 'vitrine jobs' });
  const lost = (error: Error) => log.debug({ err: error }, 'a connection of the workers was lost');
  pool.on('error', lost).on('connect', (client) => client.on('error', lost));
  // Beats must not wait behind the workers' own queries.
  const db = openDatabase({ url, poolSize: 2, namedStatements: true, log, applicationName: 'vitrine workers' });
  db.pool.on('connect', (client) => client.on('error', lost));

  const record = createRecord(db, log);
  const performer = createPerformer({ db, record, log });
  const registry = createRegistry({ db, deadMs: times.dead, log });
  const lanes: LaneWorkers[] = [];
  const timers = [
    periodically(times.beat, registry.beat, log),
    periodically(times.sweep, registry.sweep, log),
    periodically(times.cancel, performer.watchCancellations, log),
  ];

  const stop = async () => {
    const stopped = Promise.all(lanes.map((lane) => lane.stop()));
    await Promise.race([stopped, sleep(times.drain, undefined, { ref: false })]);
    performer.interrupt();
    await Promise.race([stopped, sleep(times.drain, undefined, { ref: false })]);
    await Promise.all(timers.map((timer) => timer.stop()));
    await Promise.all(lanes.map((lane) => lane.leave()));
    await record.stop();
    await db.close();
    await Promise.race([pool.end(), sleep(times.drain, undefined, { ref: false })]);
  };

  try {
    for (const [lane, theirs] of byLane)
      lanes.push(
        await startLane(theirs, lane.concurrency, { pool, performer, registry, firstFetchMs: times.fetch, log }),
      );
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
