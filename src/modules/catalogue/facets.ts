import type { Database } from '../../kernel/db.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { CategorySnapshot } from './categories.ts';
import { conditions, STOCK_JOIN, Values } from './conditions.ts';
import { COUNTED, countStatement, named } from './list-products.ts';
import type { Filters } from './list-query.ts';
import { FACETS, type Facet, type Facets } from './schemas.ts';
import { findQuery, matchLayers } from './search-products.ts';

/**
 * The values that the matches have, with counts. A facet does not narrow itself, so each facet that is filtered by is
 * counted over a set of its own, and all others over the one set that every filter narrows.
 *
 * A set of up to 10,000 matches is counted whole. Of a larger one a sample is counted and scaled: pages of the table
 * chosen at random but always the same, or, under a search, the matches met first.
 */

type Own = Facet | 'category' | 'price';
type Counted = { facet: string; value: string | null; count: number; low: number | null; high: number | null };

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
  const query = filters.words ? await findQuery(db, { ...filters, words: filters.words }) : undefined;
  if (query === null) return emptyFacets();
  const own: Own[] = FACETS.filter((facet) => filters.facets[facet]);
  if (filters.categoryIds) own.push('category');
  if (filters.priceMin !== undefined || filters.priceMax !== undefined) own.push('price');
  const shared = [...FACETS, 'category' as const, 'price' as const].filter((facet) => !own.includes(facet));
  const sets = await Promise.all([
    countSet(db, filters, query, shared, undefined, categories.products),
    ...own.map((facet) => countSet(db, filters, query, [facet], facet, categories.products)),
  ]);
  const rows = sets.flatMap((set) => set.rows);
  const price = rows.find((row) => row.facet === 'price');
  const money = (minor: number | null | undefined) => (minor == null ? null : formatMoney(minor, currency));
  return {
    ...(Object.fromEntries(FACETS.map((facet) => [facet, valuesOf(rows, facet)])) as Record<Facet, Facets[Facet]>),
    category: categoryValues(rows, categories),
    price: { min: money(price?.low), max: money(price?.high) },
    ...(sets.some((set) => set.estimated) ? { counts_are_estimates: true } : {}),
  };
}

async function countSet(
  db: Database,
  filters: Filters,
  query: string | undefined,
  facets: Own[],
  without: Own | undefined,
  products: number,
): Promise<{ rows: Counted[]; estimated: boolean }> {
  const columns = facets.map((facet) =>
    facet === 'category' ? 'p.category_id' : facet === 'price' ? 'p.effective_price' : `p.${facet}`,
  );
  if (columns.length === 0) return { rows: [], estimated: false };
  const values = new Values();
  if (query !== undefined) {
    const layers = matchLayers(filters, values, query, COUNTED + 1, columns.join(', '), without);
    const rows = await db.many<Counted & { seen: number }>(
      named(`with ${layers}, m as materialized (select * from found) ${groups(facets)}`, values),
    );
    return { rows, estimated: (rows[0]?.seen ?? 0) > COUNTED };
  }
  const total = (await db.one(countStatement(filters, without))).total;
  const { where, stock } = conditions(filters, values, without);
  const from = (table: string) =>
    `m as materialized (select ${columns.join(', ')} from ${table} ${stock ? STOCK_JOIN : ''} where ${where})`;
  if (total <= COUNTED) {
    return {
      rows: await db.many<Counted>(named(`with ${from('products p')} ${groups(facets)}`, values)),
      estimated: false,
    };
  }
  const percent = Math.min(100, (SAMPLE / Math.max(products, COUNTED)) * 100);
  const sample = `products p tablesample system (${values.add(percent, 'real')}) repeatable (0)`;
  const rows = await db.many<Counted>(named(`with ${from(sample)} ${groups(facets)}`, values));
  for (const row of rows) row.count = Math.round((row.count * 100) / percent);
  return { rows, estimated: true };
}

/** All facets of the set `m` in one pass over it. */
function groups(facets: Own[]): string {
  const counted = facets
    .filter((facet) => facet !== 'price')
    .map((facet) => (facet === 'category' ? 'category_id' : facet));
  const parts = counted.map(
    (
      column,
    ) => `(select '${column}' as facet, ${column}::text as value, count(*) as count, null::bigint as low, null::bigint as high
      from m where ${column} is not null group by ${column} order by count(*) desc, ${column} ${column === 'category_id' ? '' : `limit ${MOST_VALUES}`})`,
  );
  if (facets.includes('price'))
    parts.push("(select 'price', null, count(*), min(effective_price), max(effective_price) from m)");
  return `select g.*, (select count(*) from m) as seen from (${parts.join(' union all ')}) g`;
}

function valuesOf(rows: Counted[], facet: Facet): { value: string; count: number }[] {
  return rows
    .filter((row) => row.facet === facet && row.value !== null)
    .map((row) => ({ value: row.value!, count: row.count }));
}

/** Counts by category, each with all below it, since that is what filtering by it gives. */
function categoryValues(rows: Counted[], categories: CategorySnapshot): { value: string; count: number }[] {
  const direct = new Map(rows.filter((row) => row.facet === 'category_id').map((row) => [row.value, row.count]));
  return [...categories.byId.values()]
    .map((node) => ({ value: node.slug, count: node.familyIds.reduce((sum, id) => sum + (direct.get(id) ?? 0), 0) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

function emptyFacets(): Facets {
  return { condition: [], gender: [], brand: [], color: [], size: [], category: [], price: { min: null, max: null } };
}
