import type { Kernel } from '../../kernel/kernel.ts';
import { changeStock } from '../catalogue/index.ts';
import { completeMerged, dropQuantities, importedBy, nextQuantities } from './store.ts';

/**
 * What follows a merge that has committed: the quantities of products that were there before, in the order of ids, each
 * chunk in a transaction of its own, and then the import's end. Whoever runs it goes on where the last one stopped, so
 * the process that merged may die at any point; several at once share the chunks among them.
 */

type Deps = Pick<Kernel, 'db' | 'events' | 'clock'>;

/** Small enough that a checkout waits for milliseconds at most. */
const QUANTITIES_AT_ONCE = 1_000;

export async function completeImport(
  deps: Deps,
  id: string,
  { onRows = () => {}, signal }: { onRows?: (rows: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const actorId = await importedBy(deps.db, id);
  for (let rows = 0; ; ) {
    signal?.throwIfAborted();
    const done = await applyQuantities(deps, id, actorId);
    if (done === 0) break;
    rows += done;
    onRows(rows);
  }
  await deps.db.transaction(async (tx) => {
    const ended = await completeMerged(tx, id, deps.clock.now());
    if (!ended) return;
    await deps.events.append(tx, {
      type: 'import.completed',
      subject: { type: 'import', id },
      actorId: ended.createdBy,
      data: { file_name: ended.fileName, mode: ended.mode, counts: ended.counts },
      userId: ended.createdBy,
    });
  });
}

function applyQuantities({ db, events, clock }: Deps, id: string, actorId: string | null): Promise<number> {
  return db.transaction(async (tx) => {
    const quantities = await nextQuantities(tx, id, QUANTITIES_AT_ONCE);
    if (quantities.length === 0) return 0;
    const changes = quantities.map(({ product_id, quantity }) => ({ productId: product_id, target: quantity }));
    await changeStock(tx, changes, { reason: 'import', reference: id, actorId, at: clock.now() });
    await dropQuantities(
      tx,
      id,
      changes.map(({ productId }) => productId),
    );
    await events.append(tx, {
      type: 'import.stock_counted',
      subject: { type: 'import', id },
      actorId,
      data: { products: quantities.length },
    });
    return quantities.length;
  });
}
