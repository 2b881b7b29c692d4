import { prepare, sql, type Tx } from '../../../kernel/db.ts';
import { isUuid } from '../../../kernel/ids.ts';
import { drawingFor, drawingKey } from '../drawings/index.ts';
import { imageUrl } from '../present.ts';
import { tooManyImages } from './errors.ts';
import type { StoredImage } from './storage.ts';

/**
 * The images of a product, in order. Every change of them is made under the lock of the product's row, so positions have
 * no gaps and no doubles, and ends in settleImages, which keeps what the row itself says of them.
 *
 * Drawings stand in for what is not there: rows of them (the demonstration catalogue has some) go when the first real
 * image comes, and a product without any row is drawn from its name.
 */

const MAX_IMAGES = 20;

/** What an event about a product says of it. */
export type ProductNames = { sku: string; slug: string; name: string };

export type ImageRow = {
  id: string;
  key: string;
  alt: string;
  position: number;
  width: number;
  height: number;
  source_url: string | null;
  /** The place of its link in the feed; null for what people uploaded. */
  feed_position: number | null;
};

const OF_PRODUCT = prepare<ImageRow>(
  `select i.id, i.key, i.alt, i.position, i.width, i.height, i.source_url, f.position as feed_position
   from product_images i left join image_fetches f on f.product_id = i.product_id and f.url = i.source_url
   where i.product_id = $1 order by i.position`,
);

export function imagesOf(tx: Tx, productId: string): Promise<ImageRow[]> {
  return tx.many(OF_PRODUCT([productId]));
}

/**
 * Puts a stored image among those of a product and answers its row: what people upload goes behind all that people
 * uploaded before, what a feed brings goes behind those and stands in the feed's order. Throws too_many_images.
 */
export async function insertImage(
  tx: Tx,
  productId: string,
  image: StoredImage,
  { alt, source, at }: { alt: string; source: { url: string; position: number } | null; at: Date },
): Promise<ImageRow> {
  const all = await imagesOf(tx, productId);
  const real = all.filter(isStored);
  if (real.length >= MAX_IMAGES)
    throw tooManyImages(`A product has at most ${MAX_IMAGES} images. Delete one before you add another.`);
  if (real.length < all.length) {
    await tx.run(
      sql('delete from product_images where product_id = $1 and id <> all ($2::uuid[])', [
        productId,
        real.map((row) => row.id),
      ]),
    );
    await renumber(
      tx,
      real.map((row) => row.id),
    );
  }
  const before = (row: ImageRow) =>
    row.source_url === null || (source !== null && row.feed_position !== null && row.feed_position < source.position);
  const position = real.findLastIndex(before) + 1;
  await tx.run(
    sql('update product_images set position = position + 1 where product_id = $1 and position >= $2', [
      productId,
      position,
    ]),
  );
  await tx.run(
    sql(
      `insert into product_images (id, product_id, position, key, alt, source_url, width, height, created_at)
       values ($1::uuid, $2, $3, $1::uuid::text, $4, $5, $6, $7, $8)`,
      [image.id, productId, position, alt, source?.url ?? null, image.width, image.height, at],
    ),
  );
  return {
    ...image,
    key: image.id,
    alt,
    position,
    source_url: source?.url ?? null,
    feed_position: source?.position ?? null,
  };
}

function isStored(row: ImageRow): boolean {
  return isUuid(row.key);
}

/** Numbers images of one product by their place in the array, from 0 on. */
export async function renumber(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.run(
    sql(
      `update product_images i set position = o.n - 1
       from unnest($1::uuid[]) with ordinality as o (id, n) where i.id = o.id and i.position <> o.n - 1`,
      [ids],
    ),
  );
}

const COVER = prepare<{
  image: string | null;
  key: string | null;
  name: string;
  sku: string;
  color: string | null;
  category_names: string[];
}>(
  `select p.image, p.name, p.sku, p.color,
     (select i.key from product_images i where i.product_id = p.id order by i.position limit 1) as key,
     array(with recursive up as (
         select id, parent_id, name, 1 as level from categories where id = p.category_id
         union all
         select c.id, c.parent_id, c.name, up.level + 1 from categories c join up on c.id = up.parent_id
       ) select name from up order by level desc) as category_names
   from products p where p.id = $1`,
);
const SETTLE = prepare('update products set image = $2, version = version + 1, updated_at = $3 where id = $1');

/**
 * After a change of a product's images: its row gets the first one's key, or that of the drawing which an import would
 * give it, and a new version. Answers what of it clients see change.
 */
export async function settleImages(
  tx: Tx,
  productId: string,
  at: Date,
): Promise<Record<string, { from: unknown; to: unknown }>> {
  const { image, key, name, sku, color, category_names: categoryNames } = await tx.one(COVER([productId]));
  const cover = key ?? drawingKey(drawingFor({ name, sku, color, categoryNames }));
  await tx.run(SETTLE([productId, cover, at]));
  if (cover === image) return {};
  return { image_url: { from: imageUrl(image, 'detail'), to: imageUrl(cover, 'detail') } };
}
