import { type Database, estimateRows, type Statement } from '../../kernel/db.ts';
import { DEEPEST } from '../../kernel/paging.ts';
import { isFiltered, type Question, questionSql, STOCK_JOIN, Values, type Without } from './conditions.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { pageTooDeep } from './errors.ts';
import type { Ordering } from './schemas.ts';
import { LIST_COLUMNS, type ProductRow } from './store-rows.ts';

/**
 * A page of products in an order other than relevance (search-products.ts has that). Two statements, the second chosen by
 * what the first says:
 *
 * 1. Count the matches, up to 10,001: beyond that only an estimate is given.
 * 2. Read the page. Few matches are gathered and sorted; many are met by walking the ordering's index until the page is
 *    full. Left alone, the planner supposes that filters are independent of each other and of the order, and walks a
 *    million rows for the last three. With c matches among N products, walking costs about (offset + page) · N / c
 *    rows and sorting c: the smaller one is taken.
 *
 * The orderings' indexes hold what is visible. Where everything is asked for, they are walked all the same, and what they
 * give is merged with as many of the products that are not visible, which are few enough to be sorted: 200,000 products
 * took 140 ms in one scan and take 2 to 10 ms so.
 *
 * Far from the first page, and where matches are sorted, only ids come out of the inner query, from the index alone where
 * it can be; rows are fetched for the page.
 */

/** What a list counts exactly. */
export const COUNTED = 10_000;

/** Up to here passing over whole rows is cheaper than fetching the page's in a second step. */
const NEAR = 100;

/** An ordering but relevance, which only a search has. */
export type PlainOrdering = Exclude<Ordering, 'relevance'>;

type Order = { key: string; desc: boolean; type: string; valueOf(row: ProductRow): string | number };

const NO_OFFER_LAST = '9223372036854775807';

/** Each expression is that of an index, letter by letter. */
const ORDERS: Record<PlainOrdering, Order> = {
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

export type Slice<O extends Ordering = Ordering> = {
  ordering: O;
  page: number;
  pageSize: number;
  cursor: string | undefined;
};

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

/** `products` is about how many there are in all. Throws page_too_deep and invalid_cursor. */
export async function listProducts(
  db: Database,
  question: Question,
  slice: Slice<PlainOrdering>,
  products: number,
): Promise<ListedPage> {
  refuseDeepPage(slice);
  const after = slice.cursor === undefined ? undefined : readCursor(slice.cursor, slice.ordering);
  const counted = await countMatches(db, question);
  const estimated = counted > COUNTED;
  const offset = after ? 0 : (slice.page - 1) * slice.pageSize;
  const sorts = !estimated && counted * counted <= (offset + slice.pageSize) * Math.max(products, counted);
  const found = await db.many(pageStatement(question, slice, after, offset, sorts));
  const rows = found.slice(0, slice.pageSize);
  const last = rows.at(-1);
  const { ordering } = slice;
  const nextCursor =
    found.length > rows.length && last
      ? writeCursor({ ordering, value: ORDERS[ordering].valueOf(last), id: last.id })
      : null;
  return { rows, total: estimated ? await estimateMatches(db, question, products) : counted, estimated, nextCursor };
}

/** How many match, up to COUNTED + 1. */
export async function countMatches(db: Database, question: Question, without?: Without): Promise<number> {
  const values = new Values();
  const { from, where } = questionSql(question, values, without);
  const statement = named<{ total: number }>(
    `select count(*) as total from (select from ${from} where ${where} limit ${COUNTED + 1}) m`,
    values,
  );
  return (await db.one(statement)).total;
}

function pageStatement(
  question: Question,
  slice: Slice<PlainOrdering>,
  after: Cursor | undefined,
  offset: number,
  sorts: boolean,
): Statement<ProductRow> {
  const values = new Values();
  const walksBoth = !sorts && question.filters.state === 'all';
  const walksNear = !sorts && !walksBoth && offset <= NEAR;
  const { from, where } = questionSql(question, values, undefined, walksNear);
  const { key, desc, type } = ORDERS[slice.ordering];
  const direction = desc ? 'desc' : 'asc';
  const beyond = after
    ? ` and (${key}, p.id) ${desc ? '<' : '>'} (${values.add(after.value, type)}, ${values.add(after.id, 'uuid')})`
    : '';
  const page = `limit ${values.add(slice.pageSize + 1, 'int')} offset ${values.add(offset, 'int')}`;
  if (walksNear)
    return named(
      `select ${LIST_COLUMNS} from ${from} where ${where}${beyond} order by ${key} ${direction}, p.id ${direction} ${page}`,
      values,
    );
  const matches = `select p.id, ${key} as key from ${from} where ${where}${beyond}`;
  const inOrder = (ids: string) => `${ids} order by key ${direction}, id ${direction} ${page}`;
  const walk = (of: string, limit: string) =>
    `${matches}${of} order by ${key} ${direction}, p.id ${direction} ${limit}`;
  const half = (of: string) => `(${walk(of, `limit ${values.add(offset + slice.pageSize + 1, 'int')}`)})`;
  const ids = sorts
    ? // Materialized, the planner cannot turn the sort back into a walk.
      `with m as materialized (${matches}) ${inOrder('select id, key from m')}`
    : walksBoth
      ? inOrder(`select id, key from (${half(' and p.visible')} union all ${half(' and not p.visible')}) m`)
      : walk('', page);
  return named(
    `select ${LIST_COLUMNS} from (${ids}) k join products p on p.id = k.id ${STOCK_JOIN} order by k.key ${direction}, k.id ${direction}`,
    values,
  );
}

/** The planner's guess at how many match, for totals beyond what is counted. */
export async function estimateMatches(db: Database, question: Question, products: number): Promise<number> {
  const { filters, query } = question;
  const isWhole = query === undefined && (filters.state === 'visible' || filters.state === 'all');
  if (isWhole && !isFiltered(filters)) return Math.max(COUNTED + 1, products);
  const values = new Values();
  const { from, where } = questionSql(question, values);
  return Math.max(
    COUNTED + 1,
    await estimateRows(db, { text: `select from ${from} where ${where}`, values: values.list }),
  );
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
