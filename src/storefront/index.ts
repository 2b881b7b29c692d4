import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Filled } from '../kernel/cache.ts';
import type { Config } from '../kernel/config.ts';
import { AppError } from '../kernel/errors.ts';
import { type Http, notFound } from '../kernel/http/index.ts';
import type { Idempotency } from '../kernel/idempotency.ts';
import type { Accounts } from '../modules/accounts/index.ts';
import { CATALOGUE_TAG, type Catalogue } from '../modules/catalogue/index.ts';
import type { Category, Facets, FilterQuery, ListQuery, Product, ProductPage } from '../modules/catalogue/schemas.ts';
import type { Mailbox } from '../modules/notifications/index.ts';
import type { Orders } from '../modules/orders/index.ts';
import { registerAccountPages } from './account/routes.ts';
import { assets } from './assets.ts';
import { homePage } from './home-page.ts';
import type { Frame } from './layout.ts';
import { categoryPage, isMissing, productsPage } from './list-page.ts';
import { orderPages } from './orders/routes.ts';
import { type ListParameters, readParameters, toFilterQuery, toListQuery, toSearch } from './parameters.ts';
import { onePerFamily, productPath } from './product-card.ts';
import { productPage, type Related } from './product-page.ts';
import { registerSitemap, robotsText } from './sitemap.ts';
import { registerMailbox } from './staff/mailbox.ts';

export { errorPage } from './error-page.ts';

/**
 * The shop's pages. Each is an answer out of the cache, under a key made of what the page recognises of its address; but
 * for those that depend on who asks: in account/ and orders/.
 */

type Deps = {
  catalogue: Catalogue;
  accounts: Accounts;
  mailbox: Mailbox;
  orders: Orders;
  idempotency: Idempotency;
  config: Pick<Config, 'SHOP_NAME' | 'CURRENCY' | 'TIME_ZONE'>;
  /** How the world calls the shop, without a slash at its end. */
  publicUrl: string;
};

const HTML = 'text/html; charset=utf-8';
const TILES = 12;

export function registerStorefront(app: Http, deps: Deps): void {
  const { catalogue, accounts, mailbox, orders, idempotency, config, publicUrl } = deps;
  const currency = config.CURRENCY;

  const frame = async (): Promise<Frame> => ({ shopName: config.SHOP_NAME, categories: await catalogue.categories() });
  const page = (body: string, status = 200): Filled => ({ body, contentType: HTML, tags: [CATALOGUE_TAG], status });
  const answer = (request: FastifyRequest, reply: FastifyReply, address: string, fill: () => Promise<Filled>) =>
    app.answers.answer(request, reply, `page ${address}`, fill);

  app.get('/', (request, reply) =>
    answer(request, reply, '/', async () => {
      const [shown, featured, newest] = await Promise.all([
        frame(),
        catalogue.featured(),
        catalogue.list({ page_size: 100 }),
      ]);
      const departments = shown.categories.filter((category) => category.product_count > 0).slice(0, TILES);
      const tiles = departments.map(async (category) => ({
        category,
        image: category.image_url ?? (await pictureOf(catalogue, category)),
      }));
      return page(
        homePage(shown, publicUrl, {
          featured,
          newest: newest.items,
          total: newest.total,
          departments: await Promise.all(tiles),
        }),
      );
    }),
  );

  app.get('/products', (request, reply) => {
    const parameters = readParameters(request.query, currency);
    return answer(request, reply, listKey('/products', parameters), async () => {
      const [shown, list] = await Promise.all([
        frame(),
        readList(catalogue, toListQuery(parameters), toFilterQuery(parameters)),
      ]);
      const data = { ...list, parameters, currency, publicUrl };
      return page(productsPage(shown, data), isMissing(data) ? 404 : 200);
    });
  });

  app.get<{ Params: { key: string } }>('/products/:key', (request, reply) => {
    const { key } = request.params;
    return answer(request, reply, productPath(key), async () => {
      const found = await catalogue.product(key);
      if ('movedTo' in found) return moved(productPath(found.movedTo));
      const { product } = found;
      if (product.slug !== key) return moved(productPath(product.slug));
      const [shown, way] = await Promise.all([frame(), product.category ? catalogue.wayTo(product.category.id) : []]);
      return page(productPage(shown, { product, way, related: await relatedTo(catalogue, product, way), publicUrl }));
    });
  });

  app.get<{ Params: { key: string } }>('/categories/:key', (request, reply) => {
    const { key } = request.params;
    // The path says the category.
    const parameters = { ...readParameters(request.query, currency), category: null };
    const path = `/categories/${encodeURIComponent(key)}`;
    return answer(request, reply, listKey(path, parameters), async () => {
      const found = await catalogue.category(key);
      if ('movedTo' in found) return moved(`/categories/${encodeURIComponent(found.movedTo)}${toSearch(parameters)}`);
      const { slug } = found.category;
      if (slug !== key) return moved(`/categories/${encodeURIComponent(slug)}${toSearch(parameters)}`);
      const within = { category: slug };
      const [shown, list] = await Promise.all([
        frame(),
        readList(catalogue, { ...toListQuery(parameters), ...within }, { ...toFilterQuery(parameters), ...within }),
      ]);
      const data = { ...list, parameters, currency, publicUrl };
      return page(categoryPage(shown, found.path, data), isMissing(data) ? 404 : 200);
    });
  });

  registerAccountPages(app, { accounts, config, frame }, [
    ...orderPages(orders, idempotency),
    registerMailbox(mailbox),
  ]);
  registerSitemap(app, catalogue, publicUrl);

  app.get('/robots.txt', (request, reply) =>
    answer(request, reply, '/robots.txt', async () => ({
      body: robotsText(publicUrl),
      contentType: 'text/plain; charset=utf-8',
      tags: [],
    })),
  );

  const { files, icon } = assets();
  app.get<{ Params: { file: string } }>('/assets/:file', (request, reply) => {
    const file = files.get(request.params.file);
    if (!file) throw notFound('There is no such file.');
    return answer(request, reply, `/assets/${request.params.file}`, async () => file);
  });
  // Asked for by name where no page says where it is.
  app.get('/favicon.svg', (request, reply) =>
    answer(request, reply, '/favicon.svg', async () => ({ ...files.get(icon.replace('/assets/', ''))!, headers: {} })),
  );
}

function moved(location: string): Filled {
  return {
    body: '',
    contentType: 'text/plain; charset=utf-8',
    tags: [CATALOGUE_TAG],
    status: 301,
    headers: { location },
  };
}

/** The prices that are none are told in the page, but not part of its address. */
function listKey(path: string, parameters: ListParameters): string {
  return `${path}${toSearch(parameters)} ${parameters.faults.join()}`;
}

/** The page asked for with its facets; without a page when that lies deeper than pages go. */
async function readList(
  catalogue: Catalogue,
  query: ListQuery,
  filters: FilterQuery,
): Promise<{ page: ProductPage | null; facets: Facets }> {
  const tooDeep = (error: unknown) => {
    if (error instanceof AppError && error.code === 'page_too_deep') return null;
    throw error;
  };
  const [page, facets] = await Promise.all([catalogue.list(query).catch(tooDeep), catalogue.filters(filters)]);
  return { page, facets };
}

const RELATED = 4;

/** A row of other things: from the product's own category, the nearest above it that has a row, or else its brand. */
async function relatedTo(
  catalogue: Catalogue,
  { id, group_id, brand }: Product,
  way: readonly Category[],
): Promise<Related | null> {
  const shelves = way.toReversed().map(({ name, slug }) => ({
    heading: `More in ${name}`,
    href: `/categories/${encodeURIComponent(slug)}`,
    query: { category: slug } as ListQuery,
  }));
  if (brand !== null)
    shelves.push({
      heading: `More from ${brand}`,
      href: `/products?brand=${encodeURIComponent(brand)}`,
      query: { brand: [brand] },
    });
  for (const { heading, href, query } of shelves) {
    // Families are large: of 60 products a handful remain.
    const { items } = await catalogue.list({ ...query, in_stock: true, page_size: 60 });
    const others = onePerFamily(items, new Set([group_id ?? id])).slice(0, RELATED);
    if (others.length === RELATED) return { heading, href, items: others };
  }
  return null;
}

/** The picture of a product, for a department that has none of its own. */
async function pictureOf(catalogue: Catalogue, category: Category): Promise<string | null> {
  const { items } = await catalogue.list({ category: category.slug, page_size: 1 });
  return items[0]?.image_url ?? null;
}
