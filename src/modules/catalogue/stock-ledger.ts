import { prepare, type Sql } from '../../kernel/db.ts';
import { DEEPEST, refuseDeep } from '../../kernel/paging.ts';
import { type Identity, usernamesOf } from '../accounts/index.ts';
import { invalidCursor } from './errors.ts';
import type { StockReason } from './stock.ts';
import { findProductId, notThere } from './stored-product.ts';
import type { HistoryQuery, StockLedger, StockMovement } from './write-schemas.ts';

/** The ledger of one product's stock, as staff read it. */

type Row = { on_hand: number | null; total: number } & {
  [K in keyof Movement]: Movement[K] | null;
};
type Movement = {
  id: number;
  delta: number;
  stock: number;
  reason: StockReason;
  reference: string | null;
  actor_id: string | null;
  at: Date;
};

/**
 * One statement, and so one moment: the newest movement says what is on hand. Movements of a product get their numbers while
 * its stock is locked, so the order of the numbers is the order in which they were made.
 */
const READ = prepare<Row>(
  `select s.on_hand, c.total, m.*
   from products p
   left join stock s on s.product_id = p.id
   cross join lateral (
     select count(*) as total
     from (select from stock_movements where product_id = p.id limit ${DEEPEST + 1}) counted
   ) c
   left join lateral (
     select id, delta, on_hand as stock, reason, reference, actor_id, at
     from stock_movements where product_id = p.id and id < $2 order by id desc limit $3 offset $4
   ) m on true
   where p.id = $1 order by m.id desc`,
);

/** Beyond any movement's number. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * What moved a product's stock, the newest first, by the product's id or slug, archived or not. Throws product_not_found,
 * page_too_deep, invalid_cursor.
 */
export async function stockLedger(
  db: Sql,
  reader: Pick<Identity, 'scopes'>,
  key: string,
  query: HistoryQuery,
): Promise<StockLedger> {
  const { page = 1, page_size: size = 10, cursor } = query;
  refuseDeep(query);
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands.');
  const id = await findProductId(db, key);
  const offset = cursor === undefined ? (page - 1) * size : 0;
  const rows = await db.many(READ([id, cursor === undefined ? NEWEST : Number(cursor), size + 1, offset]));
  if (rows.length === 0) throw notThere();
  const { on_hand, total } = rows[0]!;
  const movements = rows.filter((row) => row.id !== null) as (Row & Movement)[];
  const shown = movements.slice(0, size);
  const isTold = seesActors(reader);
  const names = await usernamesOf(
    db,
    shown.flatMap((movement) => (isTold(movement) ? (movement.actor_id ?? []) : [])),
  );
  return {
    items: shown.map((movement): StockMovement => {
      const { id, delta, stock, reason: kind, actor_id, at } = movement;
      return {
        id,
        delta,
        stock,
        kind,
        ...referenceOf(movement),
        actor: actor_id === null || !isTold(movement) ? null : { id: actor_id, username: names.get(actor_id) ?? null },
        at: at.toISOString(),
      };
    }),
    stock: on_hand,
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    ...(total > DEEPEST ? { total_is_estimate: true } : {}),
    next_cursor: movements.length > size ? String(shown.at(-1)!.id) : null,
  };
}

/** An API key that may read the catalogue alone is not told who has bought what. */
function seesActors({ scopes }: Pick<Identity, 'scopes'>): (movement: Movement) => boolean {
  const mayReadOrders = scopes === null || scopes.includes('orders:read');
  return ({ reason }) => mayReadOrders || (reason !== 'order' && reason !== 'cancellation');
}

/** What a movement refers to, each kind to something else. */
function referenceOf({ reason, reference }: Movement): Pick<StockMovement, 'reason' | 'order_id' | 'import_id'> {
  const none = { reason: null, order_id: null, import_id: null };
  switch (reason) {
    case 'order':
    case 'cancellation':
      return { ...none, order_id: reference };
    case 'import':
      return { ...none, import_id: reference };
    case 'adjustment':
      return { ...none, reason: reference };
  }
}
