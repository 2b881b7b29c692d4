import type { Bench } from './support/database.ts';

/**
 * The mixes of queries that lists and searches are measured by: deterministic, and made of values that the catalogue
 * has, so that they find something.
 */

export type Query = { name: string; path: string };

type Vocabulary = {
  brands: string[];
  colors: string[];
  sizes: string[];
  genders: string[];
  categories: string[];
  words: string[];
  rareWords: string[];
  skus: string[];
};

export async function readVocabulary(bench: Bench, url: string): Promise<Vocabulary> {
  const list = async (text: string) => (await bench.query<{ value: string }>(url, text)).map(({ value }) => value);
  const common = (column: string) =>
    list(
      `select ${column} as value from products where ${column} is not null group by 1 order by count(*) desc, 1 limit 40`,
    );
  const words =
    await list(`select w.word as value from (select lexeme as word, count(*) from (select title from product_texts tablesample system (5) repeatable (1)) t,
    unnest(t.title) u where lexeme ~ '^[a-z]{4,}$' group by 1 order by 2 desc, 1 limit 600) w`);
  return {
    brands: await common('brand'),
    colors: await common('color'),
    sizes: await common('size'),
    genders: await common('gender'),
    categories: await list('select slug as value from categories order by slug'),
    words: words.slice(0, 60),
    rareWords: words.slice(200),
    skus: await list('select sku as value from products tablesample system (0.5) repeatable (1) order by id limit 40'),
  };
}

/** A small generator of numbers from 0 to 1, the same each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ORDERINGS = ['price', '-price', 'created_at', '-created_at', 'name', '-name', 'lowest_offer', '-lowest_offer'];

/** Lists by every ordering and filter, alone and together, first pages and later ones. */
export function listMix(vocabulary: Vocabulary, count: number): Query[] {
  const random = randomFrom(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const filters: Record<string, () => string> = {
    none: () => '',
    category: () => `category=${pick(vocabulary.categories)}`,
    brand: () => `brand=${encodeURIComponent(pick(vocabulary.brands))}`,
    'two brands': () =>
      `brand=${encodeURIComponent(pick(vocabulary.brands))}&brand=${encodeURIComponent(pick(vocabulary.brands))}`,
    color: () => `color=${encodeURIComponent(pick(vocabulary.colors))}`,
    'size and color': () =>
      `size=${encodeURIComponent(pick(vocabulary.sizes))}&color=${encodeURIComponent(pick(vocabulary.colors))}`,
    gender: () => `gender=${pick(vocabulary.genders)}`,
    'price range': () =>
      `price_min=${5 + Math.floor(random() * 50)}.00&price_max=${60 + Math.floor(random() * 100)}.00`,
    'in stock': () => 'in_stock=true',
    'category and brand': () =>
      `category=${pick(vocabulary.categories)}&brand=${encodeURIComponent(pick(vocabulary.brands))}`,
    'category, in stock, price': () =>
      `category=${pick(vocabulary.categories)}&in_stock=true&price_max=${20 + Math.floor(random() * 80)}.00`,
  };
  return Array.from({ length: count }, () => {
    const name = pick(Object.keys(filters));
    const page = random() < 0.2 ? `&page=${2 + Math.floor(random() * 8)}` : '';
    return { name, path: `/api/products?ordering=${pick(ORDERINGS)}${page}&${filters[name]!()}`.replace(/&$/, '') };
  });
}

/** Searches of common and rare words, of several, misspelt, by SKU and under filters, and the facets of each kind. */
export function searchMix(vocabulary: Vocabulary, count: number): Query[] {
  const random = randomFrom(11);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const misspell = (word: string) => {
    const at = 1 + Math.floor(random() * (word.length - 2));
    return word.slice(0, at) + word.slice(at + 1);
  };
  const searches: Record<string, () => string> = {
    'common word': () => `search=${pick(vocabulary.words)}`,
    'rare word': () => `search=${pick(vocabulary.rareWords)}`,
    'two words': () => `search=${pick(vocabulary.words)}+${pick(vocabulary.words)}`,
    'beginning of a word': () => `search=${pick(vocabulary.rareWords).slice(0, 4)}`,
    misspelt: () => `search=${misspell(pick(vocabulary.rareWords))}`,
    SKU: () => `search=${encodeURIComponent(pick(vocabulary.skus))}`,
    'word in a category': () => `search=${pick(vocabulary.words)}&category=${pick(vocabulary.categories)}`,
    'word of a brand': () => `search=${pick(vocabulary.words)}&brand=${encodeURIComponent(pick(vocabulary.brands))}`,
    'word by price': () => `search=${pick(vocabulary.rareWords)}&ordering=price`,
  };
  const facets: Record<string, () => string> = {
    'facets of all': () => '',
    'facets of a category': () => `category=${pick(vocabulary.categories)}`,
    'facets of a brand and color': () =>
      `brand=${encodeURIComponent(pick(vocabulary.brands))}&color=${encodeURIComponent(pick(vocabulary.colors))}`,
    'facets of a common word': () => `search=${pick(vocabulary.words)}`,
    'facets of a rare word': () => `search=${pick(vocabulary.rareWords)}`,
  };
  return Array.from({ length: count }, () => {
    if (random() < 0.65) {
      const name = pick(Object.keys(searches));
      return { name, path: `/api/products?${searches[name]!()}` };
    }
    const name = pick(Object.keys(facets));
    return { name, path: `/api/products/filters?${facets[name]!()}`.replace(/\?$/, '') };
  });
}
