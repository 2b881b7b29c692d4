import type { Filters } from './list-query.ts';
import { FACETS, type Facet, type State } from './schemas.ts';
import { VISIBLE } from './store-rows.ts';

/** Collects the values of a statement while its text is written; the texts are few, the values many. */
export class Values {
  readonly list: unknown[] = [];
  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

/** A filter that is left out where a facet is counted: it does not narrow itself. */
export type Without = Facet | 'category' | 'price' | undefined;

/** Which products: those that pass the filters and, when there is a text query, have its words. */
export type Question = { filters: Filters; query?: string | undefined };

/** Archived products are never visible; said again, it lets the index of what is not visible find them. */
const OF_STATE: Readonly<Record<State, string>> = {
  visible: VISIBLE,
  hidden: `not ${VISIBLE} and p.archived_at is null`,
  archived: `not ${VISIBLE} and p.archived_at is not null`,
  all: 'true',
};

export const STOCK_JOIN = 'left join stock s on s.product_id = p.id';

/**
 * Counted products by what is on hand, others by their availability. Looked up product by product, so that counting stops
 * where it has enough: as a join, the planner reads all stock of the shop first when the set is large.
 */
const IN_STOCK = "coalesce((select k.on_hand > 0 from stock k where k.product_id = p.id), p.availability = 'in_stock')";

/**
 * The filters as conditions over `products p`. One value is compared by `=`, so that an index that begins with the
 * column can also give the order.
 */
export function filterSql(filters: Filters, values: Values, without?: Without): string {
  const all: string[] = [OF_STATE[filters.state]];
  if (filters.ownerId !== undefined) all.push(`p.owner_id = ${values.add(filters.ownerId, 'uuid')}`);
  if (filters.categoryIds && without !== 'category')
    all.push(anyOf('p.category_id', filters.categoryIds, 'uuid', values));
  if (without !== 'price') {
    if (filters.priceMin !== undefined) all.push(`p.effective_price >= ${values.add(filters.priceMin, 'bigint')}`);
    if (filters.priceMax !== undefined) all.push(`p.effective_price <= ${values.add(filters.priceMax, 'bigint')}`);
  }
  if (filters.featured !== undefined) all.push(filters.featured ? 'p.featured' : 'not p.featured');
  if (filters.groupId !== undefined) all.push(`p.group_id = ${values.add(filters.groupId, 'text')}`);
  for (const facet of FACETS) {
    const wanted = filters.facets[facet];
    if (wanted && facet !== without) all.push(anyOf(`p.${facet}`, wanted, 'text', values));
  }
  if (filters.inStock !== undefined) all.push(filters.inStock ? IN_STOCK : `not ${IN_STOCK}`);
  return all.join(' and ');
}

/** The same with the words, for sets that are counted, walked or sorted by anything but relevance. */
export function questionSql(
  { filters, query }: Question,
  values: Values,
  without?: Without,
  withStock = false,
): { from: string; where: string } {
  const where = filterSql(filters, values, without);
  const joins = withStock ? STOCK_JOIN : '';
  if (query === undefined) return { from: `products p ${joins}`, where };
  return {
    from: `products p ${joins} join product_texts t on t.product_id = p.id`,
    where: `${where} and t.document @@ ${impliedQuery(query, filters, values, without)}`,
  };
}

/**
 * The text query with the words that the filters imply. A product's title has the words of its brand and of all its
 * categories, so asking for these too finds the same products, but lets the text index narrow the matches of a common
 * word down before a single row is read.
 */
export function impliedQuery(query: string, filters: Filters, values: Values, without?: Without): string {
  const wordsOf = (text: string) => `plainto_tsquery('vitrine', search_plain(${values.add(text, 'text')}))`;
  const asked = values.add(query, 'tsquery');
  const parts = [asked];
  if (filters.categoryName !== undefined && without !== 'category') parts.push(wordsOf(filters.categoryName));
  const brands = without === 'brand' ? [] : (filters.facets.brand ?? []);
  if (brands.length > 0) {
    const words = brands.map(wordsOf);
    // A brand of signs alone implies no word, and so neither does one brand of several.
    const wordless = words.map((brand) => `numnode(${brand}) = 0`).join(' or ');
    parts.push(`case when ${wordless} then ${asked} else (${words.join(' || ')}) end`);
  }
  return `(${parts.join(' && ')})`;
}

/** Whether the filters narrow anything at all within the products of that state. */
export function isFiltered(filters: Filters, without?: Without): boolean {
  return filterSql(filters, new Values(), without) !== OF_STATE[filters.state];
}

function anyOf(column: string, wanted: readonly string[], type: string, values: Values): string {
  return wanted.length === 1
    ? `${column} = ${values.add(wanted[0], type)}`
    : `${column} = any (${values.add(wanted, `${type}[]`)})`;
}
