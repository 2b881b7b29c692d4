import { html, type SafeHtml } from '../../kernel/html.ts';
import type { MailState, StoredMail } from '../../modules/notifications/index.ts';
import { time } from '../account/dates.ts';
import type { AccountPage } from '../account/page.ts';
import { count } from '../format.ts';

/** One message of the mailbox: what became of it, and what it says. */

export const STATE_WORDS: Readonly<Record<MailState, string>> = {
  queued: 'Waiting',
  sending: 'Being sent',
  sent: 'Sent',
  failed: 'Failed',
  kept: 'Kept here',
};

/**
 * For a message's own HTML, which stands in a frame of a page of ours. It runs nothing, loads nothing and sends nothing; it is no
 * page of this origin, though it comes from here; and nobody else may frame it.
 */
export const FRAME_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy':
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
});

/** Its HTML as it was sent, but that links lead out of the frame. */
export function framed({ html: sent, text }: Pick<StoredMail, 'html' | 'text'>): string {
  if (sent !== null) return sent.replace('<head>', '<head><base target="_blank">');
  return `<!doctype html>${html`<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Message</title></head><body><pre style="white-space:pre-wrap">${text}</pre></body></html>`}`;
}

/** An address that breaks where a reader expects it, rather than in the middle of a word. */
export function breakable(address: string): SafeHtml {
  return html`${address.split(/(?<=[@.])/).map((part, i) => html`${i > 0 && html`<wbr>`}${part}`)}`;
}

type Shown = { asText: boolean; isSetUp: boolean; timeZone: string; path: string };

export function messagePage(mail: StoredMail, { asText, isSetUp, timeZone, path }: Shown): AccountPage {
  const address = `${path}/${mail.id}`;
  const way = (text: boolean, name: string) =>
    html`<a class="pill" href="${text ? `${address}?as=text` : address}"${text === asText && html` aria-current="page"`}>${name}</a>`;
  return {
    title: mail.subject,
    wide: true,
    frames: true,
    // Addresses in it may let whoever follows them into an account.
    secret: true,
    body: (csrf) => html`<p><a href="${path}">All messages</a></p>
${facts(mail, timeZone)}
${retry(mail, isSetUp, address, csrf)}
<nav class="pills" aria-label="How to show it">${way(false, 'As it looks')}${way(true, 'As plain text')}</nav>
${
  asText
    ? html`<pre class="mail-text">${mail.text}</pre>`
    : html`<iframe class="mail-frame" src="${address}/html" title="The message" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe>`
}`,
  };
}

function facts(mail: StoredMail, timeZone: string): SafeHtml {
  const at = (time_: Date | null) =>
    time_ && html`<time datetime="${time_.toISOString()}">${time(time_, timeZone)}</time>`;
  const rows: [string, SafeHtml | string | null | false][] = [
    ['To', html`<bdi>${breakable(mail.to)}</bdi>`],
    ['State', html`<span class="mail-state mail-${mail.state}">${STATE_WORDS[mail.state]}</span>`],
    ['Error', mail.last_error],
    ['Written', at(mail.created_at)],
    ['Sent', at(mail.sent_at)],
    ['Tries', mail.last_tried_at && html`${count(mail.tries)}, the last ${at(mail.last_tried_at)}`],
    ['Next try', at(mail.next_try_at)],
    ['Message-ID', mail.message_id && html`<code>${mail.message_id}</code>`],
    [
      'Attached',
      mail.attachments.length > 0 &&
        html`${mail.attachments.map((file, i) => html`<a href="/api/emails/${mail.id}/attachments/${i + 1}" download>${file.file_name}</a> <span class="note">${size(file.bytes)}</span> `)}`,
    ],
  ];
  return html`<dl class="mail-facts">${rows.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function retry({ state }: StoredMail, isSetUp: boolean, address: string, csrf: SafeHtml): SafeHtml | false {
  if (state === 'kept' && !isSetUp)
    return html`<p class="note">It was sent to nobody, because there is no mail server. Set <code>SMTP_URL</code>, and it can be sent from here.</p>`;
  if (!isSetUp || (state !== 'failed' && state !== 'kept')) return false;
  return html`<form method="post" action="${address}/retry">${csrf}<button>${state === 'failed' ? 'Send it again' : 'Send it now'}</button></form>`;
}
