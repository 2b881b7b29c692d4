import type { Identity } from '../accounts/index.ts';
import type { OrdersContext } from './index.ts';
import type { Order, OrderListQuery, OrderPage } from './schemas.ts';

type Reader = Pick<Identity, 'userId' | 'role'>;

/** An order by id or number, as the reader may see it: staff see all, others their own. Throws order_not_found. */
export async function findOrder(_context: OrdersContext, _reader: Reader, _key: string): Promise<Order> {
  throw new Error('not yet');
}

/**
 * A page of orders, the newest first: all for staff, one's own for others, or for whoever asks with `own`. Throws forbidden for
 * a customer who asks for somebody else's, page_too_deep, invalid_cursor, validation_failed.
 */
export async function listOrders(
  _context: OrdersContext,
  _reader: Reader,
  _query: OrderListQuery,
  _options?: { own?: boolean },
): Promise<OrderPage> {
  throw new Error('not yet');
}
