import type { Filters } from './list-query.ts';
import { FACETS, type Facet } from './schemas.ts';
import { VISIBLE } from './store-rows.ts';

/** Collects the values of a statement while its text is written; the texts are few, the values many. */
export class Values {
  readonly list: unknown[] = [];
  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

/**
 * The filters as SQL over `products p` and, when they ask for stock, `stock s`. One value is compared by `=`, so that
 * an index that begins with the column can also give the order. `without` leaves one facet out: it does not narrow
 * itself.
 */
export function conditions(
  filters: Filters,
  values: Values,
  without?: Facet | 'category' | 'price',
): { where: string; stock: boolean } {
  const all: string[] = [VISIBLE];
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
  const stock = filters.inStock !== undefined;
  if (stock) all.push(filters.inStock ? IN_STOCK : `not ${IN_STOCK}`);
  return { where: all.join(' and '), stock };
}

/** Counted products by what is on hand, others by their availability. */
const IN_STOCK = "coalesce(s.on_hand > 0, p.availability = 'in_stock')";

export const STOCK_JOIN = 'left join stock s on s.product_id = p.id';

function anyOf(column: string, wanted: readonly string[], type: string, values: Values): string {
  return wanted.length === 1
    ? `${column} = ${values.add(wanted[0], type)}`
    : `${column} = any (${values.add(wanted, `${type}[]`)})`;
}
