import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { COPY_STAGED, CREATE_STAGING, mergeStaged, type Superseded } from '../catalogue/index.ts';
import { completeImport } from './complete-import.ts';
import type { FeedIssue } from './feed/read-feed.ts';
import type { ImportCounts, ImportIssue, ImportMode, ImportProgress, ImportReport } from './import-report.ts';
import { FeedRefused, parseFeed } from './parse-feed.ts';
import {
  existingIssues,
  finishImport,
  insertImport,
  insertIssues,
  keepQuantities,
  ownImport,
  reportExisting,
  saveMerged,
} from './store.ts';

/**
 * A feed into the catalogue: file → thread that parses → COPY into a temporary table → one set-based merge, all in one
 * transaction, so a file that proves bad at its last byte has changed nothing. The quantities of products that were
 * there before follow in small transactions of their own (complete-import.ts).
 */

export type ImportRequest = {
  path: string;
  mode: ImportMode;
  /** Reads, merges and counts, and then takes it all back. */
  dryRun?: boolean;
  fileName?: string;
  actorId?: string | null;
  /** The address of this shop, whose own links in a feed are not kept as sources. */
  ownUrl: string | null;
  onProgress?: (progress: ImportProgress) => void;
  onIssues?: (issues: readonly ImportIssue[]) => void;
  signal?: AbortSignal;
};

type Deps = Pick<Kernel, 'db' | 'events' | 'config' | 'clock' | 'log'>;

class TakenBack extends Error {}

const NOTHING: ImportCounts = { read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0 };

/** Imports the file. A refused file is a report with status `failed`; other errors are thrown after being recorded. */
export async function runImport(deps: Deps, request: ImportRequest): Promise<ImportReport> {
  const { db, events, clock } = deps;
  const { path, mode, dryRun = false, actorId = null, onProgress = () => {} } = request;
  const began = clock.now();
  const { size: sizeBytes } = await stat(path);
  const id = newId();
  const fileName = request.fileName ?? basename(path);
  if (!dryRun) await insertImport(db, { id, mode, fileName, sizeBytes, createdBy: actorId, at: began });

  const report = (
    status: ImportReport['status'],
    counts: ImportCounts,
    error: ImportReport['error'],
  ): ImportReport => ({
    id,
    status,
    mode,
    file_name: fileName,
    size_bytes: sizeBytes,
    counts,
    error,
    seconds: (clock.now().getTime() - began.getTime()) / 1000,
  });
  /** False when it has merged: then the job completes it. */
  const failed = async (status: 'failed' | 'cancelled', error: ImportReport['error']) => {
    if (dryRun) return true;
    return db.transaction(async (tx) => {
      const ended = await finishImport(tx, id, { status, error, at: clock.now() });
      if (ended && status === 'failed')
        await events.append(tx, {
          type: 'import.failed',
          subject: { type: 'import', id },
          actorId,
          data: { file_name: fileName, error },
        });
      return ended;
    });
  };

  try {
    const counts = await readAndMerge(deps, request, { id, sizeBytes, at: began });
    if (!dryRun) {
      await completeImport(deps, id, (rows) => onProgress({ phase: 'stock', bytesRead: sizeBytes, sizeBytes, rows }));
      await refreshStatistics(deps, counts);
    }
    return report('completed', counts, null);
  } catch (error) {
    if (error instanceof FeedRefused) {
      await failed('failed', error.failure);
      return report('failed', NOTHING, error.failure);
    }
    if (request.signal?.aborted && (await failed('cancelled', null))) {
      return report('cancelled', NOTHING, null);
    }
    await failed('failed', {
      code: 'internal_error',
      message: 'The import failed by a fault of ours; the log tells more.',
      line: null,
      column: null,
    });
    throw error;
  }
}

async function readAndMerge(
  deps: Deps,
  request: ImportRequest,
  run: { id: string; sizeBytes: number; at: Date },
): Promise<ImportCounts> {
  const { db, events, config, clock } = deps;
  const { mode, dryRun = false, actorId = null, onProgress = () => {}, onIssues = () => {} } = request;
  let counts: ImportCounts = NOTHING;
  let issueCount = 0;
  const tellIssues = async (target: Pick<Tx, 'run' | 'many' | 'one' | 'maybe'>, issues: readonly ImportIssue[]) => {
    onIssues(issues);
    if (!dryRun && issues.length > 0) await insertIssues(target, run.id, issues, issueCount);
    issueCount += issues.length;
  };
  const merged = db.transaction(
    async (tx) => {
      await ownImport(tx, run.id);
      await tx.run({ text: CREATE_STAGING, values: [] });
      const copy = tx.copyFrom(COPY_STAGED) as NodeJS.WritableStream & { destroy(error?: Error): void };
      const summary = await parseFeed(
        { path: request.path, currency: config.CURRENCY, now: run.at, ownUrl: request.ownUrl },
        copy,
        {
          issues: (issues: FeedIssue[]) => tellIssues(db, issues),
          progress: (progress) => onProgress({ phase: 'reading', sizeBytes: run.sizeBytes, ...progress }),
        },
        request.signal,
      );
      onProgress({ phase: 'merging', bytesRead: run.sizeBytes, sizeBytes: run.sizeBytes, rows: summary.read });
      const merge = await mergeStaged(tx, {
        mode,
        importId: run.id,
        currency: config.CURRENCY,
        now: clock.now,
        actorId,
      });
      await tellIssues(tx, merge.superseded.map(supersededIssue));
      counts = { read: summary.read, rejected: summary.rejected + merge.superseded.length, ...merge.counts };
      if (merge.counts.existing > 0) for await (const issues of existingIssues(tx)) onIssues(issues);
      if (dryRun) throw new TakenBack();
      request.signal?.throwIfAborted();
      if (merge.counts.existing > 0) await reportExisting(tx, run.id, issueCount);
      if (mode === 'upsert') await keepQuantities(tx, run.id);
      await saveMerged(tx, run.id, counts, clock.now());
      await events.append(tx, {
        type: 'import.merged',
        subject: { type: 'import', id: run.id },
        actorId,
        data: { counts },
      });
    },
    // A large merge takes minutes, and that is as it should be.
    { timeoutMs: 0 },
  );
  await merged.catch((error: unknown) => {
    if (!(error instanceof TakenBack)) throw error;
  });
  deps.log.debug({ import_id: run.id, counts, at: clock.now() }, 'merged');
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

/**
 * After a load that changed much, the planner's statistics and the visibility map are renewed at once, not when
 * autovacuum comes by: until then lists would be planned for the old table and counted row by row.
 */
async function refreshStatistics({ db, log }: Deps, counts: ImportCounts): Promise<void> {
  if (counts.created + counts.updated < 1_000) return;
  try {
    for (const table of ['products', 'product_texts', 'stock', 'search_words', 'price_history'])
      await db.run({ text: `vacuum (analyze) ${table}`, values: [] });
  } catch (error) {
    log.warn({ err: error }, 'the statistics could not be renewed; autovacuum will');
  }
}
