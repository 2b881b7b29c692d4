import { html, type SafeHtml } from '../kernel/html.ts';
import type { Category } from '../modules/catalogue/schemas.ts';
import { assets } from './assets.ts';

/** What every page stands in: head, header with search and departments, footer. */

export type Frame = {
  shopName: string;
  /** The category tree; an error page, which must do without the database, has none. */
  categories: readonly Category[];
};

export type Page = {
  title: string;
  description?: string;
  /** Absolute. Missing where search engines should keep nothing. */
  canonical?: string;
  noindex?: boolean;
  openGraph?: { type: 'website' | 'product'; image?: string; extra?: readonly (readonly [string, string])[] };
  /** Anything more for the head: structured data, links to the pages before and after. */
  head?: SafeHtml;
  /** What the search field holds. */
  search?: string;
  /** The department that the page belongs to. */
  department?: string;
  /** Which of the header's links it lies behind. */
  behind?: 'account' | 'cart';
  body: SafeHtml;
};

/** More departments than this are no menu; all of them are in the list's filters. */
const MENU_LENGTH = 12;

/** About what one line holds on a wide screen, in characters; the others are in the phone's menu only. */
const LINE_LENGTH = 165;

export function renderPage(frame: Frame, page: Page): string {
  const { css, script, icon, font } = assets();
  const document = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title}</title>
${page.description && html`<meta name="description" content="${page.description}">`}
${page.noindex && html`<meta name="robots" content="noindex, follow">`}
${page.canonical && html`<link rel="canonical" href="${page.canonical}">`}
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#fbfaf8">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#161513">
<link rel="preload" href="${font}" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="${css}">
<link rel="icon" href="${icon}" type="image/svg+xml">
<script src="${script}" defer></script>
${socialTags(frame, page)}
${page.head}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${header(frame, page)}
<main id="main" class="wrap">
${page.body}
</main>
${footer(frame)}
</body>
</html>
`;
  return `<!doctype html>\n${document}`;
}

function socialTags(frame: Frame, page: Page): SafeHtml | false {
  if (!page.openGraph) return false;
  const { type, image, extra = [] } = page.openGraph;
  const tags: (readonly [string, string | undefined])[] = [
    ['og:site_name', frame.shopName],
    ['og:type', type],
    ['og:title', page.title],
    ['og:description', page.description],
    ['og:url', page.canonical],
    ['og:image', image],
    ...extra,
  ];
  return html`${tags.map(([name, content]) => content && html`<meta property="${name}" content="${content}">\n`)}
<meta name="twitter:card" content="${image ? 'summary_large_image' : 'summary'}">`;
}

/** How many of the departments stand in the line beside "All products". */
function inLine(departments: readonly Category[]): number {
  let length = 0;
  const end = departments.findIndex(({ name }) => {
    length += name.length + 4;
    return length > LINE_LENGTH;
  });
  return end < 0 ? departments.length : end;
}

function header({ shopName, categories }: Frame, page: Page): SafeHtml {
  const departments = categories.filter((category) => category.product_count > 0).slice(0, MENU_LENGTH);
  const shown = inLine(departments);
  const link = (href: string, name: string, current: boolean, beyond = false) =>
    html`<li${beyond && html` class="beyond"`}><a href="${href}"${current && html` aria-current="true"`}>${name}</a></li>`;
  return html`<header class="header">
<div class="wrap header-row">
<a class="wordmark" href="/">${shopName}</a>
<details class="menu">
<summary><span class="menu-label">Menu</span></summary>
<nav aria-label="Departments"><ul>
${link('/products', 'All products', page.department === '')}
${departments.map((category, index) => link(`/categories/${encodeURIComponent(category.slug)}`, category.name, page.department === category.slug, index >= shown))}
</ul></nav>
</details>
<search><form class="search" action="/products">
<label class="visually-hidden" for="search">Search the shop</label>
<input id="search" name="search" type="search" maxlength="200" placeholder="Search" autocomplete="off" enterkeyhint="search" value="${page.search}">
<button class="search-button"><span class="visually-hidden">Search</span>${MAGNIFIER}</button>
</form></search>
<a class="account-link" href="/profile"${page.behind === 'account' && html` aria-current="true"`}>${PERSON}<span class="header-label">Account</span></a>
<a class="cart-link" href="/cart"${page.behind === 'cart' && html` aria-current="true"`}><span class="cart-icon">${BAG}<span class="cart-count" aria-hidden="true" hidden></span></span><span class="header-label">Cart <span class="visually-hidden cart-words"></span></span></a>
</div>
</header>`;
}

const MAGNIFIER = html`<svg aria-hidden="true" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"><circle cx="8.75" cy="8.75" r="5.5"/><path d="m13 13 4 4"/></svg>`;

const PERSON = html`<svg aria-hidden="true" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"><circle cx="10" cy="6.5" r="3.25"/><path d="M3.5 17c.6-3.4 3.2-5.25 6.5-5.25s5.9 1.85 6.5 5.25"/></svg>`;

const BAG = html`<svg aria-hidden="true" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"><path d="M3.75 6.75h12.5l-.9 10.25H4.65z"/><path d="M7 9V5.5a3 3 0 0 1 6 0V9"/></svg>`;

function footer({ shopName, categories }: Frame): SafeHtml {
  return html`<footer class="footer">
<div class="wrap footer-row">
<p class="wordmark">${shopName}</p>
${
  categories.length > 0 &&
  html`<nav aria-label="Shop"><ul>
<li><a href="/products">All products</a></li>
<li><a href="/products?ordering=price">Lowest prices</a></li>
<li><a href="/products?in_stock=true">In stock now</a></li>
</ul></nav>`
}
<nav aria-label="For developers"><ul>
<li><a href="/docs/swagger">API</a></li>
<li><a href="/feeds/google.xml">Product feed</a></li>
<li><a href="/sitemap.xml">Sitemap</a></li>
</ul></nav>
</div>
</footer>`;
}
