import type { Database } from '../../kernel/db.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { CategorySnapshot } from './categories.ts';
import { type Question, questionSql, Values, type Without } from './conditions.ts';
import { COUNTED, countMatches, named } from './list-products.ts';
import type { Filters } from './list-query.ts';
import { FACETS, type Facet, type Facets } from './schemas.ts';
import { foundSql, searching } from './search-products.ts';

/**
 * The values that the matches have, with counts. A facet does not narrow itself, so each facet that is filtered by is
 * counted over a set of its own, and all others over the one set that every filter narrows.
 *
 * A set of up to 10,000 matches is counted whole. Of a larger one a sample is counted and scaled: pages of the table
 * chosen at random but always the same, or, under a search, the matches met first.
 */

type Own = Facet | 'category' | 'price';
type Counted = {
  facet: string;
  value: string | null;
  count: number;
  low: number | null;
  high: number | null;
  seen: number;
};
type CountedSet = { rows: Counted[]; seen: number; estimated: boolean };

/** Values of a facet that are worth showing. */
const MOST_VALUES = 100;

/** How many rows a sample should look at, for a set that is at least a hundredth of the table. */
const SAMPLE = 30_000;

export async function countFacets(
  db: Database,
  filters: Filters,
  categories: CategorySnapshot,
  currency: string,
): Promise<Facets> {
  const own: Own[] = FACETS.filter((facet) => filters.facets[facet]);
  if (filters.categoryIds) own.push('category');
  if (filters.priceMin !== undefined || filters.priceMax !== undefined) own.push('price');
  const shared = [...FACETS, 'category' as const, 'price' as const].filter((facet) => !own.includes(facet));

  const count = (query?: string) =>
    Promise.all([
      countSet(db, { filters, query }, shared, undefined, categories.products),
      ...own.map((facet) => countSet(db, { filters, query }, [facet], facet, categories.products)),
    ]);
  const sets = filters.words
    ? await searching(db, filters.words, count, (found) => Math.max(...found.map(({ seen }) => seen)))
    : await count();

  const rows = sets?.flatMap((set) => set.rows) ?? [];
  const price = rows.find((row) => row.facet === 'price');
  const money = (minor: number | null | undefined) => (minor == null ? null : formatMoney(minor, currency));
  return {
    ...(Object.fromEntries(FACETS.map((facet) => [facet, valuesOf(rows, facet)])) as Record<Facet, Facets[Facet]>),
    category: categoryValues(rows, categories, filters),
    price: { min: money(price?.low), max: money(price?.high) },
    ...(sets?.some((set) => set.estimated) ? { counts_are_estimates: true } : {}),
  };
}

async function countSet(
  db: Database,
  question: Question,
  facets: Own[],
  without: Without,
  products: number,
): Promise<CountedSet> {
  const values = new Values();
  const columns = ['p.id', ...facets.map((facet) => `p.${columnOf(facet)}`)].join(', ');
  const counted = (text: string) => db.many<Counted>(named(`with ${text} ${groups(facets)}`, values));
  if (question.query !== undefined) {
    const found = foundSql(question.filters, values, question.query, without);
    const rows = await counted(
      `${found}, m as materialized (select ${columns} from found f join products p on p.id = f.product_id)`,
    );
    const seen = rows[0]?.seen ?? 0;
    return { rows, seen, estimated: seen > COUNTED };
  }
  const total = await countMatches(db, question, without);
  const estimated = total > COUNTED;
  const percent = estimated ? Math.min(100, (SAMPLE / Math.max(products, COUNTED)) * 100) : 100;
  const { from, where } = questionSql(question, values, without);
  const sampled = estimated
    ? from.replace('products p', `products p tablesample system (${values.add(percent, 'real')}) repeatable (0)`)
    : from;
  const rows = await counted(`m as materialized (select ${columns} from ${sampled} where ${where})`);
  for (const row of rows) row.count = Math.round((row.count * 100) / percent);
  return { rows, seen: total, estimated };
}

function columnOf(facet: Own): string {
  return facet === 'category' ? 'category_id' : facet === 'price' ? 'effective_price' : facet;
}

/** All facets of the set `m`, which is gathered once; a row for each value, and one for the prices. */
function groups(facets: Own[]): string {
  const parts = facets.map((facet) => {
    const column = columnOf(facet);
    if (facet === 'price')
      return "(select 'price' as facet, null as value, count(*) as count, min(effective_price) as low, max(effective_price) as high from m)";
    return `(select '${facet}' as facet, ${column}::text as value, count(*) as count, null::bigint as low, null::bigint as high
      from m where ${column} is not null group by ${column} order by count(*) desc, ${column} ${facet === 'category' ? '' : `limit ${MOST_VALUES}`})`;
  });
  if (parts.length === 0)
    return "select 'none' as facet, null as value, 0 as count, null::bigint as low, null::bigint as high, (select count(*) from m) as seen";
  return `select g.*, (select count(*) from m) as seen from (${parts.join(' union all ')}) g`;
}

function valuesOf(rows: Counted[], facet: Facet): { value: string; count: number }[] {
  return rows
    .filter((row) => row.facet === facet && row.value !== null)
    .map((row) => ({ value: row.value!, count: row.count }));
}

/** Counts by category, each with all below it, since that is what filtering by it gives. */
function categoryValues(
  rows: Counted[],
  categories: CategorySnapshot,
  { state }: Filters,
): { value: string; count: number }[] {
  const direct = new Map(rows.filter((row) => row.facet === 'category').map((row) => [row.value, row.count]));
  return [...categories.byId.values()]
    .filter((node) => node.shown || state !== 'visible')
    .map((node) => ({ value: node.slug, count: node.familyIds.reduce((sum, id) => sum + (direct.get(id) ?? 0), 0) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
