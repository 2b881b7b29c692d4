import { html, type SafeHtml } from '../kernel/html.ts';
import type { Category, Facet, Facets } from '../modules/catalogue/schemas.ts';
import { colorDot, noDot } from './colors.ts';
import { compareSizes, count, humanValue } from './format.ts';
import type { List } from './list-view.ts';
import { FACET_NAMES } from './parameters.ts';

/**
 * The filters of a list: a plain GET form, so it works without script. On a phone it is folded away; on a wide screen
 * the styles hold the same element open.
 */

/** Values shown at once; the others unfold. Sizes are short and make one group of pills. */
const SHOWN = 8;

type Values = Facets[Facet];

export function filterPanel(list: List): SafeHtml {
  const { path, parameters, facets, roots } = list;
  const narrowing = FACET_NAMES.reduce((sum, [facet]) => sum + parameters.facets[facet].length, 0);
  const used =
    narrowing +
    [parameters.priceMin, parameters.priceMax, parameters.inStock, parameters.category].filter(Boolean).length;
  return html`<details class="filters">
<summary>Filter${used > 0 && html` <span class="badge">${used}<span class="visually-hidden"> in use</span></span>`}</summary>
<form id="filters" action="${path}" data-live>
<h2 class="visually-hidden">Filters</h2>
${parameters.search && html`<input type="hidden" name="search" value="${parameters.search}">`}
${categoryFilter(roots, parameters.category, facets.category, list.categories)}
<div class="filter">${option('checkbox', 'in_stock', 'true', 'In stock only', parameters.inStock)}</div>
${priceFilter(list)}
${FACET_NAMES.map(([facet, name]) => facetFilter(facet, name, facets[facet], parameters.facets[facet]))}
<p class="apply"><button>Show products</button></p>
</form>
</details>`;
}

function option(
  type: 'checkbox' | 'radio',
  name: string,
  value: string,
  label: string | SafeHtml,
  checked: boolean,
  matches?: number,
): SafeHtml {
  return html`<label class="option"><input type="${type}" name="${name}" value="${value}"${checked && html` checked`}><span class="option-name">${label}</span>${
    matches !== undefined && html`<span class="option-count">${count(matches)}</span>`
  }</label>`;
}

/** The departments, and under the one that is chosen what it holds: the tree unfolds as it is walked down. */
function categoryFilter(
  roots: readonly Category[],
  chosen: string | null,
  counts: Values,
  categories: ReadonlyMap<string, Category>,
): SafeHtml | false {
  const matches = new Map(counts.map(({ value, count }) => [value, count]));
  const current = chosen === null ? undefined : categories.get(chosen);
  const open = new Set<string>();
  for (let at = current; at; at = at.parent_id === null ? undefined : categories.get(at.parent_id)) open.add(at.id);
  const level = (siblings: readonly Category[]): SafeHtml | false => {
    const shown = siblings.filter(({ id, slug }) => open.has(id) || (matches.get(slug) ?? 0) > 0);
    return (
      shown.length > 0 &&
      html`<ul>${shown.map(
        (category) =>
          html`<li>${option('radio', 'category', category.slug, html`<bdi>${category.name}</bdi>`, category === current, matches.get(category.slug) ?? 0)}${open.has(category.id) && level(category.children)}</li>`,
      )}</ul>`
    );
  };
  const tree = level(roots);
  if (!tree) return false;
  return html`<fieldset class="filter">
<legend>Department</legend>
${option('radio', 'category', '', 'All', current === undefined)}
${tree}
</fieldset>`;
}

function priceFilter({ parameters, facets, currency }: List): SafeHtml | false {
  const { priceMin, priceMax } = parameters;
  if (facets.price.min === null && !priceMin && !priceMax) return false;
  const field = (name: string, label: string, value: string | null, hint: string | null) =>
    html`<label>${label}<input name="${name}" inputmode="decimal" autocomplete="off" maxlength="20" value="${value}" placeholder="${hint}"></label>`;
  return html`<fieldset class="filter">
<legend>Price in ${currency}</legend>
<div class="range">${field('price_min', 'From', priceMin, facets.price.min)}${field('price_max', 'To', priceMax, facets.price.max)}</div>
</fieldset>`;
}

function facetFilter(facet: Facet, name: string, counted: Values, chosen: readonly string[]): SafeHtml | false {
  const missing = chosen.filter((value) => !counted.some((other) => other.value === value));
  const values = [...missing.map((value) => ({ value, count: 0 })), ...counted];
  if (values.length < 2 && chosen.length === 0) return false;
  if (facet === 'size') {
    values.sort((a, b) => compareSizes(a.value, b.value));
  } else {
    // What is chosen stays in sight.
    values.sort((a, b) => Number(chosen.includes(b.value)) - Number(chosen.includes(a.value)) || b.count - a.count);
  }
  const dotted = facet === 'color' && values.some(({ value }) => colorDot(value) !== null);
  const label = (value: string) =>
    html`${dotted && (colorDot(value) ?? noDot())}<bdi>${humanValue(facet, value)}</bdi>`;
  const row = ({ value, count }: Values[number]) =>
    option('checkbox', facet, value, label(value), chosen.includes(value), count);
  const inColumns = facet === 'size' && values.every(({ value }) => value.length <= 4);
  const shown = Math.max(SHOWN, chosen.length);
  const rest = values.slice(shown);
  return html`<fieldset class="filter${inColumns && ' filter-columns'}">
<legend>${name}</legend>
${values.slice(0, shown).map(row)}
${rest.length > 0 && html`<details class="more"><summary>${count(rest.length)} more</summary>${rest.map(row)}</details>`}
</fieldset>`;
}
