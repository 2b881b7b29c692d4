import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { createLimited, type Limited } from '../../kernel/limited.ts';
import { countThings } from './cart.ts';
import { type CartTokens, createCartTokens } from './cart-token.ts';
import { mergeCarts } from './merge-carts.ts';
import { tidyCarts } from './tidy-carts.ts';

export { addToCart, CART_ADDITIONS } from './add-to-cart.ts';
export { type CartOwner, presentCart, readCart } from './cart.ts';
export { cartOwner, type Removed } from './cart-token.ts';
export { CART_CHANGES, removeCartItem, setCartItemQuantity } from './change-cart.ts';
export { changeStatus } from './change-status.ts';
export { forgetCustomer } from './forget-customer.ts';
export { findOrder, listOrders } from './list-orders.ts';
export { STATUSES, type Status, TRANSITIONS } from './order.ts';
export { linesOfOrder } from './order-lines.ts';
export { placeOrder } from './place-order.ts';

/** What the use cases of carts and orders work with. */
export type OrdersContext = Pick<Kernel, 'db' | 'events' | 'cache' | 'clock' | 'config' | 'log'> & {
  /** As many orders are written at once as leave connections to everybody else, should they all wait for one row. */
  readonly tills: Limited;
};

/** Carts and orders. Its use cases take this as their first argument. */
export type Orders = OrdersContext & {
  readonly cartTokens: CartTokens;
  /** Puts what a guest has gathered into the cart of whom they have logged in as. It never fails. */
  adoptCart(request: FastifyRequest, reply: FastifyReply, userId: string): Promise<void>;
  readonly jobs: readonly Job<never>[];
};

/** Connections that checkouts leave to the rest of the shop, and how many of them wait for one of theirs. */
const CONNECTIONS_LEFT = 3;
const MAX_WAITING = 1_000;

export function createOrders(
  kernel: Pick<Kernel, 'db' | 'events' | 'cache' | 'clock' | 'config' | 'log' | 'secrets'>,
  { publicUrl }: { publicUrl: string },
): Orders {
  const { db, events, cache, clock, config, log } = kernel;
  const tills = createLimited(Math.max(1, config.DATABASE_POOL_SIZE - CONNECTIONS_LEFT), MAX_WAITING);
  const context = { db, events, cache, clock, config, log, tills };
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
