import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { readLogEnds } from '../../kernel/events.ts';
import { html, type SafeHtml } from '../../kernel/html.ts';
import type { Limit } from '../../kernel/http/index.ts';
import { allow, identityOf } from '../../modules/accounts/index.ts';
import { type ForSale, readForSale } from '../../modules/catalogue/index.ts';
import {
  addToCart,
  cartOwner,
  changeStatus,
  findOrder,
  type Orders,
  STATUSES,
  type Status,
  TRANSITIONS,
} from '../../modules/orders/index.ts';
import type { Order } from '../../modules/orders/schemas.ts';
import { time } from '../account/dates.ts';
import { type Refusal, refusalOf } from '../account/fields.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from '../account/page.ts';
import { productPath } from '../product-card.ts';
import { addressLines } from './address.ts';
import { plainLines } from './lines.ts';
import { STATUS_WORDS, statusBadge, sums } from './words.ts';

/** `/orders/{number}`: one order, how far it has come, and what can still be done about it. */

/** Each puts up to a hundred things into a cart. */
const AGAIN: Limit = { name: 'orders again', most: 30, seconds: 60 };

const Key = Type.Object({ number: Type.String() });

type Shown = {
  order: Order;
  /** What of it is still sold, by id. */
  products: ReadonlyMap<string, ForSale>;
  /** The position in the event log through which the page is certainly as new: from there its script follows. */
  follow: { userId: string; after: number };
  timeZone: string;
};

function orderPage({ order, products, follow, timeZone }: Shown): AccountPage {
  const { number, status, items, currency, note, shipping_address, version } = order;
  const quantity = items.reduce((sum, item) => sum + item.quantity, 0);
  const lines = items.map((item) => {
    const product = products.get(item.product_id);
    return { ...item, about: item.sku, ...(product ? { href: productPath(product.slug) } : {}) };
  });
  const { name, meaning } = STATUS_WORDS[status];
  const canBeHad = products.values().some(({ left }) => left !== 0);
  return {
    title: `Order ${number}`,
    entry: '/orders',
    wide: true,
    body: (
      csrf,
    ) => html`<div class="order" id="order" data-number="${number}" data-version="${version}" data-live="/ws/notifications/${follow.userId}" data-after="${follow.after}" data-say="Order ${number}: ${name}. ${meaning}">
<section class="order-state" aria-labelledby="state">
<h2 class="visually-hidden" id="state" tabindex="-1">How far it has come</h2>
<p>${statusBadge(status)} <span class="order-meaning">${meaning}</span></p>
${track(order, timeZone)}
<div class="buttons">
${canBeHad && html`<form method="post" action="/orders/${number}/again">${csrf}<button class="quiet">Order again</button></form>`}
${mayCancel(order) && html`<a class="button quiet" href="/orders/${number}/cancel">Cancel this order</a>`}
</div>
</section>
<section aria-labelledby="things">
<h2 id="things">What you ordered</h2>
${plainLines(lines, currency)}
${sums(order, quantity)}
</section>
<div class="order-more">
<section aria-labelledby="address">
<h2 id="address">Where it goes</h2>
${shipping_address ? addressLines(shipping_address) : html`<p class="hint">No address was given.</p>`}
</section>
${
  note !== '' &&
  html`<section aria-labelledby="note">
<h2 id="note">Your note</h2>
<p class="order-note" dir="auto">${note}</p>
</section>`
}
</div>
</div>`,
  };
}

function mayCancel({ status }: Order): boolean {
  return TRANSITIONS[status].includes('cancelled');
}

/** The way that an order takes, with what of it lies behind. */
function track({ status, status_history }: Order, timeZone: string): SafeHtml {
  const names: Readonly<Record<Status, string>> = {
    pending: 'Ordered',
    shipped: 'Shipped',
    delivered: 'Delivered',
    cancelled: 'Cancelled',
  };
  const way: readonly Status[] =
    status === 'cancelled' ? ['pending', 'cancelled'] : STATUSES.filter((step) => step !== 'cancelled');
  return html`<ol class="track">${way.map((step) => {
    const reached = status_history.find((change) => change.status === step);
    return html`<li class="${reached ? 'reached' : 'ahead'}"${step === status && html` aria-current="step"`}>
<p class="track-name">${names[step]}</p>
${reached ? html`<p class="track-time"><time datetime="${reached.at}">${time(new Date(reached.at), timeZone)}</time></p>` : html`<p class="visually-hidden">not yet</p>`}
</li>`;
  })}</ol>`;
}

function cancelPage({ number }: Order): AccountPage {
  return {
    title: `Cancel order ${number}?`,
    entry: '/orders',
    body: (
      csrf,
    ) => html`<p>It is not sent then, and what is in it goes back on the shelf. This cannot be undone, but you can order again.</p>
<form class="buttons" method="post" action="/orders/${number}/cancel">${csrf}<button class="danger">Cancel the order</button><a class="button quiet" href="/orders/${number}">Keep it</a></form>`,
  };
}

export function registerOrder(orders: Orders): Registers {
  return (pages, shop) => {
    const config = allow('user');
    const schema = { params: Key };
    const pathOf = ({ number }: Pick<Order, 'number'>) => `/orders/${number}`;
    /** Staff have a place of their own for other people's orders: here everybody sees theirs alone. */
    const readerOf = (request: FastifyRequest) => ({ userId: identityOf(request).userId, role: 'customer' }) as const;
    const find = (request: FastifyRequest, number: string) => findOrder(orders, readerOf(request), number);

    const showOrder = async (
      request: FastifyRequest,
      reply: FastifyReply,
      number: string,
      refusal: Refusal | null = null,
    ) => {
      // Read first: what happens while the order is read is then told again, rather than missed.
      const { head } = await readLogEnds(orders.db);
      const order = await find(request, number);
      if (order.number !== number) return goTo(reply, pathOf(order));
      const products = await readForSale(
        orders.db,
        order.items.map(({ product_id }) => product_id),
      );
      const follow = { userId: readerOf(request).userId, after: head };
      const page = orderPage({ order, products, follow, timeZone: shop.config.TIME_ZONE });
      return show(shop, request, reply, page, refusal);
    };

    pages.get('/orders/:number', { config, schema }, (request, reply) =>
      showOrder(request, reply, request.params.number),
    );

    pages.get('/orders/:number/cancel', { config, schema }, async (request, reply) => {
      const order = await find(request, request.params.number);
      if (!mayCancel(order)) return goTo(reply, pathOf(order));
      return show(shop, request, reply, cancelPage(order));
    });

    pages.post('/orders/:number/cancel', { config, schema }, async (request, reply) => {
      const { number } = request.params;
      const refusal = await refusalOf({}, {}, () =>
        changeStatus(orders, readerOf(request), number, 'cancelled', { own: true }),
      );
      const order = await find(request, number);
      // Sent twice, it is what was asked for.
      if (order.status === 'cancelled') return goTo(reply, pageAt(pathOf(order), { done: 'order_cancelled' }));
      const message = 'It could not be cancelled any more: it is on its way to you already.';
      return showOrder(request, reply, order.number, refusal && { ...refusal, faults: [{ field: null, message }] });
    });

    formPage(pages, '/orders/:number/again', '/orders');
    pages.post('/orders/:number/again', { config: { ...config, limit: AGAIN }, schema }, async (request, reply) => {
      const { items } = await find(request, request.params.number);
      const owner = await cartOwner(orders, request, reply);
      let refused = 0;
      for (const { product_id, quantity } of items)
        if (await refusalOf({}, {}, () => addToCart(orders, owner, { product_id, quantity }))) refused += 1;
      return goTo(reply, pageAt('/cart', { done: refused === 0 ? 'ordered_again' : 'ordered_again_partly' }));
    });
  };
}
