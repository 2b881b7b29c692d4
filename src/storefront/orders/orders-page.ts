import type { FastifyRequest } from 'fastify';
import { html, type SafeHtml } from '../../kernel/html.ts';
import { DEEPEST } from '../../kernel/paging.ts';
import { allow, identityOf } from '../../modules/accounts/index.ts';
import { listOrders, type Orders } from '../../modules/orders/index.ts';
import type { Order, OrderPage } from '../../modules/orders/schemas.ts';
import { day } from '../account/dates.ts';
import { type AccountPage, type Registers, show } from '../account/page.ts';
import { count, money } from '../format.ts';
import { picture } from './lines.ts';
import { itemCount, statusBadge } from './words.ts';

/** `/orders`: what somebody has ordered, the newest first. */

const PAGE_SIZE = 10;
const LAST_PAGE = DEEPEST / PAGE_SIZE;
/** So many things of an order are shown; of more than that the number. */
const PICTURES = 4;

function ordersPage(orders: OrderPage, page: number, timeZone: string): AccountPage {
  return {
    title: 'Your orders',
    entry: '/orders',
    wide: true,
    body: () =>
      orders.items.length === 0
        ? nothing(page)
        : html`<ol class="orders">${orders.items.map((order) => row(order, timeZone))}</ol>
${steps(orders, page)}`,
  };
}

function nothing(page: number): SafeHtml {
  if (page > 1)
    return html`<div class="empty"><p>There are no more orders.</p><p><a class="button" href="/orders">See the newest ones</a></p></div>`;
  return html`<div class="empty"><p>You have not ordered anything yet. What you order is listed here, with how far it has come.</p>
<p><a class="button" href="/products">See all products</a></p></div>`;
}

function row({ number, status, items, total, currency, placed_at }: Order, timeZone: string): SafeHtml {
  const more = items.length - PICTURES;
  // One picture instead of "1 more".
  const shown = more === 1 ? items : items.slice(0, PICTURES);
  const quantity = items.reduce((sum, item) => sum + item.quantity, 0);
  return html`<li class="order-row">
<div class="order-row-what">
<h2><a href="/orders/${number}">${number}</a></h2>
<p class="order-row-facts"><time datetime="${placed_at}">${day(new Date(placed_at), timeZone)}</time> · ${itemCount(quantity)}</p>
</div>
<div class="order-row-state"><p>${statusBadge(status)}</p><p>${money(total, currency)}</p></div>
<ul class="order-row-pictures" aria-label="What is in it">${shown.map(({ name, image_url }) => html`<li><span class="picture">${picture(image_url)}</span><span class="visually-hidden">${name}</span></li>`)}${
    more > 1 && html`<li class="order-row-more">and ${count(more)} more</li>`
  }</ul>
</li>`;
}

function steps({ total_pages }: OrderPage, page: number): SafeHtml | false {
  const last = Math.min(total_pages, LAST_PAGE);
  if (last <= 1) return false;
  const step = (number: number, rel: 'prev' | 'next', name: string) =>
    number >= 1 && number <= last
      ? html`<a class="step step-${rel}" rel="${rel}" href="${number === 1 ? '/orders' : `/orders?page=${number}`}">${name}</a>`
      : html`<span class="step step-${rel}"></span>`;
  return html`<nav class="pages" aria-label="Pages">${step(page - 1, 'prev', 'Newer')}
<p class="place">Page ${count(page)} of ${count(last)}</p>
${step(page + 1, 'next', 'Older')}</nav>`;
}

function pageOf(request: FastifyRequest): number {
  const { page } = request.query as Record<string, unknown>;
  return /^[1-9]\d{0,5}$/.test(String(page)) ? Math.min(Number(page), LAST_PAGE) : 1;
}

export function registerOrders(orders: Orders): Registers {
  return (pages, shop) => {
    pages.get('/orders', { config: allow('user') }, async (request, reply) => {
      const page = pageOf(request);
      const list = await listOrders(orders, identityOf(request), { page, page_size: PAGE_SIZE }, { own: true });
      return show(shop, request, reply, ordersPage(list, page, shop.config.TIME_ZONE));
    });
  };
}
