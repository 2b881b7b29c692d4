import { createMemo } from '../../kernel/cache.ts';
import { prepare } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import {
  type CategoryNode,
  countByCategory,
  currentCategorySlug,
  loadCategories,
  presentCategory,
} from './categories.ts';
import { type Question, STOCK_JOIN } from './conditions.ts';
import { categoryNotFound } from './errors.ts';
import { CATALOGUE_TAG, touchesCatalogue } from './events.ts';
import { type ExportRow, exportProducts, sitemapPage } from './export.ts';
import { countFacets } from './facets.ts';
import { type FoundProduct, getProduct } from './get-product.ts';
import { type ListedPage, listProducts, type PlainOrdering, type Slice } from './list-products.ts';
import { type Filters, readFilters, readOrdering } from './list-query.ts';
import { presentListItem } from './present.ts';
import type { Category, Facets, FilterQuery, ListQuery, ProductListItem, ProductPage } from './schemas.ts';
import { searchByRelevance, searching } from './search-products.ts';
import { LIST_COLUMNS, type ProductRow, VISIBLE } from './store-rows.ts';

export { type Drawing, drawingKey } from './drawings/index.ts';
export { CATALOGUE_TAG } from './events.ts';
export type { ExportRow } from './export.ts';
export { mergeStaged, type Superseded } from './merge.ts';
export { availabilityOf, imageUrl } from './present.ts';
export { dressProducts } from './showcase.ts';
export { type Availability, COPY_STAGED, CREATE_STAGING, type Json, type StagedItem, stageItem } from './staging.ts';
export { changeStock } from './stock.ts';

/** The catalogue's face: what other modules and the pages read. */
export type Catalogue = {
  /** A page of products. Throws validation_failed, page_too_deep, invalid_cursor. */
  list(query: ListQuery): Promise<ProductPage>;
  /** The facets' values with counts under the same filters. */
  filters(query: FilterQuery): Promise<Facets>;
  featured(): Promise<ProductListItem[]>;
  /** By id or slug. Throws product_not_found. */
  product(key: string): Promise<FoundProduct>;
  /** The active tree: roots with their children. */
  categories(): Promise<Category[]>;
  /** By id or slug, with the way down to it. Throws category_not_found. */
  category(key: string): Promise<{ category: Category; path: Category[] } | { movedTo: string }>;
  /** Names from the root down to the category. */
  categoryNames(id: string | null): Promise<string[]>;
  sitemap(after: string | null): Promise<{ id: string; slug: string; updated_at: string }[]>;
  export(): AsyncGenerator<ExportRow[]>;
};

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
    if (!touchesCatalogue(event)) return;
    tree.drop();
    counts.drop();
    cache.invalidate([CATALOGUE_TAG]);
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
    async list(query) {
      const categories = await tree.get();
      const filters = readFilters(query, currency, categories);
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
    async filters(query) {
      const categories = await tree.get();
      return countFacets(db, readFilters(query, currency, categories), categories, currency);
    },
    async featured() {
      return Promise.all((await db.many(FEATURED([]))).map(present));
    },
    async product(key) {
      return getProduct(db, key, await tree.get(), currency);
    },
    async categories() {
      const [{ roots }, byCategory] = await Promise.all([tree.get(), counts.get()]);
      return roots.filter((node) => node.active).map((node) => presentCategory(node, byCategory));
    },
    async category(key) {
      const [{ byId, bySlug }, byCategory] = await Promise.all([tree.get(), counts.get()]);
      const node = isUuid(key) ? byId.get(key.toLowerCase()) : bySlug.get(key);
      if (node?.active) {
        const path = wayDown(node, byId).map((step) => presentCategory(step, byCategory));
        return { category: presentCategory(node, byCategory), path };
      }
      const movedTo = await currentCategorySlug(db, key);
      if (movedTo !== null) return { movedTo };
      throw categoryNotFound('There is no category with this id or slug.');
    },
    async categoryNames(id) {
      const { byId } = await tree.get();
      const node = id === null ? undefined : byId.get(id);
      return node ? wayDown(node, byId).map((step) => step.name) : [];
    },
    sitemap: (after) => sitemapPage(db, after),
    export: () => exportProducts(db),
  };
}

function wayDown(node: CategoryNode, byId: ReadonlyMap<string, CategoryNode>): CategoryNode[] {
  const way = [node];
  for (let up = node.parentId; up !== null; up = way[0]!.parentId) {
    const parent = byId.get(up);
    if (!parent) break;
    way.unshift(parent);
  }
  return way;
}
