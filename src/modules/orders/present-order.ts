import { formatMoney } from '../../kernel/money.ts';
import { imageUrl } from '../catalogue/index.ts';
import type { Status } from './order.ts';
import type { Order, ShippingAddress } from './schemas.ts';

/** An order as it is stored; amounts in minor units. */
export type StoredOrder = {
  id: string;
  number: string;
  user_id: string;
  /** Null once the account is erased. */
  username: string | null;
  status: Status;
  subtotal: number;
  discount_total: number;
  shipping_total: number;
  tax_total: number;
  total: number;
  currency: string;
  shipping_address: ShippingAddress | null;
  note: string;
  version: number;
  placed_at: Date;
  items: StoredItem[];
  /** What became of it after it was placed, in order. */
  changes: StoredChange[];
};

export type StoredItem = {
  product_id: string;
  sku: string;
  name: string;
  /** Key of the picture that it had. */
  image: string | null;
  unit_price: number;
  quantity: number;
  line_total: number;
};

type StoredChange = {
  status: Status;
  at: string | Date;
  actor_id: string | null;
  /** Whose name it is now; null once that account is erased. */
  username: string | null;
};

/**
 * An order as clients see it. `namesStaff` is for staff alone: customers are told what happened, and when, but not which of
 * the staff did it.
 */
export function presentOrder(order: StoredOrder, { namesStaff }: { namesStaff: boolean }): Order {
  const { currency } = order;
  const money = (minor: number) => formatMoney(minor, currency);
  const user = { id: order.user_id, username: order.username };
  return {
    id: order.id,
    number: order.number,
    status: order.status,
    items: order.items.map(({ product_id, sku, name, image, unit_price, quantity, line_total }) => ({
      product_id,
      sku,
      name,
      image_url: imageUrl(image, 'list'),
      unit_price: money(unit_price),
      quantity,
      line_total: money(line_total),
    })),
    subtotal: money(order.subtotal),
    discount_total: money(order.discount_total),
    shipping_total: money(order.shipping_total),
    tax_total: money(order.tax_total),
    total: money(order.total),
    currency,
    shipping_address: order.shipping_address,
    note: order.note,
    user,
    placed_at: order.placed_at.toISOString(),
    status_history: [
      { status: 'pending', at: order.placed_at.toISOString(), by: user },
      ...order.changes.map(({ status, at, actor_id, username }) => ({
        status,
        at: new Date(at).toISOString(),
        by: actor_id !== null && (namesStaff || actor_id === user.id) ? { id: actor_id, username } : null,
      })),
    ],
    version: order.version,
  };
}
