import type { FastifyRequest } from 'fastify';
import { html, type SafeHtml } from '../../kernel/html.ts';
import { DEEPEST, type Page } from '../../kernel/paging.ts';
import { allow, identityOf } from '../../modules/accounts/index.ts';
import { IdParam } from '../../modules/accounts/schemas.ts';
import {
  listMails,
  MAIL_STATES,
  type Mailbox,
  type MailState,
  type MailSummary,
  readMail,
  retryMail,
} from '../../modules/notifications/index.ts';
import { time } from '../account/dates.ts';
import { refusalOf } from '../account/fields.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from '../account/page.ts';
import { count } from '../format.ts';
import { breakable, FRAME_HEADERS, framed, messagePage, STATE_WORDS } from './message.ts';

/** `/admin/mailbox`: what was written to whom, for superusers. */

const PATH = '/admin/mailbox';
const PAGE_SIZE = 25;
/** How deep pages go: 90 days of a busy shop have more, which the API walks by cursor. */
const LAST_PAGE = DEEPEST / PAGE_SIZE;

type Query = { state?: MailState; page: number };

function readQuery(request: FastifyRequest): Query {
  const { state, page } = request.query as Record<string, unknown>;
  const known = MAIL_STATES.find((one) => one === state);
  const number = /^[1-9]\d{0,5}$/.test(String(page)) ? Number(page) : 1;
  return { ...(known ? { state: known } : {}), page: Math.min(number, LAST_PAGE) };
}

function addressOf({ state, page }: Query): string {
  const query = new URLSearchParams({ ...(state ? { state } : {}), ...(page > 1 ? { page: String(page) } : {}) });
  return query.size > 0 ? `${PATH}?${query}` : PATH;
}

function mailboxPage(
  mails: Page<MailSummary>,
  query: Query,
  shop: { isSetUp: boolean; timeZone: string },
): AccountPage {
  return {
    title: 'Mailbox',
    wide: true,
    body: () => html`<p class="lead">${
      shop.isSetUp
        ? 'What the shop writes to people, and how far it has come. Messages are here for 90 days.'
        : html`There is no mail server, so what the shop writes stays here and reaches nobody. Set <code>SMTP_URL</code> to have it sent.`
    }</p>
<nav class="pills" aria-label="Messages by state">${[undefined, ...MAIL_STATES].map((state) => {
      const isCurrent = state === query.state;
      return html`<a class="pill" href="${addressOf({ ...(state ? { state } : {}), page: 1 })}"${isCurrent && html` aria-current="page"`}>${state ? STATE_WORDS[state] : 'All'}</a>`;
    })}</nav>
${mails.items.length === 0 ? nothing(query) : list(mails, shop.timeZone)}
${steps(mails, query)}`,
  };
}

function nothing({ state, page }: Query): SafeHtml {
  if (state || page > 1)
    return html`<div class="empty"><p>There are no such messages.</p><p><a class="button" href="${PATH}">See all messages</a></p></div>`;
  return html`<div class="empty"><p>No message was written yet. The first comes when somebody opens an account, forgets a password, or a product’s stock runs low.</p><p><a class="button" href="/register">Open an account to see one</a></p></div>`;
}

function list({ items }: Page<MailSummary>, timeZone: string): SafeHtml {
  const state = ({ state, tries, last_error }: MailSummary) =>
    html`<span class="mail-state mail-${state}">${STATE_WORDS[state]}</span>${
      last_error !== null && html` <span class="note">after ${tries === 1 ? 'one try' : `${count(tries)} tries`}</span>`
    }`;
  return html`<table class="mails">
<thead><tr><th scope="col">Message</th><th scope="col">To</th><th scope="col">State</th><th scope="col">Written</th></tr></thead>
<tbody>${items.map(
    (mail) => html`<tr>
<th scope="row"><a href="${PATH}/${mail.id}"><bdi>${mail.subject}</bdi></a>${mail.last_error !== null && html`<p class="note">${mail.last_error}</p>`}</th>
<td><bdi>${breakable(mail.to)}</bdi></td>
<td>${state(mail)}</td>
<td><time datetime="${mail.created_at.toISOString()}">${time(mail.created_at, timeZone)}</time></td>
</tr>\n`,
  )}</tbody>
</table>`;
}

function steps({ total_pages }: Page<MailSummary>, query: Query): SafeHtml | false {
  const last = Math.min(total_pages, LAST_PAGE);
  if (last <= 1) return false;
  const step = (page: number, rel: 'prev' | 'next', name: string) =>
    page >= 1 && page <= last
      ? html`<a class="step step-${rel}" rel="${rel}" href="${addressOf({ ...query, page })}">${name}</a>`
      : html`<span class="step step-${rel}"></span>`;
  return html`<nav class="pages" aria-label="Pages">${step(query.page - 1, 'prev', 'Newer')}
<p class="place">Page ${count(query.page)} of ${count(last)}</p>
${step(query.page + 1, 'next', 'Older')}</nav>`;
}

export function registerMailbox(mailbox: Mailbox): Registers {
  return (pages, shop) => {
    const config = allow('superuser');
    const schema = { params: IdParam };
    const { isSetUp } = mailbox.delivery;
    const timeZone = shop.config.TIME_ZONE;

    pages.get(PATH, { config }, async (request, reply) => {
      const query = readQuery(request);
      const mails = await listMails(mailbox, { ...query, page_size: PAGE_SIZE });
      return show(shop, request, reply, mailboxPage(mails, query, { isSetUp, timeZone }));
    });

    pages.get(`${PATH}/:id`, { config, schema }, async (request, reply) => {
      const mail = await readMail(mailbox, request.params.id);
      const asText = (request.query as { as?: unknown }).as === 'text';
      return show(shop, request, reply, messagePage(mail, { asText, isSetUp, timeZone, path: PATH }));
    });

    pages.get(`${PATH}/:id/html`, { config, schema }, async (request, reply) => {
      const mail = await readMail(mailbox, request.params.id);
      return reply.headers(FRAME_HEADERS).type('text/html; charset=utf-8').send(framed(mail));
    });

    formPage(pages, `${PATH}/:id/retry`, PATH);
    pages.post(`${PATH}/:id/retry`, { config, schema }, async (request, reply) => {
      const { id } = request.params;
      const refusal = await refusalOf({}, {}, () => retryMail(mailbox, identityOf(request), id));
      if (!refusal) return goTo(reply, pageAt(`${PATH}/${id}`, { done: 'mail_queued' }));
      const mail = await readMail(mailbox, id);
      return show(shop, request, reply, messagePage(mail, { asText: false, isSetUp, timeZone, path: PATH }), refusal);
    });
  };
}
