import { html, type SafeHtml } from '../kernel/html.ts';
import type { ProblemDocument } from '../kernel/http/index.ts';
import { renderPage } from './layout.ts';

/** Errors for people: what happened and what to do, without the database, which may be what is away. */

type Words = { heading: string; text: string; action: SafeHtml };

const BROWSE = html`<a class="button" href="/products">See all products</a>`;
const AGAIN = html`<a class="button" href="/">Go to the front page</a>`;

function wordsFor({ code, status, detail }: ProblemDocument): Words {
  if (code === 'product_not_found')
    return {
      heading: 'This product is not here',
      text: 'It may have been taken off the shelves, or the address may hold a slip.',
      action: BROWSE,
    };
  if (code === 'category_not_found')
    return {
      heading: 'There is no such department',
      text: 'It may have been moved or closed. Everything the shop has is among all products.',
      action: BROWSE,
    };
  if (code === 'order_not_found')
    return {
      heading: 'This order is not here',
      text: 'Its number may hold a slip, or it was placed with another account than the one you are logged in with.',
      action: html`<a class="button" href="/orders">See your orders</a>`,
    };
  if (status === 404)
    return {
      heading: 'There is nothing at this address',
      text: 'Check the address for a slip, search for what you had in mind, or start over.',
      action: AGAIN,
    };
  if (code === 'second_factor_required')
    return {
      heading: 'First set up a second factor',
      text: detail,
      action: html`<a class="button" href="/profile/security">Set one up</a>`,
    };
  if (code === 'forbidden')
    return {
      heading: 'You may not open this page',
      text: `${detail} If you have another account that may, log out and log in with that one.`,
      action: html`<a class="button" href="/profile">Go to your account</a>`,
    };
  if (status === 415)
    return {
      heading: 'That did not work',
      text: 'What was sent is not the form of a page. Load the page again and send it from there.',
      action: AGAIN,
    };
  if (status === 429)
    return {
      heading: 'A little slower, please',
      text: 'There were many requests from where you are. Wait a minute and try again.',
      action: AGAIN,
    };
  if (status === 503)
    return {
      heading: 'The shop is very busy',
      text: 'Nothing is lost. Wait a moment and load this page again.',
      action: AGAIN,
    };
  if (status >= 500)
    return {
      heading: 'Something broke on our side',
      text: 'It was not your doing. Load the page again; if it stays like this, come back a little later.',
      action: AGAIN,
    };
  return { heading: 'That did not work', text: detail, action: AGAIN };
}

/** Draws any problem as a page. The reference is what to tell the shop, so that it finds the fault in its log. */
export function errorPage(shopName: string): (problem: ProblemDocument) => string {
  return (problem) => {
    const { heading, text, action } = wordsFor(problem);
    return renderPage(
      { shopName, categories: [] },
      {
        title: `${heading} · ${shopName}`,
        noindex: true,
        body: html`<div class="empty empty-page">
<p class="status">${problem.status}</p>
<h1>${heading}</h1>
<p>${text}</p>
<p>${action}</p>
${problem.status >= 500 && html`<p class="reference">If you write to us, say this reference: <code>${problem.request_id}</code></p>`}
</div>`,
      },
    );
  };
}
