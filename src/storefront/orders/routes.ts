import type { Idempotency } from '../../kernel/idempotency.ts';
import type { Orders } from '../../modules/orders/index.ts';
import type { Registers } from '../account/page.ts';
import { registerCart } from './cart-routes.ts';
import { registerCheckout } from './checkout-page.ts';
import { registerOrder } from './order-page.ts';
import { registerOrders } from './orders-page.ts';

/** The pages of carts and orders. */
export function orderPages(orders: Orders, idempotency: Idempotency): readonly Registers[] {
  return [registerCart(orders), registerCheckout(orders, idempotency), registerOrders(orders), registerOrder(orders)];
}
