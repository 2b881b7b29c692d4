import { type Database, estimateRows, type Statement } from '../../kernel/db.ts';
import { conditions, STOCK_JOIN, Values } from './conditions.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { pageTooDeep } from './errors.ts';
import type { Filters } from './list-query.ts';
import type { Facet, Ordering } from './schemas.ts';
import { LIST_COLUMNS, type ProductRow } from './store-rows.ts';

/**
 * A page of products without a search (search.ts has the other). Two statements, the second chosen by what the first
 * says:
 *
 * 1. Count the matches, up to 10,001: beyond that only an estimate is given.
 * 2. Read the page. Few matches are gathered and sorted; many are met by walking the ordering's index until the page is
 *    full. Left alone, the planner supposes that filters are independent of each other and of the order, and walks a
 *    million rows for the last three. With c matches among N products, walking costs about (offset + page) · N / c
 *    rows and sorting c: the smaller one is taken.
 *
 * Either way only ids come out of the inner query, from the index alone where it can be; the rows are fetched for the
 * page.
 */

/** What a list counts exactly. */
export const COUNTED = 10_000;
/** How deep pages may be asked for by number; cursors go on at the same cost. */
const DEEPEST = 10_000;

type Order = { key: string; desc: boolean; type: string; valueOf(row: ProductRow): string | number };

const NO_OFFER_LAST = '9223372036854775807';

/** Each expression is that of an index, letter by letter. */
const ORDERS: Record<Exclude<Ordering, 'relevance'>, Order> = {
  price: { key: 'p.effective_price', desc: false, type: 'bigint', valueOf: (row) => row.effective_price },
  '-price': { key: 'p.effective_price', desc: true, type: 'bigint', valueOf: (row) => row.effective_price },
  created_at: { key: 'p.created_at', desc: false, type: 'timestamptz', valueOf: (row) => row.created_at.toISOString() },
  '-created_at': {
    key: 'p.created_at',
    desc: true,
    type: 'timestamptz',
    valueOf: (row) => row.created_at.toISOString(),
  },
  name: { key: 'p.name', desc: false, type: 'text', valueOf: (row) => row.name },
  '-name': { key: 'p.name', desc: true, type: 'text', valueOf: (row) => row.name },
  lowest_offer: {
    key: `coalesce(p.lowest_offer, ${NO_OFFER_LAST})`,
    desc: false,
    type: 'bigint',
    valueOf: (row) => String(row.lowest_offer ?? NO_OFFER_LAST),
  },
  '-lowest_offer': {
    key: 'coalesce(p.lowest_offer, -1)',
    desc: true,
    type: 'bigint',
    valueOf: (row) => row.lowest_offer ?? -1,
  },
};

export type Slice = { ordering: Ordering; page: number; pageSize: number; cursor: string | undefined };

export type ListedPage = {
  rows: ProductRow[];
  total: number;
  estimated: boolean;
  nextCursor: string | null;
};

/** Throws page_too_deep when the page's end lies beyond what is read by number. */
export function refuseDeepPage({ page, pageSize, cursor }: Slice): void {
  if (cursor === undefined && page * pageSize > DEEPEST)
    throw pageTooDeep(
      `Pages end at product ${DEEPEST}. Narrow the filters, or go on with cursor=<next_cursor>, which has no end.`,
    );
}

export async function listProducts(
  db: Database,
  filters: Filters,
  slice: Slice & { ordering: Exclude<Ordering, 'relevance'> },
  products: number,
): Promise<ListedPage> {
  refuseDeepPage(slice);
  const after = slice.cursor === undefined ? undefined : readCursor(slice.cursor, slice.ordering);
  const counted = (await db.one(countStatement(filters))).total;
  const estimated = counted > COUNTED;
  const offset = after ? 0 : (slice.page - 1) * slice.pageSize;
  const sorts = !estimated && counted * counted <= (offset + slice.pageSize) * Math.max(products, counted);
  const found = await db.many(pageStatement(filters, slice, after, offset, sorts));
  const total = estimated ? Math.max(COUNTED + 1, await estimateMatches(db, filters, products)) : counted;
  return { ...cut(found, slice.pageSize, ORDERS[slice.ordering], slice.ordering), total, estimated };
}

function cut(found: ProductRow[], pageSize: number, order: Order, ordering: Ordering) {
  const rows = found.slice(0, pageSize);
  const last = rows.at(-1);
  const nextCursor =
    found.length > pageSize && last ? writeCursor({ ordering, value: order.valueOf(last), id: last.id }) : null;
  return { rows, nextCursor };
}

/** How many match, up to COUNTED + 1. */
export function countStatement(filters: Filters, without?: Facet | 'category' | 'price'): Statement<{ total: number }> {
  const values = new Values();
  const { where, stock } = conditions(filters, values, without);
  return named(
    `select count(*) as total from (select from products p ${stock ? STOCK_JOIN : ''} where ${where} limit ${COUNTED + 1}) m`,
    values,
  );
}

function pageStatement(
  filters: Filters,
  slice: Slice & { ordering: Exclude<Ordering, 'relevance'> },
  after: Cursor | undefined,
  offset: number,
  sorts: boolean,
): Statement<ProductRow> {
  const values = new Values();
  const { where, stock } = conditions(filters, values);
  const { key, desc, type } = ORDERS[slice.ordering];
  const direction = desc ? 'desc' : 'asc';
  const from = `select p.id, ${key} as key from products p ${stock ? STOCK_JOIN : ''} where ${where}`;
  const beyond = after
    ? ` and (${key}, p.id) ${desc ? '<' : '>'} (${values.add(after.value, type)}, ${values.add(after.id, 'uuid')})`
    : '';
  const page = `limit ${values.add(slice.pageSize + 1, 'int')} offset ${values.add(offset, 'int')}`;
  // Materialized, the planner cannot turn the sort back into a walk.
  const ids = sorts
    ? `with m as materialized (${from}${beyond}) select id, key from m order by key ${direction}, id ${direction} ${page}`
    : `${from}${beyond} order by ${key} ${direction}, p.id ${direction} ${page}`;
  return named(
    `select ${LIST_COLUMNS} from (${ids}) k join products p on p.id = k.id ${STOCK_JOIN} order by k.key ${direction}, k.id ${direction}`,
    values,
  );
}

/** The planner's guess at how many match, for totals beyond what is counted. */
async function estimateMatches(db: Database, filters: Filters, products: number): Promise<number> {
  const values = new Values();
  const { where, stock } = conditions(filters, values);
  if (values.list.length === 0 && !stock && filters.featured === undefined) return products;
  return estimateRows(db, {
    text: `select from products p ${stock ? STOCK_JOIN : ''} where ${where}`,
    values: values.list,
  });
}

const names = new Map<string, string>();
const MAX_NAMED_SHAPES = 300;

/** A statement whose text is one of a few hundred shapes: those met first are prepared by name. */
export function named<R>(text: string, values: Values): Statement<R> {
  let name = names.get(text);
  if (name === undefined && names.size < MAX_NAMED_SHAPES) {
    name = `list_${names.size}`;
    names.set(text, name);
  }
  return { text, values: values.list, name };
}
