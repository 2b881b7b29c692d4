import { html, type SafeHtml } from '../kernel/html.ts';
import { DEEPEST } from '../kernel/paging.ts';
import type { ProductPage } from '../modules/catalogue/schemas.ts';
import { count } from './format.ts';
import { type ListParameters, toSearch } from './parameters.ts';

/** Numbered pages go as deep as the catalogue answers them. */
export function lastPage(page: ProductPage): number {
  return Math.max(1, Math.min(page.total_pages, Math.floor(DEEPEST / page.page_size)));
}

/** First and last, and two to either side of the current page; null where some are left out. */
export function pageNumbers(current: number, last: number): (number | null)[] {
  const near = [1, current - 2, current - 1, current, current + 1, current + 2, last].filter(
    (n) => n >= 1 && n <= last,
  );
  const numbers = [...new Set(near)].sort((a, b) => a - b);
  return numbers.flatMap((n, index) => {
    const gap = index === 0 ? 0 : n - numbers[index - 1]! - 1;
    // A gap of one page is shorter as that page.
    return gap === 0 ? [n] : gap === 1 ? [n - 1, n] : [null, n];
  });
}

export function pagination(path: string, parameters: ListParameters, page: ProductPage): SafeHtml | false {
  const last = lastPage(page);
  if (last === 1) return false;
  const current = parameters.page;
  const href = (number: number) => path + toSearch({ ...parameters, page: number });
  const step = (number: number, rel: 'prev' | 'next', name: string) =>
    number >= 1 && number <= last
      ? html`<a class="step step-${rel}" rel="${rel}" href="${href(number)}">${name}</a>`
      : html`<span class="step step-${rel}"></span>`;
  return html`<nav class="pages" aria-label="Pages">
${step(current - 1, 'prev', 'Previous')}
<ol>${pageNumbers(current, last).map((number) =>
    number === null
      ? html`<li class="gap" aria-hidden="true">…</li>`
      : html`<li><a href="${href(number)}" aria-label="Page ${count(number)}"${number === current && html` aria-current="page"`}>${count(number)}</a></li>`,
  )}</ol>
<p class="place">Page ${count(current)} of ${count(last)}</p>
${step(current + 1, 'next', 'Next')}
</nav>`;
}

/** For the head: what stands before and after. */
export function pageLinks(path: string, parameters: ListParameters, page: ProductPage | null): SafeHtml | false {
  if (page === null || page.items.length === 0) return false;
  const link = (rel: string, number: number) =>
    number >= 1 &&
    number <= lastPage(page) &&
    html`<link rel="${rel}" href="${path + toSearch({ ...parameters, page: number })}">`;
  return html`${link('prev', parameters.page - 1)}${link('next', parameters.page + 1)}`;
}
