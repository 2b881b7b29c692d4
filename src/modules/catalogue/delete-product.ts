import { prepare } from '../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../kernel/http/preconditions.ts';
import type { Actor } from '../accounts/index.ts';
import { diffFields } from './product-fields.ts';
import { demandOwn, findProductId, lockProduct, notThere, type Writing, write } from './stored-product.ts';

const ARCHIVE = prepare('update products set archived_at = $2, version = version + 1, updated_at = $2 where id = $1');
// A sale refers to the product and so holds its key: after this lock every sale is committed and seen, or yet to find it gone.
const LOCK_KEY = prepare('select from products where id = $1 for update');
const WAS_SOLD = prepare('select from sold_products where product_id = $1');
const ERASE = prepare('delete from products where id = $1');
const RECORD = prepare(
  `insert into product_changes (product_id, sku, at, action, version, changes, actor_id)
   values ($1, $2, $3, $4, $5, $6, $7)`,
);

/**
 * Takes a product out of the shop: erased, or archived if it was ever ordered, since what was sold must still be known.
 * Its history outlives it; the files of its images go after their rows (a trigger sees to that). Throws
 * product_not_found, also for one that is archived already, forbidden, version_mismatch.
 */
export async function deleteProduct(
  shop: Writing,
  actor: Actor,
  key: string,
  version: ExpectedVersion | null,
): Promise<void> {
  const id = await findProductId(shop.db, key);
  await write(shop.db, async (tx) => {
    const product = await lockProduct(tx, id);
    if (product.archived_at !== null) throw notThere();
    demandOwn(actor, product);
    demandVersion(version, product.version);
    const at = shop.clock.now();
    await tx.run(LOCK_KEY([id]));
    const archived = (await tx.maybe(WAS_SOLD([id]))) !== undefined;
    await tx.run(archived ? ARCHIVE([id, at]) : ERASE([id]));
    // Of what is erased, nothing else knows what it was.
    const changes = archived ? {} : diffFields(product, {}, shop.config.CURRENCY);
    await tx.run(
      RECORD([
        id,
        product.sku,
        at,
        archived ? 'archived' : 'deleted',
        product.version + 1,
        JSON.stringify(changes),
        actor.userId,
      ]),
    );
    await shop.events.append(tx, {
      type: 'product.deleted',
      subject: { type: 'product', id },
      actorId: actor.userId,
      changes,
      data: { sku: product.sku, slug: product.slug, name: product.name, archived },
    });
  });
  await shop.events.flush();
}
