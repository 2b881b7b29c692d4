import { prepare } from '../../kernel/db.ts';
import type { Actor } from '../accounts/index.ts';
import { insufficientStock, stockNotTracked } from './errors.ts';
import { refuseField } from './product-fields.ts';
import { MAX_ON_HAND } from './staging.ts';
import { changeStock } from './stock.ts';
import { findProductId, notThere, type Writing, write } from './stored-product.ts';

const THERE = prepare<{ sku: string; slug: string; name: string }>(
  'select sku, slug, name from products where id = $1 and archived_at is null',
);

/**
 * Adds `delta` units to what is on hand, or takes them, and answers what is there then. The reason stands in the ledger
 * alone: people write names into it. Throws product_not_found, insufficient_stock, stock_not_tracked, validation_failed.
 */
export async function adjustStock(
  shop: Writing,
  actor: Actor,
  key: string,
  { delta, reason }: { delta: number; reason: string },
): Promise<number> {
  if (delta === 0) refuseField('delta', 'must not be zero');
  const why = reason.trim();
  if (why === '' || /\p{Cc}|\p{Cs}/u.test(why)) refuseField('reason', 'must be some words on one line');
  const id = await findProductId(shop.db, key);
  const onHand = await write(shop.db, async (tx) => {
    const product = await tx.maybe(THERE([id]));
    if (!product) throw notThere();
    const at = shop.clock.now();
    const [move] = await changeStock(tx, [{ productId: id, delta }], {
      reason: 'adjustment',
      reference: why,
      actorId: actor.userId,
      at,
    }).catch((error: { code?: string }) => {
      // The column's type is a limit, too.
      if (error.code === '22003') tooMany();
      throw error;
    });
    const { on_hand, moved } = move!;
    if (on_hand === null)
      throw stockNotTracked(
        'The stock of this product is not tracked. Begin with PATCH {"stock": …, "expected_stock": null} on the product.',
      );
    if (!moved)
      throw insufficientStock(`There are only ${on_hand} in stock, so ${-delta} cannot be taken.`, { stock: on_hand });
    if (delta > 0 && on_hand > MAX_ON_HAND) tooMany();
    await shop.events.append(tx, {
      type: 'stock.adjusted',
      subject: { type: 'product', id },
      actorId: actor.userId,
      changes: { stock: { from: on_hand - delta, to: on_hand } },
      data: product,
    });
    return on_hand;
  });
  await shop.events.flush();
  return onHand;
}

function tooMany(): never {
  refuseField('delta', `would make it more than ${MAX_ON_HAND.toLocaleString('en')} units`);
}
