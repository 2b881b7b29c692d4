import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Config } from '../../kernel/config.ts';
import { MADE, redirectFresh, sendFresh } from '../../kernel/http/fresh-answer.ts';
import type { Http } from '../../kernel/http/index.ts';
import { toAppError } from '../../kernel/http/index.ts';
import { IfMatch, readIfMatch } from '../../kernel/http/preconditions.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { adjustStock } from './adjust-stock.ts';
import { editProducts } from './bulk-edit.ts';
import { changeProduct, readChange } from './change-product.ts';
import { createProduct } from './create-product.ts';
import { deleteProduct } from './delete-product.ts';
import { CATALOGUE_TAG } from './events.ts';
import type { Catalogue } from './index.ts';
import { priceHistory } from './price-history.ts';
import { productHistory } from './product-history.ts';
import { restoreProduct } from './restore-product.ts';
import { SlugOrId } from './schemas.ts';
import { sightOf } from './sight.ts';
import { stockLedger } from './stock-ledger.ts';
import { notThere } from './stored-product.ts';
import {
  BulkAnswer,
  BulkBody,
  BulkItem,
  BulkList,
  HistoryQuery,
  NewProductBody,
  PatchProductBody,
  PriceHistory,
  ProductHistory,
  ReplaceProductBody,
  StockAnswer,
  StockBody,
  StockLedger,
} from './write-schemas.ts';

/** A thousand edits of all fields but long texts. */
const BULK_BYTES = 5 * 1024 * 1024;

/** What staff, and sellers for their own products, write; and what a product was before. */
export function registerProductWriteRoutes(
  app: Http,
  kernel: Pick<Kernel, 'db' | 'events' | 'clock' | 'config' | 'log'>,
  catalogue: Catalogue,
): void {
  const tags = ['Catalogue'];
  const conditional = 'With `If-Match` only that version is changed; otherwise 412 `version_mismatch`.';

  /** The product as it is now, hidden or not. */
  const answer = async (reply: FastifyReply, id: string, status: 200 | 201 = 200) => {
    const found = await catalogue.product(id, 'all');
    if ('movedTo' in found) throw notThere();
    return sendFresh(reply, found.product, { status, version: found.product.version });
  };

  app.post(
    '/api/products',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Make a product',
        description: 'Without SKU or slug they are made of its name. What a seller makes is its own.',
        tags,
        body: NewProductBody,
        response: { 201: { ...Type.Ref('Product'), headers: MADE } },
      },
    },
    async (request, reply) => {
      const id = await createProduct(kernel, identityOf(request), request.body, catalogue.categoryNames);
      reply.header('location', `/api/products/${id}`);
      return answer(reply, id, 201);
    },
  );

  app.put(
    '/api/products/:key',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Replace a product',
        description: conditional,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        body: ReplaceProductBody,
        response: { 200: Type.Ref('Product') },
      },
    },
    async (request, reply) => {
      const version = readIfMatch(request.headers['if-match']);
      const change = readChange(request.body, kernel.config.CURRENCY, { replace: true, version });
      return answer(reply, await changeProduct(kernel, identityOf(request), request.params.key, change));
    },
  );

  app.patch(
    '/api/products/:key',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Change some fields of a product',
        description: `${conditional} What changes nothing makes no new version.`,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        body: PatchProductBody,
        response: { 200: Type.Ref('Product') },
      },
    },
    async (request, reply) => {
      const version = readIfMatch(request.headers['if-match']);
      const change = readChange(request.body, kernel.config.CURRENCY, { replace: false, version });
      return answer(reply, await changeProduct(kernel, identityOf(request), request.params.key, change));
    },
  );

  app.delete(
    '/api/products/:key',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Delete a product',
        description: `One that was ever ordered is archived, and can be restored. ${conditional}`,
        tags,
        params: SlugOrId,
        headers: IfMatch,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const version = readIfMatch(request.headers['if-match']);
      await deleteProduct(kernel, identityOf(request), request.params.key, version);
      return reply.code(204).header('cache-control', 'no-store').send(null);
    },
  );

  app.post(
    '/api/products/:key/restore',
    {
      config: allow('staff', 'catalogue:write'),
      schema: {
        summary: 'Bring an archived product back',
        tags,
        params: SlugOrId,
        response: { 200: Type.Ref('Product') },
      },
    },
    async (request, reply) => answer(reply, await restoreProduct(kernel, identityOf(request), request.params.key)),
  );

  const validatorCompiler = app.validatorCompiler!;
  const judge = validatorCompiler({ schema: BulkItem, method: 'PATCH', url: '/api/products', httpPart: 'body' });
  const check = (item: unknown): BulkItem => {
    if (judge(item) !== true) throw toAppError({ validation: (judge as { errors?: unknown }).errors });
    return item as BulkItem;
  };

  app.patch(
    '/api/products',
    {
      config: allow('staff', 'catalogue:write'),
      bodyLimit: BULK_BYTES,
      schema: {
        summary: 'Change many products',
        description:
          'Each is judged and changed on its own: the answer says of each what it alone would have been answered.',
        tags,
        body: BulkBody,
        response: { 200: BulkAnswer },
      },
      // Documented with its items, judged without them: a fault in one must not refuse the list.
      validatorCompiler: (route) =>
        validatorCompiler(route.httpPart === 'body' ? { ...route, schema: BulkList } : route),
    },
    async (request, reply) => {
      const items = await editProducts(kernel, identityOf(request), request.body, check);
      return sendFresh(reply, { items });
    },
  );

  app.post(
    '/api/products/:key/stock',
    {
      config: allow('staff', 'catalogue:write'),
      schema: {
        summary: 'Add to the stock or take from it',
        description: 'A movement in the ledger. The stock must be tracked, and never goes below zero.',
        tags,
        params: SlugOrId,
        body: StockBody,
        response: { 200: StockAnswer },
      },
    },
    async (request, reply) => {
      const stock = await adjustStock(kernel, identityOf(request), request.params.key, request.body);
      return sendFresh(reply, { stock });
    },
  );

  app.get(
    '/api/products/:key/stock',
    {
      config: allow('staff', 'catalogue:read'),
      schema: {
        summary: 'What is in stock, and every movement that led to it, the newest first',
        description: 'Archived products have theirs too.',
        tags,
        params: SlugOrId,
        querystring: HistoryQuery,
        response: { 200: StockLedger },
      },
    },
    async (request, reply) =>
      sendFresh(reply, await stockLedger(kernel.db, identityOf(request), request.params.key, request.query)),
  );

  app.get(
    '/api/products/:key/history',
    {
      config: allow('staff', 'catalogue:read'),
      schema: {
        summary: 'Every change of a product, the newest first',
        description: 'By its id also when it is archived or erased.',
        tags,
        params: SlugOrId,
        querystring: HistoryQuery,
        response: { 200: ProductHistory },
      },
    },
    async (request, reply) => sendFresh(reply, await productHistory(kernel.db, request.params.key, request.query)),
  );

  registerPriceHistory(app, kernel, catalogue);
}

function registerPriceHistory(
  app: Http,
  { db, config }: { db: Kernel['db']; config: Pick<Config, 'CURRENCY'> },
  catalogue: Catalogue,
): void {
  app.get(
    '/api/products/:key/price-history',
    {
      config: allow('anyone'),
      schema: {
        summary: "A product's price over time, and the lowest one before the current reduction",
        tags: ['Catalogue'],
        params: SlugOrId,
        response: { 200: PriceHistory, 301: Type.Null({ description: 'An old slug: Location has the new one.' }) },
      },
    },
    async (request, reply) => {
      const { key } = request.params;
      const elsewhere = (slug: string) => `/api/products/${slug}/price-history`;
      const sight = sightOf(request.identity);
      if (sight !== 'public') {
        const found = await catalogue.product(key, sight);
        if ('movedTo' in found) return redirectFresh(reply, elsewhere(found.movedTo));
        return sendFresh(reply, await priceHistory(db, found.product.id, config.CURRENCY));
      }
      const kept = { contentType: 'application/json; charset=utf-8', tags: [CATALOGUE_TAG] };
      return app.answers.answer(request, reply, `price-history:${key}`, async () => {
        const found = await catalogue.product(key);
        if ('movedTo' in found)
          return { ...kept, body: '', status: 301, headers: { location: elsewhere(found.movedTo) } };
        const history = await priceHistory(db, found.product.id, config.CURRENCY);
        return { ...kept, body: reply.getSerializationFunction('200')!(history as never) };
      });
    },
  );
}
