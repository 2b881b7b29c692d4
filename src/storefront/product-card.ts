import { html, type SafeHtml } from '../kernel/html.ts';
import type { ProductListItem } from '../modules/catalogue/schemas.ts';
import { compareSizes, count, money } from './format.ts';

/** Pictures are 4:5 everywhere; the attributes hold their place while they load. */
export const PICTURE = { width: 800, height: 1000 };

/** Fewer than this are told by number. */
const FEW = 5;

export type Stock = { state: 'available' | 'few' | 'later' | 'gone'; text: string };

export function stockOf(item: Pick<ProductListItem, 'availability' | 'in_stock' | 'stock'>): Stock {
  if (item.availability === 'preorder') return { state: 'later', text: 'Preorder' };
  if (item.availability === 'backorder' && !item.in_stock) return { state: 'later', text: 'On backorder' };
  if (!item.in_stock) return { state: 'gone', text: 'Sold out' };
  if (item.stock !== null && item.stock <= FEW) return { state: 'few', text: `Only ${count(item.stock)} left` };
  return { state: 'available', text: 'In stock' };
}

export function productPath(slug: string): string {
  return `/products/${encodeURIComponent(slug)}`;
}

export function priceOf(item: Pick<ProductListItem, 'price' | 'sale_price' | 'currency'>): SafeHtml {
  if (item.sale_price === null) return html`<span class="amount">${money(item.price, item.currency)}</span>`;
  return html`<span class="amount">${money(item.sale_price, item.currency)}</span> <s><span class="visually-hidden">was </span>${money(item.price, item.currency)}</s>`;
}

/** A product in a list, or several that differ in nothing but their size. */
type Card = { item: ProductListItem; sizes: ProductListItem[] };

/** Products that look and cost the same become one card with a link for each size. The list's order stays. */
export function mergeSizes(items: readonly ProductListItem[]): Card[] {
  const cards = new Map<string, Card>();
  for (const item of items) {
    const { group_id, size, name, color, image_url, price, sale_price } = item;
    const key =
      group_id === null || size === null
        ? item.id
        : JSON.stringify([group_id, name, color, image_url, price, sale_price]);
    const card = cards.get(key);
    if (card) card.sizes.push(item);
    else cards.set(key, { item, sizes: [item] });
  }
  for (const card of cards.values()) {
    card.item = card.sizes.find((size) => size.in_stock) ?? card.item;
    card.sizes.sort((a, b) => compareSizes(a.size ?? '', b.size ?? ''));
  }
  return [...cards.values()];
}

/** `eager` for what is seen before anything is scrolled. */
function productCard({ item, sizes }: Card, eager: boolean): SafeHtml {
  const stock = stockOf(item);
  const sold = stock.state === 'gone';
  const merged = sizes.length > 1;
  const options = item.group_id === null ? [] : untold(item.name, [item.color, merged ? null : item.size]);
  const about = [item.brand, ...options].filter((value) => value !== null);
  return html`<li class="card${sold && ' card-sold'}">
<div class="picture"><img src="${item.image_url}" alt="" width="${PICTURE.width}" height="${PICTURE.height}"${!eager && html` loading="lazy"`} decoding="async">${tag(item, sold)}</div>
<h3><a href="${productPath(item.slug)}"><bdi>${item.name}</bdi></a></h3>
${about.length > 0 && html`<p class="about"><bdi>${about.join(' · ')}</bdi></p>`}
<p class="price">${priceOf(item)}</p>
${!merged && (stock.state === 'few' || stock.state === 'later') && html`<p class="note note-${stock.state}">${stock.text}</p>`}
${
  merged &&
  html`<ul class="sizes" aria-label="Sizes">${sizes.map(
    (other) =>
      html`<li><a href="${productPath(other.slug)}"${!other.in_stock && html` class="gone"`}>${other.size}${!other.in_stock && html`<span class="visually-hidden">, sold out</span>`}</a></li>`,
  )}</ul>`
}
</li>`;
}

/** Members of a family share their name as often as not: what they differ in is said beside it. */
export function untold(name: string, options: readonly (string | null)[]): string[] {
  const told = wordsOf(name);
  return options.filter((option) => option !== null && option !== '' && !told.includes(wordsOf(option))) as string[];
}

/** Lower-case words between single spaces, so that one text's words can be looked for in another's. */
function wordsOf(text: string): string {
  return ` ${
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.join(' ') ?? ''
  } `;
}

function tag(item: ProductListItem, sold: boolean): SafeHtml | false {
  if (sold) return html`<span class="tag">Sold out</span>`;
  return item.sale_price !== null && html`<span class="tag tag-sale">Sale</span>`;
}

/** Cards in a grid; the first `eager` pictures are loaded at once. */
export function productGrid(items: readonly ProductListItem[], eager = 0): SafeHtml {
  return html`<ul class="grid">
${mergeSizes(items).map((card, index) => productCard(card, index < eager))}
</ul>`;
}

/** One of each family of variants, so that a short row does not show the same thing in six sizes. */
export function onePerFamily<T extends Pick<ProductListItem, 'id' | 'group_id'>>(
  items: readonly T[],
  without: ReadonlySet<string> = new Set(),
): T[] {
  const met = new Set(without);
  return items.filter(({ id, group_id }) => {
    const family = group_id ?? id;
    if (met.has(family)) return false;
    met.add(family);
    return true;
  });
}
