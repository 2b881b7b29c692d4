import { html, type SafeHtml } from '../../kernel/html.ts';
import type { CartItem } from '../../modules/orders/schemas.ts';
import { count, money } from '../format.ts';
import { PICTURE } from '../product-card.ts';
import { changeWords } from './words.ts';

/** Things with their quantities and what they cost, as they stand beside a sum or in an order. */

export function picture(url: string): SafeHtml {
  return html`<img src="${url}" alt="" width="${PICTURE.width}" height="${PICTURE.height}" decoding="async">`;
}

type Line = Pick<CartItem, 'name' | 'image_url' | 'quantity' | 'unit_price' | 'line_total'> &
  Partial<Pick<CartItem, 'changes'>> & { /** Which of several of that name it is. */ about: string; href?: string };

/** Without anything to change about them. */
export function plainLines(lines: readonly Line[], currency: string): SafeHtml {
  return html`<ul class="lines">${lines.map(
    ({ name, image_url, quantity, unit_price, line_total, changes = [], about, href }) => html`<li class="line">
<span class="picture">${picture(image_url)}</span>
<div class="line-what">
<p class="line-name">${href === undefined ? html`<bdi>${name}</bdi>` : html`<a href="${href}"><bdi>${name}</bdi></a>`}</p>
${about !== '' && html`<p class="line-unit"><bdi>${about}</bdi></p>`}
<p class="line-unit">${count(quantity)} × ${money(unit_price, currency)}</p>
${changes.map((change) => html`<p class="line-change">${changeWords(change, currency)}</p>`)}
</div>
<p class="line-total">${money(line_total, currency)}</p>
</li>`,
  )}</ul>`;
}
