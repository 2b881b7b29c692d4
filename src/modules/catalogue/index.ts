import { createMemo } from '../../kernel/cache.ts';
import { prepare } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import {
  countByCategory,
  currentCategorySlug,
  findCategory,
  loadCategories,
  presentCategory,
  wayDown,
} from './categories.ts';
import { type Question, STOCK_JOIN } from './conditions.ts';
import { categoryNotFound } from './errors.ts';
import { CATALOGUE_TAG, touchesCatalogue, touchesMoreThanStock } from './events.ts';
import { type ExportRow, exportProducts, sitemapPage } from './export.ts';
import { countFacets } from './facets.ts';
import { type FoundProduct, getProduct } from './get-product.ts';
import { type ListedPage, listProducts, type PlainOrdering, type Slice } from './list-products.ts';
import { type Filters, readFilters, readOrdering, type Within } from './list-query.ts';
import { presentListItem } from './present.ts';
import type { Category, Facets, FilterQuery, ListQuery, ProductListItem, ProductPage } from './schemas.ts';
import { searchByRelevance, searching } from './search-products.ts';
import type { Sight } from './sight.ts';
import { LIST_COLUMNS, type ProductRow, VISIBLE } from './store-rows.ts';

export { namesOfCategory } from './category-tree.ts';
export { type Drawing, drawingKey } from './drawings/index.ts';
export { insufficientStock, productNotFound } from './errors.ts';
export { CATALOGUE_TAG } from './events.ts';
export type { ExportRow } from './export.ts';
export { type ForSale, readForSale } from './for-sale.ts';
export { importChanges } from './import-changes.ts';
export {
  countOfImport,
  fallenByImport,
  type Slice,
  stockOfImport,
} from './import-outcomes.ts';
export { mergeStaged, type Superseded } from './merge.ts';
export { optionsOfProducts } from './option-names.ts';
export { availabilityOf, imageUrl } from './present.ts';
export { namesOfProducts } from './product-names.ts';
export { searchWords, toQueryText } from './search-words.ts';
export { dressProducts } from './showcase.ts';
export { type Availability, COPY_STAGED, CREATE_STAGING, type Json, type StagedItem, stageItem } from './staging.ts';
export { changeStock } from './stock.ts';

/**
 * The catalogue's face: what other modules and the pages read. Everything is as the public sees it, unless more is asked
 * for by `within`, `sight` or `all`: whoever asks for that has made sure that the reader may.
 */
export type Catalogue = {
  /** A page of products. Throws validation_failed, page_too_deep, invalid_cursor. */
  list(query: ListQuery, within?: Within): Promise<ProductPage>;
  /** The facets' values with counts under the same filters. */
  filters(query: FilterQuery, within?: Within): Promise<Facets>;
  featured(): Promise<ProductListItem[]>;
  /** By id or slug. Throws product_not_found. */
  product(key: string, sight?: Sight): Promise<FoundProduct>;
  /** The active tree: roots with their children. */
  categories(options?: { all: boolean }): Promise<Category[]>;
  /** By id or slug, with the way down to it. Throws category_not_found. */
  category(key: string, options?: { all: boolean }): Promise<FoundCategory>;
  /** The categories from the root down to this one, as far as the public sees them. */
  wayTo(id: string): Promise<Category[]>;
  /** Names from the root down to the category. */
  categoryNames(id: string | null): Promise<string[]>;
  sitemap(after: string | null): Promise<{ id: string; slug: string; updated_at: string }[]>;
  export(): AsyncGenerator<ExportRow[]>;
};

export type FoundCategory = { category: Category; path: Category[] } | { movedTo: string };

/** Featured products are a shop window, not a list. */
const FEATURED = prepare<ProductRow>(
  `select ${LIST_COLUMNS} from products p ${STOCK_JOIN} where p.featured and ${VISIBLE} order by p.created_at desc, p.id desc limit 48`,
);

const NOTHING_FOUND: ListedPage = { rows: [], total: 0, estimated: false, nextCursor: null };

export function createCatalogue({
  db,
  config,
  events,
  cache,
}: Pick<Kernel, 'db' | 'config' | 'events' | 'cache'>): Catalogue {
  const currency = config.CURRENCY;
  const tree = createMemo(() => loadCategories(db));
  const counts = createMemo(() => countByCategory(db));
  events.follow((event) => {
    if (touchesMoreThanStock(event)) {
      tree.drop();
      counts.drop();
    }
    if (touchesCatalogue(event)) cache.invalidate([CATALOGUE_TAG]);
  });

  const readPage = async (filters: Filters, slice: Slice, products: number): Promise<ListedPage> => {
    const { ordering, ...rest } = slice;
    const plain = (question: Question) =>
      listProducts(db, question, { ...rest, ordering: ordering as PlainOrdering }, products);
    if (!filters.words) return plain({ filters });
    const ask = (words: string) =>
      ordering === 'relevance'
        ? searchByRelevance(db, filters, { ...rest, ordering }, words, products)
        : plain({ filters, query: words });
    return (await searching(db, filters.words, ask, (page) => page.total)) ?? NOTHING_FOUND;
  };

  const present = async (row: ProductRow) => presentListItem(row, await tree.get(), currency);

  return {
    async list(query, within) {
      const categories = await tree.get();
      const filters = readFilters(query, currency, categories, within);
      const ordering = readOrdering(query.ordering, filters);
      const slice = { ordering, page: query.page ?? 1, pageSize: query.page_size ?? 10, cursor: query.cursor };
      const found = await readPage(filters, slice, categories.products);
      return {
        items: found.rows.map((row) => presentListItem(row, categories, currency)),
        page: slice.cursor === undefined ? slice.page : null,
        page_size: slice.pageSize,
        total: found.total,
        total_pages: Math.ceil(found.total / slice.pageSize),
        ...(found.estimated ? { total_is_estimate: true } : {}),
        next_cursor: found.nextCursor,
      };
    },
    async filters(query, within) {
      const categories = await tree.get();
      return countFacets(db, readFilters(query, currency, categories, within), categories, currency);
    },
    async featured() {
      return Promise.all((await db.many(FEATURED([]))).map(present));
    },
    async product(key, sight) {
      return getProduct(db, key, await tree.get(), currency, sight);
    },
    async categories({ all } = { all: false }) {
      const [{ roots }, byCategory] = await Promise.all([tree.get(), counts.get()]);
      return roots.filter((node) => all || node.shown).map((node) => presentCategory(node, byCategory, all));
    },
    async category(key, { all } = { all: false }) {
      const [categories, byCategory] = await Promise.all([tree.get(), counts.get()]);
      const node = findCategory(categories, key);
      if (node && (all || node.shown)) {
        const path = wayDown(node, categories).map((step) => presentCategory(step, byCategory, all));
        return { category: path.at(-1)!, path };
      }
      const movedTo = node ? null : await currentCategorySlug(db, key);
      if (movedTo !== null && (all || categories.bySlug.get(movedTo)?.shown)) return { movedTo };
      throw categoryNotFound('There is no category with this id or slug.');
    },
    async wayTo(id) {
      const [categories, byCategory] = await Promise.all([tree.get(), counts.get()]);
      const node = categories.byId.get(id);
      const way = node ? wayDown(node, categories).filter((step) => step.shown) : [];
      return way.map((step) => presentCategory(step, byCategory));
    },
    async categoryNames(id) {
      const categories = await tree.get();
      const node = id === null ? undefined : categories.byId.get(id);
      return node ? wayDown(node, categories).map((step) => step.name) : [];
    },
    sitemap: (after) => sitemapPage(db, after),
    export: () => exportProducts(db),
  };
}
