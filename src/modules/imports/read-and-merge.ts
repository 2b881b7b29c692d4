import type { Sql, Tx } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { COPY_STAGED, CREATE_STAGING, mergeStaged, type Superseded } from '../catalogue/index.ts';
import type { FeedIssue } from './feed/read-feed.ts';
import type { ImportCounts, ImportIssue, ImportMode, ImportProgress } from './import-report.ts';
import { existingIssues, insertIssues, reportExisting } from './issues-store.ts';
import { parseFeed } from './parse-feed.ts';
import { keepQuantities, saveMerged } from './store.ts';
import { ImportEnded } from './watch-import.ts';

/**
 * File → process that parses → COPY into a temporary table → one set-based merge, all in one transaction, so a file that
 * proves bad at its last byte has changed nothing.
 */

export type Reading = {
  id: string;
  attempt: number;
  path: string;
  sizeBytes: number;
  mode: ImportMode;
  actorId: string | null;
  dryRun: boolean;
  ownUrl: string | null;
  onProgress: (progress: ImportProgress & { rejected: number }) => void;
  onIssues: (issues: readonly ImportIssue[]) => void;
  signal: AbortSignal | undefined;
};

/** A dry run is over; thrown so that the transaction is rolled back. */
export class TakenBack extends Error {
  readonly counts: ImportCounts;
  constructor(counts: ImportCounts) {
    super('The dry run was taken back.');
    this.counts = counts;
  }
}

/**
 * Reads and merges in the transaction of the import's owner. Throws ImportRefused, ImportEnded, the signal's reason, and
 * TakenBack at the end of a dry run.
 */
export async function readAndMerge(
  deps: Pick<Kernel, 'db' | 'events' | 'config' | 'clock' | 'log'>,
  tx: Tx,
  reading: Reading,
): Promise<ImportCounts> {
  const { db, events, config, clock } = deps;
  const { id, attempt, mode, actorId, dryRun, sizeBytes, onProgress, onIssues, signal } = reading;
  let issueCount = 0;
  let rejected = 0;
  const tellIssues = async (target: Sql, issues: readonly ImportIssue[]) => {
    onIssues(issues);
    if (!dryRun && issues.length > 0) await insertIssues(target, id, issues, issueCount);
    issueCount += issues.length;
    rejected += issues.filter((issue) => issue.rejected).length;
  };
  signal?.throwIfAborted();
  await tx.run({ text: CREATE_STAGING, values: [] });
  const summary = await parseFeed(
    { path: reading.path, currency: config.CURRENCY, now: clock.now(), ownUrl: reading.ownUrl },
    tx.copyFrom(COPY_STAGED) as NodeJS.WritableStream & { destroy(error?: Error): void },
    {
      // Outside the transaction: a refused file tells its issues too.
      issues: (issues: FeedIssue[]) => tellIssues(db, issues),
      progress: (progress) => onProgress({ phase: 'reading', sizeBytes, rejected, ...progress }),
    },
    signal,
  );
  onProgress({ phase: 'merging', bytesRead: sizeBytes, sizeBytes, rows: summary.read, rejected });
  const merge = await mergeStaged(tx, { mode, importId: id, currency: config.CURRENCY, now: clock.now, actorId });
  await tellIssues(tx, merge.superseded.map(supersededIssue));
  const counts = { read: summary.read, rejected: summary.rejected + merge.superseded.length, ...merge.counts };
  if (merge.counts.existing > 0) for await (const issues of existingIssues(tx)) onIssues(issues);
  if (dryRun) throw new TakenBack(counts);
  if (merge.counts.existing > 0) await reportExisting(tx, id, issueCount);
  if (mode === 'upsert') await keepQuantities(tx, id);
  signal?.throwIfAborted();
  if (!(await saveMerged(tx, id, attempt, counts, { bytes: sizeBytes, at: clock.now() }))) throw new ImportEnded();
  await events.append(tx, { type: 'import.merged', subject: { type: 'import', id }, actorId, data: { counts } });
  return counts;
}

function supersededIssue({ line, sku, by }: Superseded): ImportIssue {
  return {
    line,
    sku,
    field: 'id',
    code: 'duplicate_id',
    message: `This id stands again at line ${by}; the last one in the file was taken.`,
    rejected: true,
  };
}
