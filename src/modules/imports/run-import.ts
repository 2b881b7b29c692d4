import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Tx } from '../../kernel/db.ts';
import { AppError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { completeImport } from './complete-import.ts';
import { endImport } from './end-import.ts';
import {
  failure,
  type ImportCounts,
  type ImportFailure,
  type ImportIssue,
  type ImportMode,
  type ImportProgress,
  ImportRefused,
  type ImportReport,
  NOTHING,
} from './import-report.ts';
import { readAndMerge, TakenBack } from './read-and-merge.ts';
import { insertImport, ownImport } from './store.ts';
import { ImportEnded, type Watch, watchImport } from './watch-import.ts';

/**
 * A feed into the catalogue, from a file on this machine (runImport) or from the queue (run-queued.ts): both are one run,
 * which owns its import as long as its transaction reads and merges. The quantities of products that were there before
 * follow in small transactions of their own (complete-import.ts).
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

export type RunDeps = Pick<Kernel, 'db' | 'bus' | 'events' | 'config' | 'clock' | 'log'>;

/** What a run needs to know, once its import is its own. */
export type Run = {
  /** The import's count of runs; null for a dry run, which has no row. */
  attempt: number | null;
  mode: ImportMode;
  actorId: string | null;
  ownUrl: string | null;
  /** Has the file on this machine for as long as `read` runs. */
  withFile(
    read: (path: string, sizeBytes: number) => Promise<ImportCounts>,
    signal: AbortSignal | undefined,
  ): Promise<ImportCounts>;
};

type Hooks = Pick<ImportRequest, 'onProgress' | 'onIssues' | 'signal'> & {
  /** Aborted while quantities follow, it leaves them to whoever comes next; without it they are applied to the end. */
  leave?: AbortSignal;
};

export type Outcome =
  | { status: 'completed'; counts: ImportCounts }
  | { status: 'failed'; error: ImportFailure }
  | { status: 'cancelled' }
  /** There was nothing to run, or somebody else is at it. */
  | { status: 'left' };

/**
 * Runs an import. `begin` is called when it is this run's own, and answers null when there is nothing to do. Throws the
 * signal's reason, and whatever is no fault of the feed; by its row the import is then still running.
 */
export async function run(
  deps: RunDeps,
  id: string,
  begin: () => Promise<Run | null>,
  { onProgress = () => {}, onIssues = () => {}, signal, leave }: Hooks,
): Promise<Outcome> {
  const state: { run?: Run; watch?: Watch; bytes: number } = { bytes: 0 };
  const merge = async (tx: Tx): Promise<ImportCounts | null> => {
    if (!(await ownImport(tx, id))) return null;
    const order = await begin();
    if (!order) return null;
    state.run = order;
    if (order.attempt !== null) state.watch = watchImport(deps, { id, attempt: order.attempt }, signal);
    const until = state.watch?.signal ?? signal;
    return order.withFile((path, sizeBytes) => {
      state.bytes = sizeBytes;
      const { attempt, mode, actorId, ownUrl } = order;
      return readAndMerge(deps, tx, {
        ...{ id, attempt: attempt ?? 0, dryRun: attempt === null, mode, actorId, ownUrl, path, sizeBytes, onIssues },
        signal: until,
        onProgress(progress) {
          state.watch?.note(progress);
          onProgress(progress);
        },
      });
    }, until);
  };

  let counts: ImportCounts | null;
  try {
    // A large merge takes minutes, and that is as it should be.
    counts = await deps.db.transaction(merge, { timeoutMs: 0 });
  } catch (error) {
    if (error instanceof TakenBack) return { status: 'completed', counts: error.counts };
    const reason = state.watch?.signal.aborted ? state.watch.signal.reason : error;
    if (reason instanceof ImportEnded) return { status: 'cancelled' };
    const told = reasonToTell(reason);
    if (!told) throw reason;
    const attempt = state.run?.attempt ?? null;
    const isEnd = attempt === null || (await endImport(deps, id, { status: 'failed', error: told, attempt }));
    return isEnd ? { status: 'failed', error: told } : { status: 'cancelled' };
  } finally {
    await state.watch?.stop();
  }
  if (!counts) return { status: 'left' };
  deps.log.debug({ import_id: id, counts }, 'merged');
  const { bytes } = state;
  const onRows = (rows: number) => onProgress({ phase: 'stock', bytesRead: bytes, sizeBytes: bytes, rows });
  // Who is told that it is complete reads at once what became of its rows.
  if (counts.read >= 1_000) await renew(deps, ['analyze product_changes', 'analyze import_issues']);
  await completeImport(deps, id, { onRows, signal: leave });
  await refreshStatistics(deps, counts);
  return { status: 'completed', counts };
}

/** Null for what people are not told of: a fault of ours, or of what we stand on. */
function reasonToTell(reason: unknown): ImportFailure | null {
  if (reason instanceof ImportRefused) return reason.failure;
  if (reason instanceof AppError) return failure(reason.code, reason.message);
  return null;
}

/**
 * Imports a file on this machine. A refused file is a report with status `failed`; other errors are thrown after being
 * recorded.
 */
export async function runImport(deps: RunDeps, request: ImportRequest): Promise<ImportReport> {
  const { db, clock } = deps;
  const { path, mode, dryRun = false, actorId = null, ownUrl, signal } = request;
  const began = clock.now();
  const { size: sizeBytes } = await stat(path);
  const id = newId();
  const fileName = request.fileName ?? basename(path);
  const begin = async (): Promise<Run> => {
    if (!dryRun)
      await insertImport(db, { id, status: 'running', mode, fileName, sizeBytes, createdBy: actorId, at: began });
    return { attempt: dryRun ? null : 0, mode, actorId, ownUrl, withFile: (read) => read(path, sizeBytes) };
  };
  const report = (status: ImportReport['status'], counts = NOTHING, error: ImportFailure | null = null) => ({
    ...{ id, status, mode, file_name: fileName, size_bytes: sizeBytes, counts, error },
    seconds: (clock.now().getTime() - began.getTime()) / 1000,
  });
  try {
    const outcome = await run(deps, id, begin, request);
    if (outcome.status === 'completed') return report('completed', outcome.counts);
    if (outcome.status === 'failed') return report('failed', NOTHING, outcome.error);
    return report('cancelled');
  } catch (error) {
    const end = signal?.aborted ? ({ status: 'cancelled', error: null } as const) : FAULT;
    const ended = dryRun || (await endImport(deps, id, { ...end, attempt: 0 }));
    if (ended && end.status === 'cancelled') return report('cancelled');
    throw error;
  }
}

export const FAULT = {
  status: 'failed',
  error: failure('internal_error', 'The import failed by a fault of ours; the log tells more.'),
} as const;

/**
 * After a load that changed much, the planner's statistics and the visibility map are renewed at once, not when
 * autovacuum comes by: until then lists would be planned for the old table and counted row by row.
 */
async function refreshStatistics(deps: RunDeps, counts: ImportCounts): Promise<void> {
  if (counts.created + counts.updated < 1_000) return;
  const tables = ['products', 'product_texts', 'stock', 'search_words', 'price_history'];
  await renew(
    deps,
    tables.map((table) => `vacuum (analyze) ${table}`),
  );
}

async function renew({ db, log }: RunDeps, statements: readonly string[]): Promise<void> {
  try {
    for (const text of statements) await db.run({ text, values: [] });
  } catch (error) {
    log.warn({ err: error }, 'the statistics could not be renewed; autovacuum will');
  }
}
