import { stat } from 'node:fs/promises';
import { enqueue, type Job, type JobContext, wasCancelled } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { completeImport } from './complete-import.ts';
import { endImport } from './end-import.ts';
import { fetchFeed } from './fetch-feed.ts';
import { failure, ImportRefused } from './import-report.ts';
import { FAULT, type Run, run } from './run-import.ts';
import { isMerged, nextQueued, releaseImport, servedUrl, takeImport } from './store.ts';

/**
 * Runs an import out of the queue: by its job, and again by whoever finds it without an owner, from the stored feed and
 * from the start. What a run has merged stays merged, so an import is applied once however often it is run.
 */

export type QueueDeps = Pick<Kernel, 'db' | 'bus' | 'events' | 'config' | 'clock' | 'log' | 'blobs' | 'outbound'> & {
  publicUrl: string;
};

export type RunJob = Job<{ id: string }>;

/** A feed that takes its worker down with it must not do so for ever. */
const MOST_ATTEMPTS = 5;

/** So that a few large feeds leave the worker's other jobs, and the pool, to others: a run takes two connections. */
function runsAtOnce(poolSize: number): number {
  return Math.max(1, Math.min(2, Math.floor(poolSize / 4)));
}

/** Throws what is no fault of the feed, to be tried again by the job queue. */
async function runQueued(
  deps: QueueDeps,
  job: RunJob,
  id: string,
  { signal: stopping }: Pick<JobContext, 'signal'>,
): Promise<void> {
  const { db, clock, config, blobs } = deps;
  if (await isMerged(db, id)) return completeImport(deps, id, { signal: stopping });
  let attempt = 0;
  const begin = async (): Promise<Run | null> => {
    const taken = await takeImport(db, id, clock.now());
    if (!taken) return null;
    attempt = taken.attempts;
    return {
      attempt,
      mode: taken.mode,
      actorId: taken.created_by,
      ownUrl: config.PUBLIC_URL ?? (await servedUrl(db)) ?? deps.publicUrl,
      async withFile(read, signal) {
        if (attempt > MOST_ATTEMPTS)
          throw new ImportRefused(
            failure('interrupted', `The import was begun ${MOST_ATTEMPTS} times and never came to its end.`),
          );
        const key = taken.blob_key ?? (await fetchFeed(deps, taken, signal));
        const counts = await blobs.withFile(key, async (path) => read(path, (await stat(path)).size));
        if (!counts) throw new ImportRefused(failure('file_missing', 'The stored feed is gone. Import it again.'));
        return counts;
      },
    };
  };
  try {
    await run(deps, id, begin, { signal: stopping, leave: stopping });
  } catch (error) {
    if (wasCancelled(stopping)) {
      // Who cancels the job means the import: released, it would only be taken up again.
      await endImport(deps, id, { status: 'cancelled', error: null, attempt });
      throw error;
    }
    if (stopping.aborted) return release(deps, job, id, attempt);
    if (attempt < MOST_ATTEMPTS) await releaseImport(db, id, attempt, { counted: true });
    else await endImport(deps, id, { ...FAULT, attempt });
    throw error;
  }
}

/** For another worker, or for this one when it is back. */
async function release({ db }: QueueDeps, job: RunJob, id: string, attempt: number): Promise<void> {
  await db.transaction(async (tx) => {
    await releaseImport(tx, id, attempt, { counted: false });
    await enqueue(tx, job, [{ id }]);
  });
}

/** The job of run after run: never more than `atOnce` of them in this process. */
export function defineRunJob(deps: QueueDeps): RunJob {
  const atOnce = runsAtOnce(deps.config.DATABASE_POOL_SIZE);
  let running = 0;
  const job: RunJob = {
    name: 'imports.run',
    async run({ id }, context) {
      // It stays queued, and whichever run ends first sees to it.
      if (running >= atOnce) return;
      running += 1;
      try {
        await runQueued(deps, job, id, context);
      } finally {
        running -= 1;
        const next = await nextQueued(deps.db, id);
        if (next) await enqueue(deps.db, job, [{ id: next }]);
      }
    },
  };
  return job;
}
