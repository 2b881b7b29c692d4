import { enqueue } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { completeImport } from './complete-import.ts';
import { endImport } from './end-import.ts';
import { failure } from './import-report.ts';
import type { RunJob } from './run-queued.ts';
import { forgetFeeds, isUnowned, storedFeeds, type UnfinishedImport, unfinishedImports } from './store.ts';

type Deps = Pick<Kernel, 'db' | 'events' | 'clock' | 'log' | 'blobs'>;

/**
 * Sees to what a process that died has left: a merged import is completed, a stored one is run again, and one that was
 * read from a file on its process's own disk has failed. The job queue frees a dead worker's job too, but not an
 * import that the command line ran, or whose quantities are all that is left.
 */
export async function takeUpImports(deps: Deps, job: RunJob): Promise<void> {
  for (const found of await unfinishedImports(deps.db)) {
    try {
      await takeUp(deps, job, found);
    } catch (error) {
      deps.log.error({ err: error, import_id: found.id }, 'an import could not be taken up');
    }
  }
}

async function takeUp(deps: Deps, job: RunJob, { id, merged, stored }: UnfinishedImport): Promise<void> {
  const { db } = deps;
  if (merged) return completeImport(deps, id);
  if (!(await isUnowned(db, id))) return;
  // One that only waits its turn gets a second job, which then finds nothing to do.
  if (stored) return enqueue(db, job, [{ id }]);
  const error = failure(
    'interrupted',
    'The process that read this feed ended before it was done; nothing was changed. Import it again.',
  );
  await endImport(deps, id, { status: 'failed', error });
}

/** Long enough to look at a feed that went wrong. */
const FEEDS_KEPT_MS = 7 * 86_400_000;
const AT_ONCE = 100;

/** Drops stored feeds a week after their import has ended. */
export async function dropFeeds({ db, blobs, clock }: Deps): Promise<void> {
  const before = new Date(clock.now().getTime() - FEEDS_KEPT_MS);
  for (;;) {
    const feeds = await storedFeeds(db, before, AT_ONCE);
    if (feeds.length === 0) return;
    await blobs.remove(feeds.map((feed) => feed.blob_key));
    await forgetFeeds(
      db,
      feeds.map((feed) => feed.id),
    );
  }
}
