import { html, jsonLd, type SafeHtml } from '../kernel/html.ts';
import type { Category, ProductListItem } from '../modules/catalogue/schemas.ts';
import { count } from './format.ts';
import { type Frame, renderPage } from './layout.ts';
import { onePerFamily, PICTURE, priceOf, productGrid, productPath, stockOf } from './product-card.ts';
import { shopData } from './structured-data.ts';

export type Home = {
  featured: readonly ProductListItem[];
  newest: readonly ProductListItem[];
  total: number;
  departments: readonly { category: Category; image: string | null }[];
};

const ROW = 4;

export function homePage(frame: Frame, publicUrl: string, home: Home): string {
  const { shopName } = frame;
  return renderPage(frame, {
    title: shopName,
    description: `${shopName}: ${invitation(home)}`,
    canonical: `${publicUrl}/`,
    openGraph: { type: 'website' },
    head: jsonLd(shopData(shopName, publicUrl)),
    body: home.total === 0 ? emptyShop(shopName) : front(home),
  });
}

function front(home: Home): SafeHtml {
  // What is sold out does not belong into the window.
  const [featuredNow, newestNow] = [home.featured, home.newest].map((items) =>
    items.filter((item) => stockOf(item).state !== 'gone'),
  ) as [ProductListItem[], ProductListItem[]];
  const window = onePerFamily([...featuredNow, ...newestNow, ...home.newest]).slice(0, 3);
  const shown = new Set(window.map(familyOf));
  const pick = (items: readonly ProductListItem[], rows: number) => {
    const picked = onePerFamily(items, shown).slice(0, rows * ROW);
    if (picked.length < ROW) return [];
    for (const item of picked) shown.add(familyOf(item));
    return picked.slice(0, picked.length - (picked.length % ROW));
  };
  const featured = pick(featuredNow, 2);
  const newest = pick(newestNow, 1);
  const reduced = pick(
    newestNow.filter((item) => item.sale_price !== null),
    1,
  );
  return html`<section class="hero">
<div class="hero-text">
<h1>Come in, have a look around</h1>
<p>${invitation(home)}</p>
<p class="actions"><a class="button" href="/products">See all products</a></p>
</div>
<ul class="window">${window.map(windowItem)}</ul>
</section>
${shelf('Worth a look', featured)}
${departmentTiles(home)}
${shelf('New in', newest, { href: '/products', name: 'See everything new' })}
${shelf('On sale', reduced)}`;
}

const familyOf = ({ id, group_id }: ProductListItem) => group_id ?? id;

function invitation({ total, departments }: Home): string {
  const names = departments.slice(0, 3).map(({ category }) => category.name);
  const goods =
    total === 1
      ? 'One thing'
      : `${count(total > 10_000 ? Math.floor(total / 1000) * 1000 : total)}${total > 10_000 ? ' and more' : ''} things`;
  if (names.length === 0) return `${goods} to look at.`;
  const rest = departments.length > names.length ? 'and more' : '';
  const list = rest
    ? [...names, rest].join(', ')
    : names.length === 1
      ? names[0]
      : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${goods} to look at: ${list}.`;
}

function windowItem(item: ProductListItem): SafeHtml {
  return html`<li><a href="${productPath(item.slug)}">
<span class="picture"><img src="${item.image_url}" alt="" width="${PICTURE.width}" height="${PICTURE.height}"></span>
<span class="window-label"><bdi>${item.name}</bdi> <span class="price">${priceOf(item)}</span></span>
</a></li>`;
}

function shelf(
  name: string,
  items: readonly ProductListItem[],
  more?: { href: string; name: string },
): SafeHtml | false {
  if (items.length === 0) return false;
  return html`<section class="shelf">
<div class="shelf-head"><h2>${name}</h2>${more && html`<a href="${more.href}">${more.name}</a>`}</div>
${productGrid(items)}
</section>`;
}

function departmentTiles({ departments }: Home): SafeHtml | false {
  if (departments.length < 2) return false;
  // One row of up to six, or two that are full.
  const tiles = departments.slice(0, departments.length <= 6 ? 6 : departments.length - (departments.length % 2));
  const columns = tiles.length <= 6 ? tiles.length : tiles.length / 2;
  return html`<section class="shelf">
<div class="shelf-head"><h2>Departments</h2></div>
<ul class="tiles tiles-${columns}">${tiles.map(
    ({ category, image }) => html`<li><a href="/categories/${encodeURIComponent(category.slug)}">
<span class="picture">${image && html`<img src="${image}" alt="" width="${PICTURE.width}" height="${PICTURE.height}" loading="lazy" decoding="async">`}</span>
<span class="tile-name"><bdi>${category.name}</bdi></span> <span class="tile-count">${count(category.product_count)}<span class="visually-hidden"> products</span></span>
</a></li>`,
  )}</ul>
</section>`;
}

function emptyShop(shopName: string): SafeHtml {
  return html`<div class="empty empty-shop">
<h1>${shopName} opens soon</h1>
<p>There are no products in the shop yet. If it is yours, fill it from a product feed:</p>
<p><code>npm run vitrine -- import feed.xml</code></p>
</div>`;
}
