import { prepare, type Sql } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { type Page, refuseDeep } from '../../kernel/paging.ts';
import { usernamesOf } from '../accounts/index.ts';
import { invalidCursor } from './errors.ts';
import { findProductId, notThere } from './stored-product.ts';
import type { HistoryItem, HistoryQuery } from './write-schemas.ts';

type Row = {
  id: number;
  at: Date;
  action: HistoryItem['action'];
  version: number;
  actor_id: string | null;
  import_id: string | null;
  changes: HistoryItem['changes'];
};

const COLUMNS = 'id, at, action, version, actor_id, import_id, changes';
const ROWS = prepare<Row>(
  `select ${COLUMNS} from product_changes where product_id = $1 and id < $2 order by id desc limit $3 offset $4`,
);
const COUNT = prepare<{ total: number }>('select count(*) as total from product_changes where product_id = $1');

/** Beyond any row's number. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * Every change of a product, the newest first, by its id or slug; by its id also when it is archived or erased. Throws
 * product_not_found, page_too_deep, invalid_cursor.
 */
export async function productHistory(db: Sql, key: string, query: HistoryQuery): Promise<Page<HistoryItem>> {
  const { page = 1, page_size: size = 10, cursor } = query;
  refuseDeep(query);
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands.');
  const id = isUuid(key) ? key : await findProductId(db, key);
  const offset = cursor === undefined ? (page - 1) * size : 0;
  const [rows, { total }] = await Promise.all([
    db.many(ROWS([id, cursor === undefined ? NEWEST : Number(cursor), size + 1, offset])),
    db.one(COUNT([id])),
  ]);
  if (total === 0) throw notThere();
  const shown = rows.slice(0, size);
  const names = await usernamesOf(
    db,
    shown.flatMap((row) => row.actor_id ?? []),
  );
  return {
    items: shown.map(({ id: _, at, actor_id, ...row }) => ({
      at: at.toISOString(),
      ...row,
      actor: actor_id === null ? null : { id: actor_id, username: names.get(actor_id) ?? null },
    })),
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    next_cursor: rows.length > size ? String(shown.at(-1)!.id) : null,
  };
}
