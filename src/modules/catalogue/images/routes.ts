import { createHash } from 'node:crypto';
import Type from 'typebox';
import { sendFresh } from '../../../kernel/http/fresh-answer.ts';
import { API_HEADERS, claimForm, type Http, matchesEtag, notFound } from '../../../kernel/http/index.ts';
import { IfMatch, readIfMatch } from '../../../kernel/http/preconditions.ts';
import { allow, identityOf } from '../../accounts/index.ts';
import { drawSvg, parseDrawingKey } from '../drawings/index.ts';
import type { Catalogue } from '../index.ts';
import { ProductImage } from '../schemas.ts';
import { deleteCategoryImage, demandCategoryThere, setCategoryImage } from './category-image.ts';
import { addImage, deleteImage, demandEditable, orderImages } from './edit-images.ts';
import type { Images } from './index.ts';
import { asMultipart, readUpload, takeMultipart } from './read-upload.ts';
import { blobKey, isRenditionFile } from './renditions.ts';

const strict = { additionalProperties: false } as const;
const Id = Type.String({ format: 'uuid' });
const Params = Type.Object({ id: Id }, strict);
const ImageParams = Type.Object({ id: Id, image_id: Id }, strict);
const Order = Type.Object(
  { ids: Type.Array(Id, { maxItems: 100, description: 'Every image of the product, each once.' }) },
  strict,
);
const File = Type.Unsafe<unknown>({
  type: 'string',
  format: 'binary',
  description: 'A JPEG, PNG, WebP or AVIF image of at most 20 MB and 50 megapixels.',
});
const Alt = Type.Optional(Type.String({ maxLength: 500, description: 'What the image shows, for who cannot see it.' }));
const ProductFile = Type.Object({ file: File, alt: Alt }, strict);
const CategoryFile = Type.Object({ file: File }, strict);
const Done = { 204: Type.Null({ description: 'Done.' }) };

/** What never changes under its address may be kept for as long as HTTP knows (a year). */
const FOR_GOOD = 'public, max-age=31536000, immutable';

export function registerImageRoutes(app: Http, images: Images, catalogue: Catalogue): void {
  registerMedia(app, images);
  app.register(async (scope) => {
    await takeMultipart(scope);
    registerUploads(scope, images, catalogue);
  });

  app.delete(
    '/api/products/:id/images/:image_id',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Delete an image of a product',
        tags: ['Images'],
        params: ImageParams,
        headers: IfMatch,
        response: Done,
      },
    },
    async (request, reply) => {
      const { id, image_id: imageId } = lowerCase(request.params);
      await deleteImage(images, identityOf(request), id, imageId, readIfMatch(request.headers['if-match']));
      return reply.code(204).headers(API_HEADERS).header('cache-control', 'no-store').send(null);
    },
  );

  app.put(
    '/api/products/:id/images/order',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Put the images of a product in order',
        tags: ['Images'],
        params: Params,
        headers: IfMatch,
        body: Order,
        response: { 200: Type.Object({ items: Type.Array(ProductImage) }, strict) },
      },
    },
    async (request, reply) => {
      const { id } = lowerCase(request.params);
      const ids = request.body.ids.map((imageId) => imageId.toLowerCase());
      const version = readIfMatch(request.headers['if-match']);
      return sendFresh(reply, { items: await orderImages(images, identityOf(request), id, ids, version) });
    },
  );

  app.delete(
    '/api/categories/:id/image',
    {
      config: allow('staff', 'catalogue:write'),
      schema: {
        summary: 'Delete the image of a category',
        tags: ['Images'],
        params: Params,
        headers: IfMatch,
        response: Done,
      },
    },
    async (request, reply) => {
      const { id } = lowerCase(request.params);
      await deleteCategoryImage(images, identityOf(request), id, readIfMatch(request.headers['if-match']));
      return reply.code(204).headers(API_HEADERS).header('cache-control', 'no-store').send(null);
    },
  );
}

function registerUploads(app: Http, images: Images, catalogue: Catalogue): void {
  app.post(
    '/api/products/:id/images',
    {
      config: allow('seller', 'catalogue:write'),
      schema: {
        summary: 'Add an image to a product',
        description: 'It is resized, turned upright and freed of metadata; the file itself is not kept.',
        tags: ['Images'],
        params: Params,
        body: asMultipart(ProductFile),
        response: { 201: ProductImage },
      },
    },
    (request, reply) =>
      images.uploads(async () => {
        const { id } = lowerCase(request.params);
        const actor = identityOf(request);
        await demandEditable(images, id, actor);
        const { bytes, texts } = await readUpload(request, ['alt']);
        const alt = texts.alt ?? '';
        await claimForm(request, () => ({ alt, file: createHash('sha256').update(bytes).digest('hex') }));
        return sendFresh(reply, await addImage(images, actor, id, { bytes, alt }), { status: 201 });
      }),
  );

  app.put(
    '/api/categories/:id/image',
    {
      config: allow('staff', 'catalogue:write'),
      schema: {
        summary: 'Give a category an image, or another one',
        tags: ['Images'],
        params: Params,
        headers: IfMatch,
        body: asMultipart(CategoryFile),
        response: { 200: Type.Ref('Category') },
      },
    },
    (request, reply) =>
      images.uploads(async () => {
        const { id } = lowerCase(request.params);
        const version = readIfMatch(request.headers['if-match']);
        await demandCategoryThere(images, id);
        const { bytes } = await readUpload(request);
        await setCategoryImage(images, identityOf(request), id, bytes, version);
        const found = await catalogue.category(id, { all: true });
        if (!('category' in found)) throw new Error('A category found by its id has moved nowhere.');
        return sendFresh(reply, found.category, { version: found.category.version });
      }),
  );
}

function registerMedia(app: Http, { blobs }: Images): void {
  app.get(
    '/media/:file',
    { config: allow('anyone'), schema: { params: Type.Object({ file: Type.String({ maxLength: 100 }) }) } },
    async (request, reply) => {
      const { file } = request.params;
      // A key says all that a drawing shows.
      const drawing = file.endsWith('.svg') ? parseDrawingKey(file.slice(0, -4)) : null;
      if (drawing)
        return app.answers.answer(request, reply, `media:${file}`, async () => ({
          body: drawSvg(drawing),
          contentType: 'image/svg+xml; charset=utf-8',
          tags: [],
          headers: { 'cache-control': FOR_GOOD },
        }));
      if (!isRenditionFile(file)) throw notFound('There is no such picture.');
      const etag = `"${file}"`;
      reply.headers({ ...API_HEADERS, etag, 'cache-control': FOR_GOOD });
      // Whoever has it has it for good.
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      const found = await blobs.get(blobKey(file));
      if (!found) {
        reply.removeHeader('etag');
        throw notFound('There is no such picture.');
      }
      return reply.header('content-type', 'image/webp').header('content-length', found.bytes).send(found.stream);
    },
  );
}

/** Ids as they are stored: a client may write them in capitals. */
function lowerCase<T extends Record<string, string>>(params: T): T {
  return Object.fromEntries(Object.entries(params).map(([name, id]) => [name, id.toLowerCase()])) as T;
}
