import { type Database, estimateRows, prepare, type Statement } from '../../kernel/db.ts';
import { conditions, STOCK_JOIN, Values } from './conditions.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { COUNTED, type ListedPage, named, refuseDeepPage, type Slice } from './list-products.ts';
import type { Filters } from './list-query.ts';
import type { Facet, Ordering } from './schemas.ts';
import { toQueryText } from './search-words.ts';
import { LIST_COLUMNS, type ProductRow } from './store-rows.ts';

/**
 * Products by words. The matches are gathered in two layers, at most 10,000 of them together: first those whose title
 * (name, SKU, brand, category) has all the words, then those that need the description for it. Only titles are ranked:
 * they are short and lie in the row, while a ranked description would have to be fetched and parsed for each match.
 *
 * The expression over the description must never be a filter, only an index condition (it parses the text anew for each
 * row it is asked of): hence the materialized layers, out of which the planner cannot move it.
 *
 * When hardly anything is found, each word is set beside the words of all titles that it may have been meant for, and
 * the search is made again with these as alternatives.
 */

/** Finding fewer than this counts as having mistyped. */
const LITTLE = 3;

const PARSE = prepare<{ query: string }>("select to_tsquery('vitrine', $1)::text as query");

/** The likeliest words of the titles for each word: the function says how they are chosen. */
const CORRECT = prepare<{ word: string; near: string[] }>('select word, near from search_corrections($1)');

export async function searchProducts(
  db: Database,
  filters: Filters & { words: readonly string[] },
  slice: Slice,
): Promise<ListedPage> {
  refuseDeepPage(slice);
  const query = await findQuery(db, filters);
  if (query === null) return { rows: [], total: 0, estimated: false, nextCursor: null };
  return readPage(db, filters, slice, query);
}

/** The words as a text query that finds something, corrected if need be; null when there is nothing to find. */
export async function findQuery(db: Database, filters: Filters & { words: readonly string[] }): Promise<string | null> {
  if (filters.words.length === 0) return null;
  const { query } = await db.one(PARSE([toQueryText(filters.words)]));
  if (query === '') return null;
  const found = await db.one(countFound(filters, query));
  if (found.total >= LITTLE) return query;
  const corrected = await correct(db, filters.words);
  return corrected === null ? query : `${query} | ${corrected}`;
}

async function correct(db: Database, words: readonly string[]): Promise<string | null> {
  const rows = await db.many(CORRECT([words]));
  const parts = rows.map(({ word, near }) => {
    const alternatives = [...new Set([...near, word])].map(
      (text) => `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`,
    );
    return alternatives.length === 1 ? alternatives[0] : `(${alternatives.join(' | ')})`;
  });
  return rows.some(({ near }) => near.length > 0) ? `(${parts.join(' & ')})` : null;
}

function countFound(filters: Filters, query: string): Statement<{ total: number }> {
  const values = new Values();
  const layers = matchLayers(filters, values, query, LITTLE);
  return named(`with ${layers} select count(*) as total from found`, values);
}

/**
 * The matches as CTEs; the last, `found (product_id, score, in_title)`, holds at most `limit` and says whether there were
 * more. `columns` of products (as `p`) are carried along.
 */
export function matchLayers(
  filters: Filters,
  values: Values,
  query: string,
  limit: number,
  columns = '',
  without?: Facet | 'category' | 'price',
): string {
  const { where, stock } = conditions(filters, values, without);
  const q = values.add(query, 'tsquery');
  const rest = `join products p on p.id = t.product_id ${stock ? STOCK_JOIN : ''} where ${where}`;
  const more = columns ? `, ${columns}` : '';
  return `
    titled as materialized (
      select t.product_id, (ts_rank('{0.1, 0.3, 0.6, 1.0}', t.title, ${q}, 1) * 1000000)::int + 2000000 as score${more}
      from product_texts t ${rest} and t.title @@ ${q}
      limit ${limit}
    ),
    mentioned as materialized (
      select product_id from product_texts
      where search_document(title, description) @@ ${q} and (select count(*) from titled) < ${limit}
    ),
    described as materialized (
      select t.product_id, 0 as score${more}
      from mentioned t ${rest} and not exists (select from titled where titled.product_id = t.product_id)
      limit greatest(0, ${limit} - (select count(*) from titled))
    ),
    found as (select * from titled union all select * from described)`;
}

/** Orders of a found set: the expressions over `p`, and how the value goes into a cursor. */
const SORTS: Record<Ordering, { key: string; desc: boolean; type: string }> = {
  relevance: { key: 'f.score', desc: true, type: 'int' },
  price: { key: 'f.effective_price', desc: false, type: 'bigint' },
  '-price': { key: 'f.effective_price', desc: true, type: 'bigint' },
  created_at: { key: 'f.created_at', desc: false, type: 'timestamptz' },
  '-created_at': { key: 'f.created_at', desc: true, type: 'timestamptz' },
  name: { key: 'f.name', desc: false, type: 'text collate "und-x-icu"' },
  '-name': { key: 'f.name', desc: true, type: 'text collate "und-x-icu"' },
  lowest_offer: { key: 'coalesce(f.lowest_offer, 9223372036854775807)', desc: false, type: 'bigint' },
  '-lowest_offer': { key: 'coalesce(f.lowest_offer, -1)', desc: true, type: 'bigint' },
};

/** Beyond this a set ordered by anything but relevance is no longer complete. */
const SORTED_UP_TO = 1_000_000;

async function readPage(db: Database, filters: Filters, slice: Slice, query: string): Promise<ListedPage> {
  const values = new Values();
  const { key, desc, type } = SORTS[slice.ordering];
  const column =
    slice.ordering === 'relevance' ? '' : `p.${slice.ordering.replace('-', '').replace(/^price$/, 'effective_price')}`;
  // By relevance only the best are wanted; by price or name, the whole set must be seen to find its first.
  const layers = matchLayers(
    filters,
    values,
    query,
    slice.ordering === 'relevance' ? COUNTED + 1 : SORTED_UP_TO,
    column,
  );
  const direction = desc ? 'desc' : 'asc';
  const after = slice.cursor === undefined ? undefined : readCursor(slice.cursor, slice.ordering);
  const beyond = after
    ? `where (${key}, f.product_id) ${desc ? '<' : '>'} (${values.add(after.value, type)}, ${values.add(after.id, 'uuid')})`
    : '';
  const offset = after ? 0 : (slice.page - 1) * slice.pageSize;
  const rows = await db.many<ProductRow & { key: string | number | Date; total: number }>(
    named(
      `with ${layers},
       k as (
         select f.product_id as id, ${key} as key from found f ${beyond}
         order by ${key} ${direction}, f.product_id ${direction}
         limit ${values.add(slice.pageSize + 1, 'int')} offset ${values.add(offset, 'int')}
       )
       select ${LIST_COLUMNS}, k.key, t.total
       from (select count(*) as total from found) t
       left join k on true left join products p on p.id = k.id ${STOCK_JOIN}
       order by k.key ${direction}, k.id ${direction}`,
      values,
    ),
  );
  const total = rows[0]?.total ?? 0;
  const found = rows.filter((row) => row.id !== null);
  const page = found.slice(0, slice.pageSize);
  const last = page.at(-1);
  const value =
    last?.key instanceof Date
      ? last.key.toISOString()
      : slice.ordering === 'lowest_offer'
        ? String(last?.key)
        : last?.key;
  const nextCursor =
    found.length > slice.pageSize && last && value !== undefined
      ? writeCursor({ ordering: slice.ordering, value, id: last.id })
      : null;
  const estimated = total > COUNTED;
  return {
    rows: page,
    total: estimated ? Math.max(total, await estimateMentions(db, query)) : total,
    estimated,
    nextCursor,
  };
}

/** The planner's guess at how many products have the words at all: for totals beyond what is counted. */
async function estimateMentions(db: Database, query: string): Promise<number> {
  return estimateRows(db, {
    text: 'select from product_texts where search_document(title, description) @@ $1::tsquery',
    values: [query],
  });
}
