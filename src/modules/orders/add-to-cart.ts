import type { CartOwner } from './cart.ts';
import type { OrdersContext } from './index.ts';
import type { Cart, NewCartItem } from './schemas.ts';

/**
 * Puts something into a cart, onto the line that there may be of it already. Throws product_not_found, insufficient_stock
 * (with what is `left`), cart_full, validation_failed beyond 999 of one.
 */
export async function addToCart(
  _context: OrdersContext,
  _owner: CartOwner,
  _item: NewCartItem,
): Promise<{ cart: Cart; itemId: string }> {
  throw new Error('not yet');
}
