import type { ExpectedVersion } from '../../kernel/http/preconditions.ts';
import type { Identity } from '../accounts/index.ts';
import type { OrdersContext } from './index.ts';
import type { Status } from './order.ts';
import type { Order } from './schemas.ts';

/**
 * Takes an order to another status; one that is cancelled gives its stock back. `key` is an id or a number. Staff may do all
 * that TRANSITIONS allows, a customer may cancel their own. Throws order_not_found, illegal_transition, version_mismatch.
 */
export async function changeStatus(
  _context: OrdersContext,
  _by: Pick<Identity, 'userId' | 'role'>,
  _key: string,
  _status: Status,
  _options?: { version?: ExpectedVersion | null /** Only if it is the caller's own. */; own?: boolean },
): Promise<Order> {
  throw new Error('not yet');
}
