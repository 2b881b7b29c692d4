import { type Database, prepare } from '../../kernel/db.ts';
import { filterSql, impliedQuery, isFiltered, STOCK_JOIN, Values, type Without } from './conditions.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { COUNTED, estimateMatches, type ListedPage, named, refuseDeepPage, type Slice } from './list-products.ts';
import type { Filters } from './list-query.ts';
import type { State } from './schemas.ts';
import { toQueryText } from './search-words.ts';
import { LIST_COLUMNS, type ProductRow } from './store-rows.ts';

/**
 * Products by words. A search is exact first; when it finds hardly anything, each word is set beside the words of all
 * titles that it may have been meant for, and it is made again with these as alternatives.
 *
 * By relevance the matches are gathered in two layers, at most 10,001 of them together: first those whose title (name,
 * SKU, brand, category) has all the words, then those that need the description for it. Only titles are ranked: they are
 * short, and what merely mentions a word is alike in that. In any other order a search is a list with one more condition.
 */

/** Finding fewer than this counts as having mistyped. */
const LITTLE = 3;

const PARSE = prepare<{ query: string }>("select to_tsquery('vitrine', $1)::text as query");

/** The likeliest words of the titles for each word: the function says how they are chosen. */
const CORRECT = prepare<{ word: string; near: string[] }>('select word, near from search_corrections($1)');

/**
 * Answers what `ask` gives for the words as a text query, or for the corrected words when that found little; null when
 * there is no word to search for.
 */
export async function searching<T>(
  db: Database,
  words: readonly string[],
  ask: (query: string) => Promise<T>,
  foundIn: (answer: T) => number,
): Promise<T | null> {
  if (words.length === 0) return null;
  const { query } = await db.one(PARSE([toQueryText(words)]));
  if (query === '') return null;
  const answer = await ask(query);
  if (foundIn(answer) >= LITTLE) return answer;
  const corrected = await correct(db, words);
  return corrected === null ? answer : ask(`${query} | ${corrected}`);
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

/** What a text alone knows of its product's state, and so needs no look at the product. */
const TEXTS_OF_STATE: Partial<Record<State, string>> = { visible: 't.visible', all: 'true' };

/**
 * The matches as CTEs; the last, `found (product_id, score)`, holds at most COUNTED + 1. Without a filter no product is
 * looked at: a text knows whether its product is visible.
 */
export function foundSql(filters: Filters, values: Values, query: string, without?: Without): string {
  const q = impliedQuery(query, filters, values, without);
  const where = filterSql(filters, values, without);
  const known = isFiltered(filters, without) ? undefined : TEXTS_OF_STATE[filters.state];
  const [products, passing] = known === undefined ? ['join products p on p.id = t.product_id', where] : ['', known];
  return `
    titled as materialized (
      select t.product_id, (ts_rank('{0.1, 0.3, 0.6, 1.0}', t.title, ${q}, 1) * 1000000)::int + 1 as score
      from product_texts t ${products} where ${passing} and t.title @@ ${q}
      limit ${COUNTED + 1}
    ),
    described as materialized (
      select t.product_id, 0 as score
      from product_texts t ${products}
      where ${passing} and t.document @@ ${q} and not t.title @@ ${q} and (select count(*) from titled) <= ${COUNTED}
      limit ${COUNTED + 1}
    ),
    found as (select * from titled union all select * from described limit ${COUNTED + 1})`;
}

/** A page by relevance. Throws page_too_deep and invalid_cursor. */
export async function searchByRelevance(
  db: Database,
  filters: Filters,
  slice: Slice<'relevance'>,
  query: string,
  products: number,
): Promise<ListedPage> {
  refuseDeepPage(slice);
  const values = new Values();
  const layers = foundSql(filters, values, query);
  const after = slice.cursor === undefined ? undefined : readCursor(slice.cursor, slice.ordering);
  const beyond = after
    ? `where (score, product_id) < (${values.add(after.value, 'bigint')}, ${values.add(after.id, 'uuid')})`
    : '';
  const offset = after ? 0 : (slice.page - 1) * slice.pageSize;
  const rows = await db.many<ProductRow & { score: number; total: number }>(
    named(
      `with ${layers},
       k as (
         select product_id as id, score from found ${beyond} order by score desc, product_id desc
         limit ${values.add(slice.pageSize + 1, 'int')} offset ${values.add(offset, 'int')}
       )
       select ${LIST_COLUMNS}, k.score, t.total
       from (select count(*) as total from found) t
       left join k on true left join products p on p.id = k.id ${STOCK_JOIN}
       order by k.score desc, k.id desc`,
      values,
    ),
  );
  const counted = rows[0]?.total ?? 0;
  const found = rows.filter((row) => row.id !== null);
  const page = found.slice(0, slice.pageSize);
  const last = page.at(-1);
  const estimated = counted > COUNTED;
  return {
    rows: page,
    total: estimated ? await estimateMatches(db, { filters, query }, products) : counted,
    estimated,
    nextCursor:
      found.length > page.length && last
        ? writeCursor({ ordering: 'relevance', value: last.score, id: last.id })
        : null,
  };
}
