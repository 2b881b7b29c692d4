import { formatMoney, parseMoney } from '../kernel/money.ts';
import type { Facet, FilterQuery, ListQuery, Ordering } from '../modules/catalogue/schemas.ts';

/**
 * A list page's query string, as people and their bookmarks write it. Nothing here fails: what is unknown (`utm_source`,
 * `gclid`) is not looked at, what cannot be meant is left out, and a price that is none is told in words.
 *
 * `toSearch` writes the same question always the same way. It is the page's canonical address and the key that it is
 * cached under, so that tracking parameters neither break nor multiply the cache.
 */

/** In the order in which the page shows them. */
export const FACET_NAMES: readonly (readonly [Facet, string])[] = [
  ['brand', 'Brand'],
  ['color', 'Colour'],
  ['size', 'Size'],
  ['gender', 'For'],
  ['condition', 'Condition'],
];

/** The orders offered; the first is what a list without a search has when none is chosen. */
export const ORDERING_NAMES: readonly (readonly [Ordering, string])[] = [
  ['-created_at', 'Newest'],
  ['price', 'Price, low to high'],
  ['-price', 'Price, high to low'],
  ['name', 'Name, A to Z'],
];

const PAGE_SIZE = 24;

/** The catalogue's limits, API.md's: longer words and longer lists are refused there, so they are cut here. */
const MAX_SEARCH = 200;
const MAX_VALUES = 50;

export type ListParameters = {
  search: string;
  /** Slug or id; never set on a category's own page, whose path says it. */
  category: string | null;
  facets: Readonly<Record<Facet, readonly string[]>>;
  priceMin: string | null;
  priceMax: string | null;
  inStock: boolean;
  /** Null is the list's own order: best matches first under a search, else the newest. */
  ordering: Ordering | null;
  page: number;
  /** Which of the prices given are none. */
  faults: readonly ('price_min' | 'price_max')[];
};

type Query = Readonly<Record<string, unknown>>;

export function readParameters(query: unknown, currency: string): ListParameters {
  const given = (query ?? {}) as Query;
  const faults: ('price_min' | 'price_max')[] = [];
  const price = (name: 'price_min' | 'price_max') => {
    const text = readText(given[name], 40);
    if (text === '') return null;
    const minor = parseMoney(plainAmount(text), currency);
    if (minor === null) faults.push(name);
    return minor;
  };
  let priceMin = price('price_min');
  let priceMax = price('price_max');
  if (priceMin !== null && priceMax !== null && priceMin > priceMax) [priceMin, priceMax] = [priceMax, priceMin];
  const ordering = readText(given.ordering, 20);
  const search = readText(given.search, MAX_SEARCH);
  return {
    search,
    category: readText(given.category, 200) || null,
    facets: Object.fromEntries(FACET_NAMES.map(([facet]) => [facet, readValues(given[facet])])) as Record<
      Facet,
      string[]
    >,
    priceMin: priceMin === null ? null : formatMoney(priceMin, currency),
    priceMax: priceMax === null ? null : formatMoney(priceMax, currency),
    inStock: ['true', '1', 'on', 'yes'].includes(readText(given.in_stock, 10).toLowerCase()),
    ordering: readOrdering(ordering, search !== ''),
    page: readPage(readText(given.page, 20)),
    faults,
  };
}

/** Null for the list's own order, however it is asked for. */
function readOrdering(text: string, searching: boolean): Ordering | null {
  const known = ORDERING_NAMES.find(([ordering]) => ordering === text)?.[0];
  return known === undefined || (known === '-created_at' && !searching) ? null : known;
}

/** The first of the values given, without control characters and halved surrogates, cut at `max` characters. */
function readText(value: unknown, max: number): string {
  const first: unknown = Array.isArray(value) ? value.find((part) => part !== '') : value;
  if (typeof first !== 'string') return '';
  return clean(first).slice(0, max).toWellFormed().trim();
}

function readValues(value: unknown): string[] {
  const all = (Array.isArray(value) ? value : [value]).filter((part) => typeof part === 'string');
  const kept = all.map((part) => clean(part.slice(0, 1000)).trim()).filter((part) => part !== '' && part.length <= 200);
  return [...new Set(kept)].sort().slice(0, MAX_VALUES);
}

function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is control characters that have no place in words.
  return text.replace(/[\0-\x1f\x7f]+/g, ' ').toWellFormed();
}

function readPage(text: string): number {
  return /^\d{1,6}$/.test(text) ? Math.max(1, Number(text)) : /^\d+$/.test(text) ? 1_000_000 : 1;
}

/** `$1,299`, `1 299,50` and ` 20 ` as plain decimals. */
function plainAmount(text: string): string {
  const bare = text.replace(/^[\p{Sc}\p{L}\s]+|[\p{Sc}\p{L}\s]+$/gu, '').replace(/(?<=\d)\s(?=\d)/g, '');
  const comma = bare.includes('.') ? bare.replaceAll(',', '') : bare.replace(/,(?=\d{3}(,|$))/g, '').replace(',', '.');
  return comma.replace(/^(\d+)\.$/, '$1');
}

/** `?brand=…&page=2`, or nothing: names and values in a fixed order, defaults left out. */
export function toSearch(parameters: Partial<ListParameters>): string {
  const search = new URLSearchParams();
  const { search: words, category, facets, priceMin, priceMax, inStock, ordering, page } = parameters;
  if (words) search.append('search', words);
  if (category) search.append('category', category);
  for (const [facet] of FACET_NAMES) for (const value of facets?.[facet] ?? []) search.append(facet, value);
  if (priceMin) search.append('price_min', priceMin);
  if (priceMax) search.append('price_max', priceMax);
  if (inStock) search.append('in_stock', 'true');
  if (ordering) search.append('ordering', ordering);
  if (page && page > 1) search.append('page', String(page));
  const text = search.toString();
  return text && `?${text}`;
}

/** Whether anything but the category and the page narrows or orders the list: such pages are no entrance for search engines. */
export function isNarrowed(parameters: ListParameters): boolean {
  return toSearch({ ...parameters, category: null, page: 1 }) !== '';
}

export function toFilterQuery(parameters: ListParameters): FilterQuery {
  const { search, category, facets, priceMin, priceMax, inStock } = parameters;
  return {
    ...(search ? { search } : {}),
    ...(category ? { category } : {}),
    ...Object.fromEntries(
      FACET_NAMES.flatMap(([facet]) => (facets[facet].length > 0 ? [[facet, [...facets[facet]]]] : [])),
    ),
    ...(priceMin ? { price_min: priceMin } : {}),
    ...(priceMax ? { price_max: priceMax } : {}),
    ...(inStock ? { in_stock: true } : {}),
  };
}

export function toListQuery(parameters: ListParameters): ListQuery {
  const { ordering, page } = parameters;
  return { ...toFilterQuery(parameters), ...(ordering ? { ordering } : {}), page, page_size: PAGE_SIZE };
}
