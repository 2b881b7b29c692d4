import { prepare, type Sql } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { readOrderNumber } from './number.ts';
import type { StoredOrder } from './present-order.ts';

/** Whole orders out of the database, with the names that people have now. */

const SELECT = `
  select o.id, o.number, o.user_id, case when u.erased_at is null then u.username end as username, o.status, o.subtotal,
    o.discount_total, o.shipping_total, o.tax_total, o.total, o.currency, o.shipping_address, o.note, o.version, o.placed_at,
    (select json_agg(json_build_object('product_id', i.product_id, 'sku', i.sku, 'name', i.name, 'image', i.image,
       'unit_price', i.unit_price, 'quantity', i.quantity, 'line_total', i.line_total) order by i.position)
     from order_items i where i.order_id = o.id) as items,
    (select coalesce(json_agg(json_build_object('status', c.status, 'at', c.at, 'actor_id', c.actor_id,
       'username', case when a.erased_at is null then a.username end) order by c.version), '[]')
     from order_status_changes c left join users a on a.id = c.actor_id where c.order_id = o.id) as changes
  from orders o join users u on u.id = o.user_id`;

const BY_IDS = prepare<StoredOrder>(`${SELECT} where o.id = any ($1::uuid[]) order by o.id desc`);
const BY_NUMBER = prepare<StoredOrder>(`${SELECT} where o.number = $1`);

/** By id, or by number in any spelling. */
export async function readOrder(target: Sql, key: string): Promise<StoredOrder | undefined> {
  if (isUuid(key)) return target.maybe(BY_IDS([[key]]));
  const number = readOrderNumber(key);
  return number === null ? undefined : target.maybe(BY_NUMBER([number]));
}

/** The newest first. */
export async function readOrders(target: Sql, ids: readonly string[]): Promise<StoredOrder[]> {
  return ids.length === 0 ? [] : target.many(BY_IDS([ids]));
}
