import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Filled } from '../../kernel/cache.ts';
import type { Http } from '../../kernel/http/index.ts';
import { notFound } from '../../kernel/http/index.ts';
import { drawSvg, parseDrawingKey } from './drawings/index.ts';
import { CATALOGUE_TAG } from './events.ts';
import type { Catalogue } from './index.ts';
import { filterKey } from './list-query.ts';
import {
  Category,
  CategoryListQuery,
  CategoryTree,
  Facets,
  FilterQuery,
  ListQuery,
  Product,
  ProductItems,
  ProductListItem,
  ProductPage,
  SlugOrId,
} from './schemas.ts';

const TAGS = [CATALOGUE_TAG];

export function registerCatalogueRoutes(app: Http, catalogue: Catalogue): void {
  for (const schema of [ProductListItem, Product, Category]) app.addSchema(schema);
  const tags = ['Catalogue'];

  app.get(
    '/api/products',
    { schema: { summary: 'List products', tags, querystring: ListQuery, response: { 200: ProductPage } } },
    (request, reply) =>
      app.answers.answer(request, reply, `products:${listKey(request.query)}`, async () =>
        json(reply, await catalogue.list(request.query)),
      ),
  );

  app.get(
    '/api/products/featured',
    { schema: { summary: 'Featured products', tags, response: { 200: ProductItems } } },
    (request, reply) =>
      app.answers.answer(request, reply, 'featured', async () => json(reply, { items: await catalogue.featured() })),
  );

  app.get(
    '/api/products/filters',
    {
      schema: {
        summary: 'Facet values with counts, under the same filters',
        tags,
        querystring: FilterQuery,
        response: { 200: Facets },
      },
    },
    (request, reply) =>
      app.answers.answer(request, reply, `filters:${filterKey(request.query)}`, async () =>
        json(reply, await catalogue.filters(request.query)),
      ),
  );

  const moved = { 301: Type.Null({ description: 'An old slug: Location has the new one.' }) };

  app.get(
    '/api/products/:key',
    { schema: { summary: 'A product', tags, params: SlugOrId, response: { 200: Type.Ref('Product'), ...moved } } },
    (request, reply) =>
      app.answers.answer(request, reply, `product:${request.params.key}`, async () => {
        const found = await catalogue.product(request.params.key);
        if ('movedTo' in found) return redirect(`/api/products/${found.movedTo}`);
        return { ...json(reply, found.product), version: found.product.version };
      }),
  );

  app.get(
    '/api/categories',
    { schema: { summary: 'The category tree', tags, response: { 200: CategoryTree } } },
    (request, reply) =>
      app.answers.answer(request, reply, 'categories', async () =>
        json(reply, { items: await catalogue.categories() }),
      ),
  );

  app.get(
    '/api/categories/:key',
    {
      schema: {
        summary: 'A category with all below it',
        tags,
        params: SlugOrId,
        response: { 200: Type.Ref('Category'), ...moved },
      },
    },
    (request, reply) =>
      app.answers.answer(request, reply, `category:${request.params.key}`, async () => {
        const found = await catalogue.category(request.params.key);
        if ('movedTo' in found) return redirect(`/api/categories/${found.movedTo}`);
        return { ...json(reply, found.category), version: found.category.version };
      }),
  );

  app.get(
    '/api/categories/:key/products',
    {
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

  // A key says all that a drawing shows, so it never changes.
  app.get(
    '/media/:file',
    { schema: { params: Type.Object({ file: Type.String({ maxLength: 100 }) }) } },
    (request, reply) => {
      const drawing = request.params.file.endsWith('.svg') ? parseDrawingKey(request.params.file.slice(0, -4)) : null;
      if (!drawing) throw notFound('There is no such picture.');
      return app.answers.answer(request, reply, `media:${request.params.file}`, async () => ({
        body: drawSvg(drawing),
        contentType: 'image/svg+xml; charset=utf-8',
        tags: [],
        headers: { 'cache-control': 'public, max-age=31536000, immutable' },
      }));
    },
  );
}

/** Serialised by the route's schema, which leaves out whatever it does not name. */
function json(reply: FastifyReply, value: object): Filled {
  const serialize = reply.getSerializationFunction('200')!;
  return { body: serialize(value as never), contentType: 'application/json; charset=utf-8', tags: TAGS };
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
