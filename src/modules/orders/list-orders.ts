import { type Page, readPage } from '../../kernel/paging.ts';
import { type Actor, forbidden, hasRole } from '../accounts/index.ts';
import { orderNotFound } from './errors.ts';
import type { OrdersContext } from './index.ts';
import { readPeriod } from './period.ts';
import { presentOrder } from './present-order.ts';
import { readOrder, readOrders } from './read-order.ts';
import type { Order, OrderListQuery, OrderPage } from './schemas.ts';
import { searchOrders } from './search-orders.ts';

/** An order by id or number, as the reader may see it: staff see all, others their own. Throws order_not_found. */
export async function findOrder({ db }: Pick<OrdersContext, 'db'>, reader: Actor, key: string): Promise<Order> {
  const namesStaff = hasRole(reader, 'staff');
  const order = await readOrder(db, key);
  if (!order || (!namesStaff && order.user_id !== reader.userId)) throw noSuchOrder();
  return presentOrder(order, { namesStaff });
}

/** Of somebody else's the same as of none. */
export function noSuchOrder(): Error {
  return orderNotFound('There is no order with this id or number.');
}

/**
 * A page of orders, the newest first: all for staff, one's own for others, or for whoever asks with `own`. Throws forbidden for
 * a customer who asks for somebody else's, page_too_deep, invalid_cursor, validation_failed.
 */
export async function listOrders(
  { db, config }: Pick<OrdersContext, 'db' | 'config'>,
  reader: Actor,
  { status, user, from, to, search, ...paging }: OrderListQuery,
  { own = false }: { own?: boolean } = {},
): Promise<OrderPage> {
  const isStaff = hasRole(reader, 'staff');
  const asked = user?.toLowerCase();
  if (!isStaff && asked !== undefined && asked !== reader.userId)
    throw forbidden('You can list your own orders alone: leave `user` out.');
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (value: unknown) => `$${values.push(value)}`;
  const whose = own || !isStaff ? reader.userId : asked;
  if (whose !== undefined) where.push(`o.user_id = ${add(whose)}`);
  if (status !== undefined) where.push(`o.status = ${add(status)}`);
  const period = readPeriod({ from, to }, config.TIME_ZONE);
  if (period.from) where.push(`o.placed_at >= ${add(period.from)}`);
  if (period.through) where.push(`o.placed_at <= ${add(period.through)}`);
  if (period.before) where.push(`o.placed_at < ${add(period.before)}`);

  const text = search?.trim() ?? '';
  const page: Page<{ id: string }> =
    text === '' && from === undefined && to === undefined
      ? await readPage(db, { columns: 'o.id', from: 'orders o', id: 'o.id', where, values }, paging)
      : await searchOrders(db, { text, where, values, customersToo: isStaff && !own }, paging);
  const orders = await readOrders(
    db,
    page.items.map(({ id }) => id),
  );
  return { ...page, items: orders.map((order) => presentOrder(order, { namesStaff: isStaff })) };
}
