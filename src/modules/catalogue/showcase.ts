import { sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';

/** What makes a shop window of products that are there: which are featured, and their pictures in order. */
export type ShowcaseItem = {
  sku: string;
  featured: boolean;
  images: readonly { key: string; width: number; height: number }[];
};

export async function dressProducts(tx: Tx, items: readonly ShowcaseItem[], at: Date): Promise<void> {
  const rows = items.map(({ sku, featured, images }) => ({ sku, featured, image: images[0]?.key ?? null }));
  await tx.run(
    sql(
      `update products p set featured = i.featured, image = coalesce(i.image, p.image)
       from jsonb_to_recordset($1) as i (sku text, featured boolean, image text) where p.sku = i.sku`,
      [JSON.stringify(rows)],
    ),
  );
  const images = items.flatMap(({ sku, images }) =>
    images.map((image, position) => ({ id: newId(), sku, position, ...image })),
  );
  await tx.run(
    sql(
      `insert into product_images (id, product_id, position, key, alt, width, height, created_at)
       select i.id, p.id, i.position, i.key, p.name, i.width, i.height, $2
       from jsonb_to_recordset($1) as i (id uuid, sku text, position integer, key text, width integer, height integer)
       join products p on p.sku = i.sku`,
      [JSON.stringify(images), at],
    ),
  );
}
