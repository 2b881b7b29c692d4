import { validationFailed } from '../../kernel/http/problem.ts';
import { parseMoney } from '../../kernel/money.ts';
import { type CategorySnapshot, findCategory } from './categories.ts';
import { FACETS, type Facet, type FilterQuery, type Ordering, type State } from './schemas.ts';
import { searchWords } from './search-words.ts';

/** Which products a question is about, by what the asker may see of them. */
export type Within = {
  state: State;
  /** Only those of this owner. */
  ownerId?: string | undefined;
};

export const PUBLIC: Within = { state: 'visible' };

/** What the SQL needs to know of a list's query, out of what the client wrote. */
export type Filters = Within & {
  /** The category asked for and all below it; an unknown one gives an empty array, which matches nothing. */
  categoryIds?: readonly string[];
  /** The name of the category asked for: a word of the title of everything in and below it. */
  categoryName?: string;
  priceMin?: number;
  priceMax?: number;
  inStock?: boolean;
  featured?: boolean;
  groupId?: string;
  facets: Partial<Record<Facet, readonly string[]>>;
  /** The words searched for; an empty array when the search holds no word, which matches nothing. */
  words?: readonly string[];
};

/**
 * Reads the filters; a category that the public does not see is unknown to it here too. Throws validation_failed for a
 * price that is none in the shop's currency.
 */
export function readFilters(
  query: FilterQuery,
  currency: string,
  categories: CategorySnapshot,
  within: Within = PUBLIC,
): Filters {
  const filters: Filters = { ...within, facets: {} };
  if (query.category !== undefined) {
    const named = findCategory(categories, query.category);
    const found = named?.shown || within.state !== 'visible' ? named : undefined;
    filters.categoryIds = found ? found.familyIds : [];
    if (found) filters.categoryName = found.name;
  }
  if (query.price_min !== undefined) filters.priceMin = readPrice('price_min', query.price_min, currency);
  if (query.price_max !== undefined) filters.priceMax = readPrice('price_max', query.price_max, currency);
  if (query.in_stock !== undefined) filters.inStock = query.in_stock;
  if (query.featured !== undefined) filters.featured = query.featured;
  if (query.group_id !== undefined) filters.groupId = query.group_id;
  for (const facet of FACETS) {
    const values = query[facet];
    if (values && values.length > 0) filters.facets[facet] = [...new Set(values)].sort();
  }
  if (query.search?.trim()) filters.words = searchWords(query.search);
  return filters;
}

function readPrice(path: string, text: string, currency: string): number {
  const minor = parseMoney(text, currency);
  if (minor === null)
    throw validationFailed('Some fields are not valid.', {
      errors: [{ path, message: `must be an amount in ${currency}, such as ${currency === 'JPY' ? '1500' : '19.99'}` }],
    });
  return minor;
}

export function readOrdering(ordering: Ordering | undefined, filters: Filters): Ordering {
  if (filters.words) return ordering ?? 'relevance';
  return ordering === undefined || ordering === 'relevance' ? '-created_at' : ordering;
}

/** One key for all spellings of the same question: names in a fixed order, values sorted. */
export function filterKey(query: FilterQuery): string {
  const facets = FACETS.map((facet) => (query[facet] ? [...query[facet]].sort() : 0));
  return JSON.stringify([
    query.category,
    query.price_min,
    query.price_max,
    query.in_stock,
    query.featured,
    query.group_id,
    query.search?.trim(),
    ...facets,
  ]);
}
