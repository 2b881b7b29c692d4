import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { countThings } from './cart.ts';
import { type CartTokens, createCartTokens } from './cart-token.ts';
import { mergeCarts } from './merge-carts.ts';
import { tidyCarts } from './tidy-carts.ts';

export { addToCart, CART_ADDITIONS } from './add-to-cart.ts';
export { type CartOwner, presentCart, readCart } from './cart.ts';
export { cartOwner } from './cart-token.ts';
export { emptyCart, removeCartItem, setCartItemQuantity } from './change-cart.ts';
export { changeStatus } from './change-status.ts';
export { forgetCustomer } from './forget-customer.ts';
export { findOrder, listOrders } from './list-orders.ts';
export { STATUSES, type Status, TRANSITIONS } from './order.ts';
export { linesOfOrder } from './order-lines.ts';
export { type Placing, placeOrder } from './place-order.ts';

/** What the use cases of carts and orders work with. */
export type OrdersContext = Pick<Kernel, 'db' | 'events' | 'clock' | 'config' | 'log'>;

/** Carts and orders. Its use cases take this as their first argument. */
export type Orders = OrdersContext & {
  readonly cartTokens: CartTokens;
  /** Puts what a guest has gathered into the cart of whom they have logged in as. It never fails. */
  adoptCart(request: FastifyRequest, reply: FastifyReply, userId: string): Promise<void>;
  readonly jobs: readonly Job<never>[];
};

export function createOrders(
  kernel: OrdersContext & Pick<Kernel, 'secrets'>,
  { publicUrl }: { publicUrl: string },
): Orders {
  const { db, events, clock, config, log } = kernel;
  const context = { db, events, clock, config, log };
  const cartTokens = createCartTokens(kernel.secrets, publicUrl);
  return {
    ...context,
    cartTokens,
    async adoptCart(request, reply, userId) {
      try {
        const guest = cartTokens.read(request);
        if (guest !== null) {
          await mergeCarts(context, guest, userId);
          cartTokens.clear(reply);
        }
        cartTokens.showCount(reply, await countThings(db, userId));
      } catch (error) {
        log.error({ err: error }, 'a cart could not be merged at a log-in; the next look at the cart will try again');
      }
    },
    jobs: [tidyCarts(context)],
  };
}
