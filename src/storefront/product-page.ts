import { html, jsonLd, type SafeHtml } from '../kernel/html.ts';
import type { Category, Product, ProductListItem } from '../modules/catalogue/schemas.ts';
import { breadcrumbs } from './breadcrumbs.ts';
import { colorDot } from './colors.ts';
import { detailRows, highlights, type Row, sections, shippingLines } from './details.ts';
import { money, saving } from './format.ts';
import { type Frame, renderPage } from './layout.ts';
import { priceOf, productGrid, productPath, stockOf } from './product-card.ts';
import { breadcrumbData, categorySteps, productData } from './structured-data.ts';
import { blocks, excerpt } from './text.ts';
import { indistinct, optionGroups } from './variants.ts';

export type Related = { heading: string; href: string; items: readonly ProductListItem[] };

export type ProductPageData = {
  product: Product;
  /** From the root down to the product's category; empty for a product without one. */
  way: readonly Category[];
  related: Related | null;
  publicUrl: string;
};

export function productPage(frame: Frame, { product, way, related, publicUrl }: ProductPageData): string {
  const path = productPath(product.slug);
  const steps = [...categorySteps(way), { name: product.name, path }];
  const image = product.images[0];
  return renderPage(frame, {
    title: `${product.name} · ${frame.shopName}`,
    description: excerpt(product.description, 155) || `${product.name} at ${frame.shopName}.`,
    canonical: publicUrl + path,
    openGraph: {
      type: 'product',
      ...(image ? { image: publicUrl + image.url } : {}),
      extra: [
        ['product:price:amount', product.effective_price],
        ['product:price:currency', product.currency],
        ['product:availability', product.in_stock ? 'in stock' : 'out of stock'],
      ],
    },
    head: html`${jsonLd(productData(product, publicUrl))}${jsonLd(breadcrumbData(steps, publicUrl))}`,
    ...(way[0] ? { department: way[0].slug } : {}),
    body: html`${breadcrumbs(steps)}
<article class="product">
${gallery(product)}
<div class="product-info">
${product.brand !== null && html`<p class="product-brand"><a href="/products?brand=${encodeURIComponent(product.brand)}"><bdi>${product.brand}</bdi></a></p>`}
<h1><bdi>${product.name}</bdi></h1>
${priceBlock(product)}
${stockLine(product)}
${chooser(product)}
${buying(product)}
${points(product)}
${description(product)}
${details(product)}
${delivery(product)}
</div>
</article>
${
  related &&
  html`<section class="shelf">
<div class="shelf-head"><h2>${related.heading}</h2><a href="${related.href}">See all</a></div>
${productGrid(related.items)}
</section>`
}`,
  });
}

/** Pictures side by side in a strip that snaps; the small ones below are links to them. */
function gallery({ images, name }: Product): SafeHtml {
  const several = images.length > 1;
  return html`<div class="gallery">
<div class="strip"${several && html` tabindex="0" role="group" aria-label="Pictures of ${name}"`}>
${images.map(
  ({ url, alt, width, height }, index) =>
    html`<div class="picture" id="picture-${index + 1}"><img src="${url}" alt="${alt || name}" width="${width}" height="${height}"${index === 0 ? html` fetchpriority="high"` : html` loading="lazy"`}></div>`,
)}
</div>
${
  several &&
  html`<ol class="thumbs">
${images.map(
  ({ url, width, height }, index) =>
    html`<li><a class="picture" href="#picture-${index + 1}" aria-label="Show picture ${index + 1}"><img src="${url}" alt="" width="${width}" height="${height}"></a></li>`,
)}
</ol>`
}
</div>`;
}

function priceBlock(product: Product): SafeHtml {
  const { price, sale_price, currency } = product;
  if (sale_price === null) return html`<p class="price product-price">${priceOf(product)}</p>`;
  const { amount, percent } = saving(price, sale_price, currency);
  return html`<p class="price product-price">${priceOf(product)} <span class="saving">You save ${amount}${percent > 0 && ` (${percent}%)`}</span></p>`;
}

function stockLine(product: Product): SafeHtml {
  const { state, text } = stockOf(product);
  const later = leftOf(product) > 0 ? 'It can be ordered before it arrives.' : 'As many as can be ordered have been.';
  const more = { available: '', few: '', later, gone: 'It may come back.' }[state];
  return html`<p class="stock stock-${state}">${text}${more && html`<span class="stock-more"> ${more}</span>`}</p>`;
}

/** At most so many at once; the cart takes more. */
const MOST = 99;

/** What is not counted can be ordered while it is not sold out; what is, only as far as it is there, preorders too. */
function leftOf({ stock, availability }: Product): number {
  return stock ?? (availability === 'out_of_stock' ? 0 : MOST);
}

/** The page is kept for everybody, so the form holds nothing of whoever looks at it. */
function buying(product: Product): SafeHtml {
  const { id, availability } = product;
  const left = leftOf(product);
  if (left <= 0) return html`<div class="buy"><button type="button" disabled>Sold out</button></div>`;
  return html`<form class="buy" method="post" action="/cart/items" novalidate>
<input type="hidden" name="product_id" value="${id}">
<div class="buy-row">
<label class="visually-hidden" for="quantity">Quantity</label>
<input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="${Math.min(left, MOST)}" value="1" autocomplete="off">
<button>${availability === 'preorder' ? 'Preorder' : 'Add to cart'}</button>
</div>
<p class="buy-said" role="status"></p>
</form>`;
}

function chooser(product: Product): SafeHtml | false {
  if (product.variants.length === 0) return false;
  const alike = indistinct(product);
  return html`<div class="chooser">
${optionGroups(product).map(
  ({ option, name, choices }) => html`<div class="choice" role="group" aria-labelledby="choose-${option}">
<p class="choice-name" id="choose-${option}">${name}</p>
<ul class="pills">${choices.map(
    ({ value, slug, current, inStock }) =>
      html`<li><a class="pill${!inStock && ' pill-gone'}" href="${productPath(slug)}"${current && html` aria-current="true"`}>${option === 'color' && colorDot(value)}<bdi>${value}</bdi>${!inStock && html`<span class="visually-hidden">, sold out</span>`}</a></li>`,
  )}</ul>
</div>`,
)}
${
  alike.length > 0 &&
  html`<div class="choice" role="group" aria-labelledby="choose-other"><p class="choice-name" id="choose-other">Other versions</p>
<ul class="versions">${alike
    .slice(0, 12)
    .map(
      (variant) =>
        html`<li><a href="${productPath(variant.slug)}"><bdi>${variant.name}</bdi></a> ${money(variant.effective_price, product.currency)}</li>`,
    )}</ul></div>`
}
</div>`;
}

function points(product: Product): SafeHtml | false {
  const all = highlights(product);
  return all.length > 0 && html`<ul class="points">${all.map((point) => html`<li dir="auto">${point}</li>`)}</ul>`;
}

function description(product: Product): SafeHtml | false {
  const made = blocks(product.description);
  if (made.length === 0) return false;
  return html`<section class="part"><h2>Description</h2>
<div class="prose">${made.map((block) =>
    'list' in block
      ? html`<ul>${block.list.map((item) => html`<li dir="auto">${item}</li>`)}</ul>`
      : html`<p dir="auto">${block.text}</p>`,
  )}</div></section>`;
}

function details(product: Product): SafeHtml | false {
  const rows = detailRows(product);
  const more = sections(product);
  return html`<section class="part"><h2>Details</h2>
${facts(rows)}
${more.map(({ name, rows }) => html`${name && html`<h3>${name}</h3>`}${facts(rows)}`)}
</section>`;
}

function delivery(product: Product): SafeHtml | false {
  const rows = shippingLines(product);
  return rows.length > 0 && html`<section class="part"><h2>Delivery</h2>${facts(rows)}</section>`;
}

function facts(rows: readonly Row[]): SafeHtml {
  return html`<dl class="facts">${rows.map(({ name, value }) => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>`;
}
