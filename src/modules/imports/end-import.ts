import type { Kernel } from '../../kernel/kernel.ts';
import { importNotCancellable } from './errors.ts';
import type { ImportFailure } from './import-report.ts';
import { findImport, type Import } from './list-imports.ts';
import { finishImport } from './store.ts';

type Deps = Pick<Kernel, 'db' | 'events' | 'clock'>;

/**
 * Ends an import that has not merged, and tells of it; false when it has merged or had ended. With `attempt`, only while
 * that run is the import's.
 */
export async function endImport(
  { db, events, clock }: Deps,
  id: string,
  end: { status: 'failed' | 'cancelled'; error: ImportFailure | null; attempt?: number; actorId?: string },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const ended = await finishImport(tx, id, { ...end, at: clock.now() });
    if (!ended) return false;
    await events.append(tx, {
      type: `import.${end.status}`,
      subject: { type: 'import', id },
      actorId: end.actorId ?? ended.createdBy,
      data: { file_name: ended.fileName, ...(end.error ? { error: end.error } : {}) },
      userId: ended.createdBy,
    });
    return true;
  });
}

/**
 * Cancels an import that waits or runs. Its row decides: either it is cancelled and the run, which looks at the row before
 * it commits, applies nothing; or the merge was first. Throws import_not_found, import_not_cancellable.
 */
export async function cancelImport(deps: Deps, id: string, actorId: string): Promise<Import> {
  const cancelled = await endImport(deps, id, { status: 'cancelled', error: null, actorId });
  const found = await findImport(deps.db, id);
  if (!cancelled)
    throw importNotCancellable(
      found.status === 'running'
        ? 'What the feed says of products is applied already; only their quantities are still following.'
        : `The import is ${found.status}; there is nothing left to cancel.`,
    );
  await deps.events.flush();
  return found;
}
