import type { Kernel } from '../../kernel/kernel.ts';
import type { ImportProgress } from './import-report.ts';
import { PROGRESS_TOPIC } from './progress.ts';
import { cancelStatement, noteProgress } from './store.ts';

/** The import is not wanted any more: somebody cancelled it, or another run has taken its place. */
export class ImportEnded extends Error {
  override readonly name = 'ImportEnded';
}

export type Watch = {
  /** Aborted by ImportEnded, or with the outer signal. */
  readonly signal: AbortSignal;
  note(progress: ImportProgress & { rejected: number }): void;
  /** After it no statement of the watch is under way. */
  stop(): Promise<void>;
};

const EACH_MS = 500;

/**
 * Beside a run: shows on its row how far it is, says in every process that it did, and learns from the row that it is no
 * longer wanted. It writes by connections of its own, since what the run's transaction writes nobody sees before the end.
 */
export function watchImport(
  { db, bus, log }: Pick<Kernel, 'db' | 'bus' | 'log'>,
  { id, attempt }: { id: string; attempt: number },
  outer?: AbortSignal,
): Watch {
  const ended = new AbortController();
  const signal = outer ? AbortSignal.any([outer, ended.signal]) : ended.signal;
  let phase: ImportProgress['phase'] = 'reading';
  let latest = { bytesRead: 0, read: 0, rejected: 0 };
  let shown: typeof latest | undefined;
  let looking: Promise<void> | undefined;

  const look = async () => {
    try {
      const now = latest;
      if (!signal.aborted && !(await noteProgress(db, id, attempt, now))) ended.abort(new ImportEnded());
      if (!signal.aborted && now !== shown) {
        shown = now;
        await bus.publish(PROGRESS_TOPIC);
      }
      // A merge looks at no signal while PostgreSQL works: its statement is ended from here, until that has hit.
      if (signal.aborted && phase === 'merging') await cancelStatement(db, id);
    } catch (error) {
      log.debug({ err: error, import_id: id }, 'an import could not be looked after just now');
    }
  };
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, EACH_MS);

  return {
    signal,
    note(progress) {
      phase = progress.phase;
      latest = { bytesRead: progress.bytesRead, read: progress.rows, rejected: progress.rejected };
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
