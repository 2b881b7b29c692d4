import { html, type SafeHtml } from '../../kernel/html.ts';
import { parseMoney } from '../../kernel/money.ts';
import type { Status } from '../../modules/orders/index.ts';
import type { CartChange, Order } from '../../modules/orders/schemas.ts';
import { count, money } from '../format.ts';

/** What carts and orders are told in. */

/** What an order is, and what that means for who waits for it. */
export const STATUS_WORDS: Readonly<Record<Status, { name: string; meaning: string }>> = {
  pending: { name: 'Being prepared', meaning: 'We have your order and are getting it ready.' },
  shipped: { name: 'Shipped', meaning: 'It is on its way to you.' },
  delivered: { name: 'Delivered', meaning: 'It has arrived.' },
  cancelled: { name: 'Cancelled', meaning: 'Nothing of it will be sent.' },
};

export function statusBadge(status: Status): SafeHtml {
  return html`<span class="order-status order-status-${status}">${STATUS_WORDS[status].name}</span>`;
}

/** `1 item`, `12 items`. */
export function itemCount(number: number): string {
  return `${count(number)} ${number === 1 ? 'item' : 'items'}`;
}

/** What has changed since something was put into the cart. */
export function changeWords(change: CartChange, currency: string): string {
  if (change.code === 'price_changed') {
    const [from, to] = [change.from!, change.to!];
    const minor = (amount: string) => parseMoney(amount, currency, Number.MAX_SAFE_INTEGER)!;
    const became = minor(to) > minor(from) ? 'gone up' : 'come down';
    return `The price has ${became} from ${money(from, currency)} to ${money(to, currency)}.`;
  }
  if (change.code === 'gone') return 'This is no longer sold.';
  return change.left === 0 ? 'This has sold out.' : `Only ${count(change.left!)} left.`;
}

type Sums = Pick<Order, 'subtotal' | 'total' | 'currency'> &
  Partial<Pick<Order, 'discount_total' | 'shipping_total' | 'tax_total'>>;

/** The amounts below a list of things; those that are nothing are not told. */
export function sums(order: Sums, number: number): SafeHtml {
  const { currency } = order;
  const rows = [
    [itemCount(number), order.subtotal],
    ['Reduction', order.discount_total],
    ['Delivery', order.shipping_total],
    ['Tax', order.tax_total],
  ] as const;
  return html`<dl class="sums">${rows.map(
    ([name, amount = ''], index) =>
      (index === 0 || /[1-9]/.test(amount)) && html`<div><dt>${name}</dt><dd>${money(amount, currency)}</dd></div>`,
  )}
<div class="sums-total"><dt>Total</dt><dd>${money(order.total, currency)}</dd></div>
</dl>`;
}
