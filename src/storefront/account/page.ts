import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../kernel/config.ts';
import { html, type SafeHtml } from '../../kernel/html.ts';
import type { Http } from '../../kernel/http/index.ts';
import { PAGE_HEADERS } from '../../kernel/http/security-headers.ts';
import type { Accounts } from '../../modules/accounts/index.ts';
import { type Frame, renderPage } from '../layout.ts';
import type { Refusal } from './fields.ts';
import { summary } from './form.ts';
import { type Notice, noticeOf } from './notices.ts';

/** Pages that depend on who asks: made anew for each request, and kept by nobody. */

export type Shop = {
  accounts: Accounts;
  config: Pick<Config, 'TIME_ZONE'>;
  frame(): Promise<Frame>;
};

/** What the routes of a page are registered with: the encapsulated instance whose requests may be forms. */
export type Registers = (pages: Http, shop: Shop) => void;

export type AccountPage = {
  title: string;
  /** Which entry of the menu it is, for pages of whoever is logged in. */
  entry?: Entry;
  /** Its address holds a secret, which must not be told to whatever the page leads to. */
  secret?: boolean;
  /** It needs the whole width, for a table. */
  wide?: boolean;
  /** It shows another document of ours in a frame. */
  frames?: boolean;
  /** It is the cart's page, or on the way from there. */
  isCart?: boolean;
  /** `csrf` is the hidden field that every form must hold. */
  body(csrf: SafeHtml): SafeHtml;
};

const MENU = {
  '/orders': 'Orders',
  '/profile': 'Details',
  '/profile/security': 'Security',
  '/profile/sessions': 'Devices',
  '/profile/notifications': 'E-mails',
} as const;
export type Entry = keyof typeof MENU;

const HEADERS = { ...PAGE_HEADERS, 'cache-control': 'no-store' };
const FRAMING = { 'content-security-policy': `${PAGE_HEADERS['content-security-policy']}; frame-src 'self'` };

/** Sends a page; with a refusal, the same page that tells it, under its status. */
export async function show(
  { accounts, frame }: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
  page: AccountPage,
  refusal: Refusal | null = null,
): Promise<FastifyReply> {
  const csrf = html`<input type="hidden" name="_csrf" value="${accounts.csrf.token(request, reply)}">`;
  const notice = refusal ? null : noticeOf(request.query);
  const content = html`<h1>${page.title}</h1>
${summary(refusal?.faults ?? [])}
${notice && html`<p class="notice" role="status">${notice}</p>`}
${page.body(csrf)}`;
  const inColumn = html`<div class="account${page.wide && ' account-wide'}">${content}</div>`;
  const shown = await frame();
  const text = renderPage(shown, {
    title: `${refusal ? 'Error: ' : ''}${page.title} · ${shown.shopName}`,
    noindex: true,
    behind: page.isCart ? 'cart' : 'account',
    body: page.entry ? area(page.entry, csrf, inColumn, request.identity?.role === 'superuser') : inColumn,
  });
  return reply
    .code(refusal?.status ?? 200)
    .headers({
      ...HEADERS,
      ...(page.frames ? FRAMING : {}),
      ...(page.secret ? { 'referrer-policy': 'no-referrer' } : {}),
      ...refusal?.headers,
    })
    .type('text/html; charset=utf-8')
    .send(text);
}

/** An address of ours that says where to go afterwards, or what was done before. */
export function pageAt(path: string, { next = null, done }: { next?: string | null; done?: Notice }): string {
  const query = new URLSearchParams();
  if (next !== null) query.set('next', next);
  if (done) query.set('done', done);
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Sends somebody on, so that loading the next page again does nothing twice. */
export function goTo(reply: FastifyReply, path: string): FastifyReply {
  return reply.headers({ 'cache-control': 'no-store' }).redirect(path, 303);
}

/** Where somebody comes who types the address that a form is sent to: to the page that it stands on. */
export function formPage(pages: Http, address: string, page: string): void {
  pages.get(address, async (_request, reply) => goTo(reply, page));
}

function area(current: Entry, csrf: SafeHtml, content: SafeHtml, isSuperuser: boolean): SafeHtml {
  const entries = Object.entries(MENU).map(
    ([path, name]) => html`<li><a href="${path}"${path === current && html` aria-current="page"`}>${name}</a></li>`,
  );
  return html`<div class="account-area">
<div class="account-menu">
<nav aria-label="Your account"><ul>${entries}${isSuperuser && html`<li><a href="/admin/mailbox">Mailbox</a></li>`}</ul></nav>
<form method="post" action="/logout">${csrf}<button class="plain">Log out</button></form>
</div>
${content}
</div>`;
}
