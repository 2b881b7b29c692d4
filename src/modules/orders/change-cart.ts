import type { CartOwner } from './cart.ts';
import type { OrdersContext } from './index.ts';
import type { Cart } from './schemas.ts';

/** Sets how many of a line's product are wanted. Throws cart_item_not_found, insufficient_stock. */
export async function setCartItemQuantity(
  _context: OrdersContext,
  _owner: CartOwner,
  _itemId: string,
  _quantity: number,
): Promise<Cart> {
  throw new Error('not yet');
}

/** Throws cart_item_not_found. */
export async function removeCartItem(_context: OrdersContext, _owner: CartOwner, _itemId: string): Promise<void> {
  throw new Error('not yet');
}

export async function emptyCart(_context: OrdersContext, _owner: CartOwner): Promise<void> {
  throw new Error('not yet');
}
