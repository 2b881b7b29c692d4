import { prepare } from '../../kernel/db.ts';
import type { Actor } from '../accounts/index.ts';
import { productNotArchived } from './errors.ts';
import { findProductId, lockProduct, type Writing, write } from './stored-product.ts';

const RESTORE = prepare(
  `with restored as (
     update products set archived_at = null, version = version + 1, updated_at = $2 where id = $1 returning id, sku, version
   )
   insert into product_changes (product_id, sku, at, action, version, actor_id)
   select id, sku, $2, 'restored', version, $3 from restored`,
);

/** Brings an archived product back as it was, and answers its id. Throws product_not_found, not_archived. */
export async function restoreProduct(shop: Writing, actor: Actor, key: string): Promise<string> {
  const id = await findProductId(shop.db, key);
  await write(shop.db, async (tx) => {
    const product = await lockProduct(tx, id);
    if (product.archived_at === null)
      throw productNotArchived('The product is not archived, so there is nothing to bring back.');
    await tx.run(RESTORE([id, shop.clock.now(), actor.userId]));
    await shop.events.append(tx, {
      type: 'product.restored',
      subject: { type: 'product', id },
      actorId: actor.userId,
      data: { sku: product.sku, slug: product.slug, name: product.name },
    });
  });
  await shop.events.flush();
  return id;
}
