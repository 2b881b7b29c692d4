import { prepare } from '../../kernel/db.ts';
import { lockCart } from './cart.ts';
import type { OrdersContext } from './index.ts';
import { MAX_LINES, MAX_QUANTITY } from './schemas.ts';

const IS_THERE = prepare('select 1 from carts where id = $1 and is_guest');
const LOCK_GUEST = prepare('select 1 from carts where id = $1 and is_guest for update');
const ADD_UP = prepare(
  `update cart_items mine set quantity = least(${MAX_QUANTITY}, mine.quantity + theirs.quantity)
   from cart_items theirs
   where mine.cart_id = $2 and theirs.cart_id = $1 and theirs.product_id = mine.product_id`,
);
/** As many as there is room for, those first that were there first. */
const MOVE = prepare(
  `update cart_items set cart_id = $2 where id in (
     select theirs.id from cart_items theirs
     where theirs.cart_id = $1
       and not exists (select from cart_items mine where mine.cart_id = $2 and mine.product_id = theirs.product_id)
     order by theirs.id
     limit greatest(0, ${MAX_LINES} - (select count(*) from cart_items where cart_id = $2))
   )`,
);
const DROP = prepare('delete from carts where id = $1');

/** Whoever waits for it is logging in. */
const TIMEOUT_MS = 5_000;

/**
 * Moves the lines of a guest's cart into a user's, where the same product's quantities are added up (to 999 at most), and
 * drops the guest's. What is in stock is not asked: the lines say what there is too little of.
 */
export async function mergeCarts(
  { db, clock }: Pick<OrdersContext, 'db' | 'clock'>,
  guestCartId: string,
  userId: string,
): Promise<void> {
  if (!(await db.maybe(IS_THERE([guestCartId])))) return;
  await db.transaction(
    async (tx) => {
      // Always the guest's before the user's, so that two who merge never wait for one another. Its lines are read only once
      // it is locked: the statement that waited would not see what it waited for.
      if (!(await tx.maybe(LOCK_GUEST([guestCartId])))) return;
      await lockCart(tx, { cartId: userId, isGuest: false }, clock.now());
      const both = [guestCartId, userId];
      await tx.run(ADD_UP(both));
      await tx.run(MOVE(both));
      await tx.run(DROP([guestCartId]));
    },
    { timeoutMs: TIMEOUT_MS },
  );
}
