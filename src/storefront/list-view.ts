import { html, type SafeHtml } from '../kernel/html.ts';
import type { Category, Facets, ProductPage } from '../modules/catalogue/schemas.ts';
import { filterPanel } from './filter-panel.ts';
import { count, humanValue, money, products } from './format.ts';
import { lastPage, pagination } from './pagination.ts';
import { FACET_NAMES, type ListParameters, ORDERING_NAMES, toSearch } from './parameters.ts';
import { productGrid } from './product-card.ts';

/** A list with its filters, as `/products` and each category have it. */

export type List = {
  /** Without the query. */
  path: string;
  parameters: ListParameters;
  currency: string;
  facets: Facets;
  /** Every category by slug and id, for names. */
  categories: ReadonlyMap<string, Category>;
  /** Offered as a filter; a category's own page has links instead. */
  roots: readonly Category[];
  /** Null when the page asked for lies deeper than pages go. */
  page: ProductPage | null;
};

/** Pictures that are seen before scrolling, on a wide screen. */
const FIRST_ROW = 4;

export function listView(list: List): SafeHtml {
  const { page, parameters } = list;
  return html`<div class="list">
${filterPanel(list)}
<section class="results" aria-labelledby="results">
<h2 class="visually-hidden" id="results">Products</h2>
${toolbar(list)}
${chips(list)}
${parameters.faults.map((name) => html`<p class="fault" role="alert">${faultText(name, list.currency)}</p>`)}
${
  page === null
    ? tooDeep(list)
    : page.items.length > 0
      ? html`${productGrid(page.items, FIRST_ROW)}${pagination(list.path, parameters, page)}`
      : nothing(list, page)
}
</section>
</div>`;
}

function faultText(name: 'price_min' | 'price_max', currency: string): string {
  const end = name === 'price_min' ? 'from' : 'to';
  return `The price “${end}” was left out, since it is not an amount. Write it like ${money('20', currency).replace(/[^\d.,]/g, '')}.`;
}

function toolbar({ page, parameters }: List): SafeHtml {
  // The list's own order is the empty value, so that a form sent as it stands asks for nothing special.
  const [newest, ...others] = ORDERING_NAMES;
  const orders = parameters.search ? [['', 'Best match'], ...ORDERING_NAMES] : [['', newest![1]], ...others];
  return html`<div class="toolbar">
<p class="count" role="status">${page && products(page.total, page.total_is_estimate)}</p>
<p class="sort"><label for="ordering">Sort by</label>
<select id="ordering" name="ordering" form="filters">
${orders.map(([value, name]) => html`<option value="${value}"${value === (parameters.ordering ?? '') && html` selected`}>${name}</option>`)}
</select>
<noscript><button class="quiet" form="filters">Sort</button></noscript></p>
</div>`;
}

/** What narrows the list, each with a link to the list without it. */
function chips({ path, parameters, categories, currency }: List): SafeHtml | false {
  const chip = (name: string, changed: Partial<ListParameters>) =>
    html`<li><a class="chip" href="${path + toSearch({ ...parameters, page: 1, ...changed })}" aria-label="Remove ${name}"><bdi>${name}</bdi>${CROSS}</a></li>`;
  const { search, category, facets, priceMin, priceMax, inStock } = parameters;
  const all = [
    search && chip(`“${search}”`, { search: '', ordering: null }),
    category && chip(categories.get(category)?.name ?? category, { category: null }),
    ...FACET_NAMES.flatMap(([facet]) =>
      facets[facet].map((value) =>
        chip(humanValue(facet, value), {
          facets: { ...facets, [facet]: facets[facet].filter((other) => other !== value) },
        }),
      ),
    ),
    priceMin && chip(`from ${money(priceMin, currency)}`, { priceMin: null }),
    priceMax && chip(`up to ${money(priceMax, currency)}`, { priceMax: null }),
    inStock && chip('In stock', { inStock: false }),
  ].filter(Boolean);
  if (all.length === 0) return false;
  return html`<ul class="chips" aria-label="Filters in use">
${all}
${all.length > 1 && html`<li><a class="clear" href="${path}">Clear all</a></li>`}
</ul>`;
}

const CROSS = html`<svg aria-hidden="true" viewBox="0 0 12 12" width="12" height="12" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"><path d="m3 3 6 6m0-6-6 6"/></svg>`;

function nothing({ path, parameters }: List, page: ProductPage): SafeHtml {
  if (page.total > 0) {
    const last = lastPage(page);
    return html`<div class="empty">
<h3>There is no page ${count(parameters.page)}</h3>
<p>These products end on page ${count(last)}.</p>
<p><a class="button" href="${path + toSearch({ ...parameters, page: last })}">Go to page ${count(last)}</a></p>
</div>`;
  }
  if (toSearch({ ...parameters, page: 1 }) === '') {
    return html`<div class="empty">
<h3>Nothing here yet</h3>
<p>There are no products on this shelf at the moment.</p>
<p><a class="button" href="/">Go to the front page</a></p>
</div>`;
  }
  const { search } = parameters;
  const searchOnly = toSearch({ search });
  const filtered = toSearch({ ...parameters, ordering: null, page: 1 }) !== searchOnly;
  const all = path === '/products' ? 'Show all products' : 'Show everything here';
  return html`<div class="empty">
<h3>Nothing matches ${search && html`<q>${search}</q>`}${search && filtered && ' with '}${filtered && 'these filters'}</h3>
<p>${filtered ? 'Take one of the filters away to see more.' : 'Check the spelling, or try fewer and more general words.'}</p>
<p><a class="button" href="${search && filtered ? path + searchOnly : path}">${search && filtered ? 'Search without filters' : all}</a></p>
</div>`;
}

function tooDeep({ path, parameters }: List): SafeHtml {
  return html`<div class="empty">
<h3>That is too far back</h3>
<p>Pages go as far as the 10,000th product. Narrow your search, by brand or price for instance, and what you want comes to the front.</p>
<p><a class="button" href="${path + toSearch({ ...parameters, page: 1 })}">Go to the first page</a></p>
</div>`;
}
