import { prepare, type Tx } from '../../kernel/db.ts';
import type { Limit } from '../../kernel/http/index.ts';
import { insufficientStock } from '../catalogue/index.ts';
import {
  type CartLine,
  type CartOwner,
  countThings,
  demandReckonable,
  isEnough,
  presentCart,
  readCart,
  shortage,
} from './cart.ts';
import { cartItemNotFound } from './errors.ts';
import type { OrdersContext } from './index.ts';
import type { Cart } from './schemas.ts';

/** Two a second for each of five people behind one address: the buttons for more and less are pressed in rows. */
export const CART_CHANGES: Limit = { name: 'cart changes', most: 600, seconds: 60 };

/** The lock that every change of a cart begins with; of one that has no row there is nothing to change. */
const TOUCH = prepare<{ version: number }>(
  'update carts set version = version + 1, updated_at = $2 where id = $1 returning version',
);
const CHANGE = prepare(
  'update cart_items set quantity = $2, sku = $3, name = $4, image = $5, unit_price = $6 where id = $1',
);
const REMOVE = prepare('delete from cart_items where id = $1 and cart_id = $2');
const EMPTY = prepare('delete from cart_items where cart_id = $1');

/** Sets how many of a line's product are wanted. Throws cart_item_not_found, insufficient_stock (with what is `left`), cart_full. */
export async function setCartItemQuantity(
  { db, clock, config }: OrdersContext,
  { cartId }: CartOwner,
  itemId: string,
  quantity: number,
): Promise<Cart> {
  const now = clock.now();
  return db.transaction(async (tx) => {
    const version = await touch(tx, cartId, now);
    const { lines } = await readCart(tx, cartId);
    const before = lines.find(({ id }) => id === itemId.toLowerCase());
    if (!before) throw notInCart();
    const line: CartLine = { ...before, quantity, ...snapshotOf(before) };
    const after = lines.map((other) => (other === before ? line : other));
    // Fewer than before is always nearer to what can be had.
    if (quantity > before.quantity) {
      if (!isEnough(line)) throw insufficientStock(shortage(line), { left: line.product?.left ?? 0 });
      demandReckonable(after);
    }
    await tx.run(CHANGE([line.id, quantity, line.sku, line.name, line.image, line.unit_price]));
    return presentCart(cartId, { version, updatedAt: now, lines: after }, config.CURRENCY);
  });
}

/** Answers how many things are left in the cart. Throws cart_item_not_found. */
export async function removeCartItem(
  { db, clock }: OrdersContext,
  { cartId }: CartOwner,
  itemId: string,
): Promise<number> {
  return db.transaction(async (tx) => {
    await touch(tx, cartId, clock.now());
    if ((await tx.run(REMOVE([itemId, cartId]))) === 0) throw notInCart();
    return countThings(tx, cartId);
  });
}

export async function emptyCart({ db, clock }: OrdersContext, { cartId }: CartOwner): Promise<void> {
  await db.transaction(async (tx) => {
    if (await tx.maybe(TOUCH([cartId, clock.now()]))) await tx.run(EMPTY([cartId]));
  });
}

async function touch(tx: Tx, cartId: string, now: Date): Promise<number> {
  const cart = await tx.maybe(TOUCH([cartId, now]));
  if (!cart) throw notInCart();
  return cart.version;
}

/** The product as it is now, or else as it was. */
function snapshotOf({ product, ...line }: CartLine): Pick<CartLine, 'sku' | 'name' | 'image' | 'unit_price'> {
  const { sku, name, image, unit_price } = product ?? line;
  return { sku, name, image, unit_price };
}

function notInCart() {
  return cartItemNotFound('There is no such line in the cart. It may have been removed, or ordered, in the meantime.');
}
