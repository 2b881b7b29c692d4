import { formatMoney } from '../../kernel/money.ts';
import { imageUrl } from '../catalogue/index.ts';
import type { Status } from './order.ts';
import type { Order, ShippingAddress } from './schemas.ts';

/** An order as it is stored; amounts in minor units. */
export type StoredOrder = {
  id: string;
  number: string;
  user_id: string;
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
  changes: { status: Status; at: string | Date; actor_id: string | null }[];
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

type Seen = {
  user: Order['user'];
  /** Of those who have changed its status. */
  usernames: ReadonlyMap<string, string>;
  /** The customer who looks at it, who is not told which of the staff did what; null for staff. */
  seenBy: string | null;
};

/** An order as clients see it. */
export function presentOrder(order: StoredOrder, { user, usernames, seenBy }: Seen): Order {
  const { currency, user_id } = order;
  const money = (minor: number) => formatMoney(minor, currency);
  const by = (id: string | null) => {
    if (id === user_id) return user;
    return id === null || seenBy !== null ? null : { id, username: usernames.get(id) ?? null };
  };
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
      { status: 'pending', at: order.placed_at.toISOString(), by: by(user_id) },
      ...order.changes.map(({ status, at, actor_id }) => ({
        status,
        at: new Date(at).toISOString(),
        by: by(actor_id),
      })),
    ],
    version: order.version,
  };
}
