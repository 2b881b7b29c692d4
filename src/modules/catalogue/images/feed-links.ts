import { type Sql, sql, type Tx } from '../../../kernel/db.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { imagesOf, type ProductNames, renumber, settleImages } from './product-images.ts';

/**
 * The image links that a feed gave, as rows to be fetched (fetch-images.ts): brought in line with what products have
 * among their attributes, for all that an import touched. It asks what is there now, not what that import brought, so it
 * may run again, late, or beside another.
 */

type Deps = Pick<Kernel, 'db' | 'events' | 'clock'>;

const PRODUCTS_AT_ONCE = 1_000;

/** New links are queued; one that is gone takes its image along; where links have moved, images follow. */
export async function linkImages(deps: Deps, importId: string, signal: AbortSignal): Promise<void> {
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const touched = await touchedProducts(deps.db, importId, after);
    if (touched.length === 0) return;
    await deps.db.transaction((tx) =>
      linkProducts(tx, deps, importId, [...new Set(touched.map((row) => row.product_id))]),
    );
    after = touched.at(-1)!.id;
  }
}

/** Most imports change prices and nothing else, and have nothing to do here. */
function touchedProducts(target: Sql, importId: string, after: number): Promise<{ id: number; product_id: string }[]> {
  return target.many(
    sql(
      `select id, product_id from product_changes
       where import_id = $1 and id > $2 and (action = 'created' or changes ? 'attributes')
       order by id limit $3`,
      [importId, after, PRODUCTS_AT_ONCE],
    ),
  );
}

async function linkProducts(tx: Tx, deps: Deps, importId: string, ids: readonly string[]): Promise<void> {
  const at = deps.clock.now();
  const products = await tx.many(
    sql<ProductNames & { id: string }>(
      'select id, sku, slug, name from products where id = any ($1::uuid[]) order by id for no key update',
      [ids],
    ),
  );
  const gone = await tx.many(
    sql<{ product_id: string; image_id: string }>(
      `with gone as (
         delete from image_fetches f
         where f.product_id = any ($1::uuid[]) and f.state <> 'removed' and not exists (
           select from product_texts t, feed_image_links(t.attributes) l
           where t.product_id = f.product_id and l.url = f.url)
         returning f.product_id, f.url
       ), images as (
         delete from product_images i using gone g
         where i.product_id = g.product_id and i.source_url = g.url returning i.id, i.product_id
       )
       select product_id, id as image_id from images`,
      [ids],
    ),
  );
  const moved = await tx.many(
    sql<{ product_id: string }>(
      `update image_fetches f set position = l.position
       from product_texts t, feed_image_links(t.attributes) l
       where t.product_id = any ($1::uuid[]) and f.product_id = t.product_id and f.url = l.url and f.position <> l.position
       returning f.product_id`,
      [ids],
    ),
  );
  await tx.run(
    sql(
      `insert into image_fetches (product_id, url, position, host, next_at)
       select t.product_id, l.url, l.position, l.host, $2
       from product_texts t, feed_image_links(t.attributes) l
       where t.product_id = any ($1::uuid[])
       on conflict do nothing`,
      [ids, at],
    ),
  );
  const goneBy = Map.groupBy(gone, (row) => row.product_id);
  for (const productId of new Set([...goneBy.keys(), ...moved.map((row) => row.product_id)])) {
    const deleted = goneBy.get(productId) ?? [];
    const isArranged = await arrange(tx, productId);
    if (!isArranged && deleted.length === 0) continue;
    const subject = { type: 'product', id: productId };
    const { sku, slug, name } = products.find((product) => product.id === productId)!;
    const data = { import_id: importId, sku, slug, name };
    const changes = await settleImages(tx, productId, at);
    if (deleted.length === 0) await deps.events.append(tx, { type: 'image.reordered', subject, changes, data });
    for (const [i, { image_id }] of deleted.entries())
      await deps.events.append(tx, {
        type: 'image.deleted',
        subject,
        changes: i === 0 ? changes : {},
        data: { image_id, ...data },
      });
  }
}

/** What people uploaded in the order it has, then the feed's in the feed's; answers whether that moved anything. */
async function arrange(tx: Tx, productId: string): Promise<boolean> {
  const images = await imagesOf(tx, productId);
  const inOrder = images.toSorted((a, b) => (a.feed_position ?? -1) - (b.feed_position ?? -1));
  if (inOrder.every((row, position) => row.position === position)) return false;
  await renumber(
    tx,
    inOrder.map((row) => row.id),
  );
  return true;
}
