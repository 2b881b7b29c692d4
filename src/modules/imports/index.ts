import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ImportReport } from './import-report.ts';
import { type ImportRequest, runImport } from './run-import.ts';
import { defineRunJob, type QueueDeps, type RunJob } from './run-queued.ts';
import { dropFeeds, takeUpImports } from './take-up.ts';

export type { ImportIssue, ImportMode, ImportProgress, ImportReport } from './import-report.ts';
export { ISSUES_HEADER, issueLine } from './issues-csv.ts';
export { readOutcomes } from './outcomes.ts';
export { watchProgress } from './progress.ts';

/** Feeds in: from a file at once, or by the queue. Its use cases take this as their first argument. */
export type Imports = QueueDeps & {
  /** Imports a file on this machine, now. */
  run(request: ImportRequest): Promise<ImportReport>;
  readonly runJob: RunJob;
  /** Sees to what dead processes have left; also to be enqueued when a worker starts. */
  readonly takeUpJob: Job<object>;
  readonly jobs: readonly Job<never>[];
};

export function createImports(kernel: Kernel, { publicUrl }: { publicUrl: string }): Imports {
  const { db, bus, events, config, clock, log, blobs, outbound } = kernel;
  const deps: QueueDeps = { db, bus, events, config, clock, log, blobs, outbound, publicUrl };
  const runJob = defineRunJob(deps);
  const takeUpJob = defineJob({ name: 'imports.take_up', cron: '* * * * *', run: () => takeUpImports(deps, runJob) });
  const dropJob = defineJob({ name: 'imports.drop_feeds', cron: '41 3 * * *', run: () => dropFeeds(deps) });
  return {
    ...deps,
    run: (request) => runImport(deps, request),
    runJob,
    takeUpJob,
    jobs: [runJob, takeUpJob, dropJob],
  };
}
