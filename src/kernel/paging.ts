import Type, { type Static, type TSchema } from 'typebox';
import { type Sql, sql } from './db.ts';
import { defineError } from './errors.ts';
import { isUuid } from './ids.ts';

/**
 * Pages of lists that are walked by their id, the newest first (ids are UUIDv7): by number, or by a cursor that goes on
 * at the same cost however deep.
 */

export const invalidCursor = defineError('invalid_cursor', 400, 'The cursor is not valid');
export const pageTooDeep = defineError('page_too_deep', 400, 'The page is too deep');

/** How deep pages may be asked for by number, and up to where totals are counted. */
export const DEEPEST = 10_000;

/** The query parameters of a paged list. */
export const PAGING = {
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  page_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: '`next_cursor` of the page before. Goes on at the same cost however deep.',
    }),
  ),
};
const Paging = Type.Object(PAGING);
export type Paging = Static<typeof Paging>;

/** The shape of a page of these items. */
export function PageOf<T extends TSchema>(item: T) {
  return Type.Object(
    {
      items: Type.Array(item),
      page: Type.Union([Type.Integer(), Type.Null()], { description: 'Null when a cursor was followed.' }),
      page_size: Type.Integer(),
      total: Type.Integer({ description: 'Exact up to 10,000.' }),
      total_pages: Type.Integer(),
      total_is_estimate: Type.Optional(Type.Boolean()),
      next_cursor: Type.Union([Type.String(), Type.Null()]),
    },
    { additionalProperties: false },
  );
}

export type Page<R> = {
  items: R[];
  page: number | null;
  page_size: number;
  total: number;
  total_pages: number;
  total_is_estimate?: boolean;
  next_cursor: string | null;
};

type Question = {
  /** Each as it stands in `select`; with `id`. */
  columns: string;
  /** `table t join …`; `where` and `count` are over it. */
  from: string;
  /** The id that the list is walked by, with its table: `u.id`. */
  id: string;
  /** Conditions over `values`, numbered from $1. */
  where: readonly string[];
  values: readonly unknown[];
};

/** Throws page_too_deep, which names the cursor. */
export function refuseDeep({ page = 1, page_size: size = 10, cursor }: Paging): void {
  if (cursor === undefined && page * size > DEEPEST)
    throw pageTooDeep(
      `Pages go ${DEEPEST.toLocaleString('en')} deep. Go on with cursor=<next_cursor of the page before>.`,
    );
}

/** Reads a page. Throws page_too_deep, which names the cursor, and invalid_cursor. */
export async function readPage<R extends { id: string }>(
  target: Sql,
  { columns, from, id, where, values }: Question,
  { page = 1, page_size: size = 10, cursor }: Paging,
): Promise<Page<R>> {
  refuseDeep({ page, page_size: size, cursor });
  if (cursor !== undefined && !isUuid(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands, with the same filters.');
  const matching = where.length === 0 ? '' : `where ${where.join(' and ')}`;
  const after =
    cursor === undefined ? '' : `${where.length === 0 ? 'where' : 'and'} ${id} < $${values.length + 1}::uuid`;
  const offset = cursor === undefined ? (page - 1) * size : 0;
  const [rows, { total }] = await Promise.all([
    target.many(
      sql<R>(
        `select ${columns} from ${from} ${matching} ${after} order by ${id} desc limit ${size + 1} offset ${offset}`,
        [...values, ...(cursor === undefined ? [] : [cursor])],
      ),
    ),
    target.one(
      sql<{ total: number }>(
        `select count(*) as total from (select from ${from} ${matching} limit ${DEEPEST + 1}) m`,
        values,
      ),
    ),
  ]);
  const items = rows.slice(0, size);
  return {
    items,
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    ...(total > DEEPEST ? { total_is_estimate: true } : {}),
    next_cursor: rows.length > size ? items.at(-1)!.id : null,
  };
}
