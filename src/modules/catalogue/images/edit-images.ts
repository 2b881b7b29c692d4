import { prepare, sql, type Tx } from '../../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../../kernel/http/preconditions.ts';
import { validationFailed } from '../../../kernel/http/problem.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { type Actor, forbidden, hasRole } from '../../accounts/index.ts';
import { productNotFound } from '../errors.ts';
import { presentImage } from '../present.ts';
import type { ProductImage } from '../schemas.ts';
import { imageNotFound } from './errors.ts';
import { imagesOf, insertImage, type ProductNames, renumber, settleImages } from './product-images.ts';
import type { Render } from './render.ts';
import { storeImage } from './storage.ts';

/** What people do with the images of a product: staff with those of any, sellers with those of their own. */

export type Editing = Pick<Kernel, 'db' | 'events' | 'clock' | 'blobs'> & { render: Render };

type Owned = ProductNames & { owner_id: string | null; version: number };

const FIND = 'select owner_id, version, sku, slug, name from products where id = $1 and archived_at is null';
const LOOK = prepare<Owned>(FIND);
const LOCK = prepare<Owned>(`${FIND} for no key update`);

/** Judges who may send an image before it is read. Throws product_not_found, forbidden. */
export async function demandEditable({ db }: Editing, productId: string, actor: Actor): Promise<void> {
  demandTheirs(await db.maybe(LOOK([productId])), actor);
}

/** The same under the product's lock, and at the version that the caller has seen. */
async function lockEditable(tx: Tx, id: string, actor: Actor, version: ExpectedVersion | null): Promise<Owned> {
  const product = demandTheirs(await tx.maybe(LOCK([id])), actor);
  demandVersion(version, product.version);
  return product;
}

function demandTheirs(product: Owned | undefined, actor: Actor): Owned {
  if (!product) throw productNotFound('There is no product with this id.');
  if (!hasRole(actor, 'staff') && product.owner_id !== actor.userId)
    throw forbidden('This product belongs to somebody else: sellers change only their own.');
  return product;
}

/**
 * Stores an image and puts it behind those that people uploaded before. Throws product_not_found, forbidden,
 * too_many_images, and what the renderer says of the bytes.
 */
export async function addImage(
  shop: Editing,
  actor: Actor,
  productId: string,
  { bytes, alt }: { bytes: Buffer; alt: string },
): Promise<ProductImage> {
  const rendered = await shop.render(bytes);
  const image = await storeImage(shop, rendered, async (tx, stored) => {
    const { sku, slug, name } = await lockEditable(tx, productId, actor, null);
    const at = shop.clock.now();
    const added = await insertImage(tx, productId, stored, { alt, source: null, at });
    const changes = await settleImages(tx, productId, at);
    await shop.events.append(tx, {
      type: 'image.added',
      subject: { type: 'product', id: productId },
      actorId: actor.userId,
      changes,
      data: { image_id: added.id, position: added.position, sku, slug, name },
    });
    return added;
  });
  await shop.events.flush();
  return presentImage(image);
}

/** Throws product_not_found, forbidden, version_mismatch, image_not_found. */
export async function deleteImage(
  shop: Editing,
  actor: Actor,
  productId: string,
  imageId: string,
  version: ExpectedVersion | null,
): Promise<void> {
  await shop.db.transaction(async (tx) => {
    const { sku, slug, name } = await lockEditable(tx, productId, actor, version);
    const images = await imagesOf(tx, productId);
    const image = images.find((row) => row.id === imageId);
    if (!image) throw imageNotFound('The product has no image with this id; maybe it is deleted already.');
    await tx.run(sql('delete from product_images where id = $1', [image.id]));
    await renumber(
      tx,
      images.filter((row) => row !== image).map((row) => row.id),
    );
    // The feed still names it; that does not bring it back.
    if (image.source_url !== null)
      await tx.run(
        sql("update image_fetches set state = 'removed' where product_id = $1 and url = $2", [
          productId,
          image.source_url,
        ]),
      );
    const changes = await settleImages(tx, productId, shop.clock.now());
    await shop.events.append(tx, {
      type: 'image.deleted',
      subject: { type: 'product', id: productId },
      actorId: actor.userId,
      changes,
      data: { image_id: image.id, sku, slug, name },
    });
  });
  await shop.events.flush();
}

/**
 * Puts a product's images in the order of `ids`, which names each of them once. Throws product_not_found, forbidden,
 * version_mismatch, validation_failed.
 */
export async function orderImages(
  shop: Editing,
  actor: Actor,
  productId: string,
  ids: readonly string[],
  version: ExpectedVersion | null,
): Promise<ProductImage[]> {
  const ordered = await shop.db.transaction(async (tx) => {
    const { sku, slug, name } = await lockEditable(tx, productId, actor, version);
    const images = await imagesOf(tx, productId);
    const byId = new Map(images.map((row) => [row.id, row]));
    const chosen = [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
    if (chosen.length !== ids.length || chosen.length !== images.length)
      throw validationFailed('The order does not fit the images of the product. Read them again and name each one.', {
        errors: [{ path: 'ids', message: 'must name every image of the product exactly once' }],
      });
    if (chosen.some((row, position) => row.position !== position)) {
      await renumber(tx, ids);
      const changes = await settleImages(tx, productId, shop.clock.now());
      await shop.events.append(tx, {
        type: 'image.reordered',
        subject: { type: 'product', id: productId },
        actorId: actor.userId,
        changes,
        data: { image_ids: ids, sku, slug, name },
      });
    }
    return chosen.map((row, position) => ({ ...row, position }));
  });
  await shop.events.flush();
  return ordered.map(presentImage);
}
