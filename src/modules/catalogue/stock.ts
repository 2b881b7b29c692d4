import { prepare, type Tx } from '../../kernel/db.ts';

/**
 * Stock and its ledger. Everything that changes what is on hand comes through changeStock, from the first import on:
 * nothing else writes to `stock` or `stock_movements` (a test reads the sources for it), so the quantity on hand is
 * always the sum of its movements.
 */

export type StockChange = { productId: string } & (
  | { /** Units to add, or to take when negative. */ delta: number }
  | { /** Units that are there after all; begins to count a product that was not counted. */ target: number }
);

/** Why stock moved, as the ledger has it. */
export const STOCK_REASONS = ['import', 'adjustment', 'order', 'cancellation'] as const;
export type StockReason = (typeof STOCK_REASONS)[number];

export type StockMove = {
  product_id: string;
  /** What is on hand now; null when the product is not counted. */
  on_hand: number | null;
  /** False when there is less on hand than was to be taken, or the product is not counted: nothing was changed. */
  moved: boolean;
};

const CHANGE = prepare<StockMove>('select product_id, on_hand, moved from change_stock($1, $2, $3, $4, $5, $6, $7)');

/**
 * Moves stock inside the caller's transaction, each product at most once, all in one statement. What did not move comes
 * back with `moved: false`; the caller decides whether the rest may stand or the transaction is given up.
 */
export async function changeStock(
  tx: Tx,
  changes: readonly StockChange[],
  why: {
    /** Orders take theirs by the function sell_products, inside the statement that places them. */
    reason: Exclude<StockReason, 'order'>;
    /** The import's or the order's id; of an adjustment, what people wrote about it. */
    reference: string | null;
    actorId: string | null;
    at: Date;
  },
): Promise<StockMove[]> {
  if (changes.length === 0) return [];
  return tx.many(
    CHANGE([
      changes.map((change) => change.productId),
      changes.map((change) => ('delta' in change ? change.delta : null)),
      changes.map((change) => ('target' in change ? change.target : null)),
      why.reason,
      why.reference,
      why.actorId,
      why.at,
    ]),
  );
}
