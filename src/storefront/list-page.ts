import { html, jsonLd, type SafeHtml } from '../kernel/html.ts';
import type { Category, Facets, ProductPage } from '../modules/catalogue/schemas.ts';
import { breadcrumbs } from './breadcrumbs.ts';
import { type Frame, renderPage } from './layout.ts';
import { listView } from './list-view.ts';
import { pageLinks } from './pagination.ts';
import { isNarrowed, type ListParameters, toSearch } from './parameters.ts';
import { breadcrumbData, categorySteps } from './structured-data.ts';
import { excerpt } from './text.ts';

export type ListData = {
  parameters: ListParameters;
  facets: Facets;
  /** Null when the page asked for lies deeper than pages go. */
  page: ProductPage | null;
  currency: string;
  publicUrl: string;
};

/** `/products`: everything, or what a search or filters leave of it. */
export function productsPage(frame: Frame, data: ListData): string {
  const { parameters, publicUrl } = data;
  const categories = bySlugAndId(frame.categories);
  const category = parameters.category === null ? undefined : categories.get(parameters.category);
  const heading = parameters.search ? `Results for “${parameters.search}”` : (category?.name ?? 'All products');
  const onlyCategory = category && !isNarrowed(parameters);
  const path = onlyCategory ? `/categories/${encodeURIComponent(category.slug)}` : '/products';
  return renderPage(frame, {
    title: `${heading}${pageMark(parameters)} · ${frame.shopName}`,
    description: `${heading} at ${frame.shopName}.`,
    canonical: publicUrl + path + toSearch(onlyCategory ? { ...parameters, category: null } : parameters),
    noindex: isNarrowed(parameters) || isMissing(data),
    openGraph: { type: 'website' },
    head: html`${pageLinks('/products', parameters, data.page)}`,
    search: parameters.search,
    department: '',
    body: html`<div class="list-head"><h1>${heading}</h1></div>
${listView({ ...data, path: '/products', categories, roots: frame.categories })}`,
  });
}

/** `/categories/{slug}`: the same list within one category; `way` leads from the root down to it. */
export function categoryPage(frame: Frame, way: readonly Category[], data: ListData): string {
  const { parameters, publicUrl } = data;
  const category = way.at(-1)!;
  const steps = categorySteps(way);
  const path = steps.at(-1)!.path;
  return renderPage(frame, {
    title: `${category.name}${pageMark(parameters)} · ${frame.shopName}`,
    description: excerpt(category.description, 155) || `${category.name} at ${frame.shopName}.`,
    canonical: publicUrl + path + toSearch(parameters),
    noindex: isNarrowed(parameters) || isMissing(data),
    openGraph: { type: 'website', ...(category.image_url ? { image: publicUrl + category.image_url } : {}) },
    head: html`${pageLinks(path, parameters, data.page)}${jsonLd(breadcrumbData(steps, publicUrl))}`,
    department: way[0]!.slug,
    body: html`${breadcrumbs(steps)}
<div class="list-head">
<h1><bdi>${category.name}</bdi></h1>
${category.description && html`<p class="lead" dir="auto">${category.description}</p>`}
${pills(category.children)}
</div>
${listView({ ...data, path, categories: bySlugAndId(frame.categories), roots: [] })}`,
  });
}

function pills(children: readonly Category[]): SafeHtml | false {
  const shown = children.filter((child) => child.product_count > 0);
  if (shown.length === 0) return false;
  return html`<nav aria-label="Within this department"><ul class="pills">${shown.map(
    (child) =>
      html`<li><a class="pill" href="/categories/${encodeURIComponent(child.slug)}"><bdi>${child.name}</bdi></a></li>`,
  )}</ul></nav>`;
}

/** Whether there is no such page, of a list that has others. */
export function isMissing({ page, parameters }: Pick<ListData, 'page' | 'parameters'>): boolean {
  return page === null || (page.items.length === 0 && parameters.page > 1);
}

function pageMark({ page }: ListParameters): string {
  return page > 1 ? `, page ${page}` : '';
}

function bySlugAndId(tree: readonly Category[]): Map<string, Category> {
  const found = new Map<string, Category>();
  const add = (category: Category) => {
    found.set(category.slug, category).set(category.id, category);
    category.children.forEach(add);
  };
  tree.forEach(add);
  return found;
}
