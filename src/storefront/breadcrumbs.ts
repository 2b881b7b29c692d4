import { html, type SafeHtml } from '../kernel/html.ts';

/** The way down to a page; the last step is the page itself and no link. */
export function breadcrumbs(steps: readonly { name: string; path: string }[]): SafeHtml {
  const last = steps.length - 1;
  return html`<nav class="crumbs" aria-label="Where you are"><ol>
${steps.map(({ name, path }, index) =>
  index === last
    ? html`<li aria-current="page"><bdi>${name}</bdi></li>`
    : html`<li><a href="${path}"><bdi>${name}</bdi></a></li>\n`,
)}
</ol></nav>`;
}
