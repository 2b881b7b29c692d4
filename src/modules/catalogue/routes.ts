import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Filled } from '../../kernel/cache.ts';
import { AppError, type ErrorKind } from '../../kernel/errors.ts';
import { redirectFresh, sendFresh } from '../../kernel/http/fresh-answer.ts';
import type { Http } from '../../kernel/http/index.ts';
import { allow, forbidden } from '../accounts/index.ts';
import { categoryNotFound, productNotFound } from './errors.ts';
import { CATALOGUE_TAG } from './events.ts';
import type { Catalogue } from './index.ts';
import { filterKey, PUBLIC } from './list-query.ts';
import {
  Category,
  CategoryListQuery,
  CategoryTree,
  CategoryTreeQuery,
  Facets,
  type ListQuery,
  Product,
  ProductItems,
  ProductListItem,
  ProductPage,
  SeenFilterQuery,
  SeenListQuery,
  SlugOrId,
} from './schemas.ts';
import { demandSight, readWithin, sightOf } from './sight.ts';

/**
 * What is read of the catalogue. The public's answers come from the cache, whoever asks for them; what only staff and
 * sellers see never touches it.
 */

const TAGS = [CATALOGUE_TAG];

export function registerCatalogueRoutes(app: Http, catalogue: Catalogue): void {
  for (const schema of [ProductListItem, Product, Category]) app.addSchema(schema);
  const tags = ['Catalogue'];

  app.get(
    '/api/products',
    {
      config: allow('anyone'),
      schema: { summary: 'List products', tags, querystring: SeenListQuery, response: { 200: ProductPage } },
    },
    async (request, reply) => {
      const { state, owner, ...query } = request.query;
      const within = readWithin({ state, owner }, request.identity);
      if (within !== PUBLIC) return sendFresh(reply, await catalogue.list(query, within));
      return app.answers.answer(request, reply, `products:${listKey(query)}`, async () =>
        json(reply, await catalogue.list(query)),
      );
    },
  );

  app.get(
    '/api/products/featured',
    { config: allow('anyone'), schema: { summary: 'Featured products', tags, response: { 200: ProductItems } } },
    (request, reply) =>
      app.answers.answer(request, reply, 'featured', async () => json(reply, { items: await catalogue.featured() })),
  );

  app.get(
    '/api/products/filters',
    {
      config: allow('anyone'),
      schema: {
        summary: 'Facet values with counts, under the same filters',
        tags,
        querystring: SeenFilterQuery,
        response: { 200: Facets },
      },
    },
    async (request, reply) => {
      const { state, owner, ...query } = request.query;
      const within = readWithin({ state, owner }, request.identity);
      if (within !== PUBLIC) return sendFresh(reply, await catalogue.filters(query, within));
      return app.answers.answer(request, reply, `filters:${filterKey(query)}`, async () =>
        json(reply, await catalogue.filters(query)),
      );
    },
  );

  const moved = { 301: Type.Null({ description: 'An old slug: Location has the new one.' }) };

  app.get(
    '/api/products/:key',
    {
      config: allow('anyone'),
      schema: {
        summary: 'A product',
        description: 'Staff also see what is inactive or archived, and sellers their own.',
        tags,
        params: SlugOrId,
        response: { 200: Type.Ref('Product'), ...moved },
      },
    },
    async (request, reply) => {
      const { key } = request.params;
      const unlessHidden = app.answers.answer(request, reply, `product:${key}`, async () => {
        const found = await catalogue.product(key);
        if ('movedTo' in found) return redirect(`/api/products/${found.movedTo}`);
        return { ...json(reply, found.product), version: found.product.version };
      });
      const sight = sightOf(request.identity);
      if (sight === 'public' || !(await misses(unlessHidden, productNotFound))) return unlessHidden;
      const found = await catalogue.product(key, sight);
      if ('movedTo' in found) return redirectFresh(reply, `/api/products/${found.movedTo}`);
      return sendFresh(reply, found.product, { version: found.product.version });
    },
  );

  app.get(
    '/api/categories',
    {
      config: allow('anyone'),
      schema: { summary: 'The category tree', tags, querystring: CategoryTreeQuery, response: { 200: CategoryTree } },
    },
    async (request, reply) => {
      if (request.query.state === 'all') {
        if (demandSight(request.identity) !== 'all') throw forbidden('Only staff see inactive categories.');
        return sendFresh(reply, { items: await catalogue.categories({ all: true }) });
      }
      return app.answers.answer(request, reply, 'categories', async () =>
        json(reply, { items: await catalogue.categories() }),
      );
    },
  );

  app.get(
    '/api/categories/:key',
    {
      config: allow('anyone'),
      schema: {
        summary: 'A category with all below it',
        description:
          'An inactive category, and what stands below it, is seen by staff alone. Its products stay where they are: they ' +
          'keep their pages, and are listed under the categories above it.',
        tags,
        params: SlugOrId,
        response: { 200: Type.Ref('Category'), ...moved },
      },
    },
    async (request, reply) => {
      const { key } = request.params;
      const unlessHidden = app.answers.answer(request, reply, `category:${key}`, async () => {
        const found = await catalogue.category(key);
        if ('movedTo' in found) return redirect(`/api/categories/${found.movedTo}`);
        return { ...json(reply, found.category), version: found.category.version };
      });
      if (sightOf(request.identity) !== 'all' || !(await misses(unlessHidden, categoryNotFound))) return unlessHidden;
      const found = await catalogue.category(key, { all: true });
      if ('movedTo' in found) return redirectFresh(reply, `/api/categories/${found.movedTo}`);
      return sendFresh(reply, found.category, { version: found.category.version });
    },
  );

  app.get(
    '/api/categories/:key/products',
    {
      config: allow('anyone'),
      schema: {
        summary: 'List the products of a category and all below it',
        tags,
        params: SlugOrId,
        querystring: CategoryListQuery,
        response: { 200: ProductPage, ...moved },
      },
    },
    (request, reply) =>
      app.answers.answer(
        request,
        reply,
        `category-products:${request.params.key}:${listKey(request.query)}`,
        async () => {
          const found = await catalogue.category(request.params.key);
          if ('movedTo' in found)
            return redirect(`/api/categories/${found.movedTo}/products${queryOf(request.raw.url)}`);
          return json(reply, await catalogue.list({ ...request.query, category: found.category.id }));
        },
      ),
  );
}

/** Serialised by the route's schema, which leaves out whatever it does not name. */
function json(reply: FastifyReply, value: object): Filled {
  const serialize = reply.getSerializationFunction('200')!;
  return { body: serialize(value as never), contentType: 'application/json; charset=utf-8', tags: TAGS };
}

/** Whether an answer came to nothing but that error. */
async function misses(answer: Promise<void>, kind: ErrorKind): Promise<boolean> {
  try {
    await answer;
    return false;
  } catch (error) {
    if (error instanceof AppError && error.code === kind.code) return true;
    throw error;
  }
}

/** The query as it was written, with its question mark. */
function queryOf(url = ''): string {
  return url.includes('?') ? url.slice(url.indexOf('?')) : '';
}

function redirect(location: string): Filled {
  return { body: '', contentType: 'application/json; charset=utf-8', tags: TAGS, status: 301, headers: { location } };
}

function listKey(query: ListQuery): string {
  return `${query.ordering ?? ''}|${query.page ?? 1}|${query.page_size ?? 10}|${query.cursor ?? ''}|${filterKey(query)}`;
}
