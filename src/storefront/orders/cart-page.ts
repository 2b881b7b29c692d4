import { html, type SafeHtml } from '../../kernel/html.ts';
import type { Removed } from '../../modules/orders/index.ts';
import { type CartChange, type CartItem, MAX_QUANTITY } from '../../modules/orders/schemas.ts';
import type { Fault, Refusal } from '../account/fields.ts';
import type { AccountPage } from '../account/page.ts';
import { count, money } from '../format.ts';
import { productPath } from '../product-card.ts';
import { picture } from './lines.ts';
import type { CartView } from './view-cart.ts';
import { changeWords, itemCount, sums } from './words.ts';

/** `/cart`: what somebody has gathered, and what has changed about it since. */

/** What was done just now, told above the cart; `undo` is null when it cannot be put back. */
export type CartNews = { done: 'added'; name: string } | { done: 'removed'; name: string; undo: Removed | null };

type Told = { news: CartNews | null; faults: readonly Fault[]; isGuest: boolean };

export function cartPage(cart: CartView, { news, faults, isGuest }: Told): AccountPage {
  return {
    title: 'Your cart',
    isCart: true,
    wide: true,
    body: (csrf) => html`<div class="cart" data-say="${spoken(cart)}">
${news && told(news)}
${cart.items.length === 0 ? EMPTY : html`${list(cart, faults, csrf)}${summary(cart, isGuest)}`}
</div>`,
  };
}

const EMPTY = html`<div class="empty"><p>There is nothing in it yet. Look around and put in what you like: it waits for you here.</p>
<p><a class="button" href="/products">See all products</a></p></div>`;

function spoken({ items, item_count, total, currency }: CartView): string {
  return items.length === 0 ? 'The cart is empty.' : `${itemCount(item_count)}, ${money(total, currency)} together.`;
}

/** To take something out is done at once, and as easily undone. */
function told(news: CartNews): SafeHtml {
  const { done, name } = news;
  const words = html`<p>${done === 'added' ? 'In your cart now' : 'Taken out'}: <bdi>${name}</bdi>.</p>`;
  if (done === 'added' || news.undo === null) return html`<div class="notice" role="status">${words}</div>`;
  return html`<div class="notice notice-undo" role="status" tabindex="-1">${words}
<form method="post" action="/cart/items">
<input type="hidden" name="product_id" value="${news.undo.productId}">
<input type="hidden" name="quantity" value="${news.undo.quantity}">
<button class="quiet small">Undo</button>
</form></div>`;
}

function list({ items, currency }: CartView, faults: readonly Fault[], csrf: SafeHtml): SafeHtml {
  return html`<ul class="lines cart-lines">${items.map((item) =>
    line(
      item,
      currency,
      faults.find(({ field }) => field === `quantity-${item.id}`),
      csrf,
    ),
  )}</ul>`;
}

function line(item: CartView['items'][number], currency: string, fault: Fault | undefined, csrf: SafeHtml): SafeHtml {
  const { id, name, about, slug, image_url, unit_price, line_total, quantity } = item;
  const isGone = slug === null;
  const href = isGone ? null : productPath(slug);
  return html`<li class="line${isGone && ' line-gone'}">
${href === null ? html`<span class="picture">${picture(image_url)}</span>` : html`<a class="picture" href="${href}" tabindex="-1" aria-hidden="true">${picture(image_url)}</a>`}
<div class="line-what">
<h2 class="line-name">${href === null ? html`<bdi>${name}</bdi>` : html`<a href="${href}"><bdi>${name}</bdi></a>`}</h2>
${about !== '' && html`<p class="line-unit"><bdi>${about}</bdi></p>`}
<p class="line-unit">${money(unit_price, currency)}${quantity > 1 && ' each'}</p>
${item.changes.map((change) => changed(change, item, currency, csrf))}
${fault && html`<p class="line-change" id="fault-${id}">${fault.message}</p>`}
</div>
<div class="line-how-many">
${!isGone && item.left !== 0 && stepper(item, fault !== undefined, csrf)}
<form method="post" action="/cart/items/${id}/remove">${csrf}<button class="plain line-remove" id="remove-${id}">Remove<span class="visually-hidden"> ${name}</span></button></form>
</div>
<p class="line-total">${isGone ? '' : money(line_total, currency)}</p>
</li>`;
}

/** In amber, with the way out where there is one. */
function changed(change: CartChange, { id, name }: CartItem, currency: string, csrf: SafeHtml): SafeHtml {
  const words = html`<p class="line-change">${changeWords(change, currency)}</p>`;
  const { code, left = 0 } = change;
  if (code !== 'insufficient_stock' || left === 0) return words;
  return html`${words}
<form method="post" action="/cart/items/${id}">${csrf}<input type="hidden" name="quantity" value="${left}">
<button class="quiet small" id="take-${id}">Take ${left === 1 ? 'one' : count(left)}<span class="visually-hidden"> of ${name}</span></button></form>`;
}

/**
 * Less, the number itself, more. Enter in the number sets it: the first button of a form is the one that Enter presses, so that
 * one stands first, unseen.
 */
function stepper({ id, name, quantity, left }: CartItem, isWrong: boolean, csrf: SafeHtml): SafeHtml {
  const most = Math.min(left ?? MAX_QUANTITY, MAX_QUANTITY);
  return html`<form class="stepper" method="post" action="/cart/items/${id}" novalidate>
${csrf}
<button hidden>Set</button>
<button class="stepper-button" id="less-${id}" name="do" value="less"${quantity <= 1 && html` disabled`}><span aria-hidden="true">−</span><span class="visually-hidden">One less of ${name}</span></button>
<label class="visually-hidden" for="quantity-${id}">How many of ${name}</label>
<input id="quantity-${id}" name="quantity" type="number" inputmode="numeric" min="1" max="${MAX_QUANTITY}" value="${quantity}" autocomplete="off"${isWrong && html` aria-invalid="true" aria-describedby="fault-${id}"`}>
<button class="stepper-button" id="more-${id}" name="do" value="more"${quantity >= most && html` disabled`}><span aria-hidden="true">+</span><span class="visually-hidden">One more of ${name}</span></button>
<button class="quiet small stepper-set">Update<span class="visually-hidden"> how many of ${name}</span></button>
</form>`;
}

function summary(cart: CartView, isGuest: boolean): SafeHtml {
  return html`<section class="cart-sum" aria-labelledby="sum">
<h2 id="sum">Summary</h2>
${sums(cart, cart.item_count)}
${
  cart.ready
    ? html`<a class="button" href="/checkout">Check out</a>`
    : html`<button type="button" disabled aria-describedby="not-ready">Check out</button>
<p class="line-change" id="not-ready">Something in the cart cannot be had as it is. Change or remove what is marked, then check out.</p>`
}
${isGuest && html`<p class="hint">You log in, or open an account, on the way. Your cart comes along.</p>`}
</section>`;
}

/** Words for a quantity that is none. */
export function wrongQuantity(field: string | null): Refusal {
  const message = `Enter how many you want, from 1 to ${MAX_QUANTITY}.`;
  return { code: 'validation_failed', status: 400, headers: {}, faults: [{ field, message }] };
}
