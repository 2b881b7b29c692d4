import type { Readable } from 'node:stream';
import { sql } from '../../kernel/db.ts';
import { defineError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type Page, type Paging, readPage } from '../../kernel/paging.ts';
import type { Delivery } from './deliver-mail.ts';

/** What was written to whom, and how far it has come: for superusers. */

/** What the texts of messages are encrypted for. */
export const MAILBOX = 'mailbox';

export const MAIL_STATES = ['queued', 'sending', 'sent', 'failed', 'kept'] as const;
export type MailState = (typeof MAIL_STATES)[number];

export const emailNotFound = defineError('email_not_found', 404, 'E-mail not found');
const attachmentNotFound = defineError('attachment_not_found', 404, 'Attachment not found');

export type Mailbox = Pick<Kernel, 'db' | 'secrets' | 'blobs' | 'events'> & { readonly delivery: Delivery };

/** An element of the column `attachments`. */
export type StoredAttachment = { file_name: string; content_type: string; blob_key: string; bytes: number };

export type MailSummary = {
  id: string;
  template: string;
  to: string;
  subject: string;
  state: MailState;
  tries: number;
  last_error: string | null;
  last_tried_at: Date | null;
  next_try_at: Date | null;
  sent_at: Date | null;
  created_at: Date;
};

export type StoredMail = MailSummary & {
  message_id: string | null;
  text: string;
  /** Null when it was written before there was HTML. */
  html: string | null;
  attachments: StoredAttachment[];
};

export type MailFilter = { state?: MailState; template?: string; to?: string };

const COLUMNS =
  'e.id, e.template, e.recipient as "to", e.subject, e.state, e.tries, e.last_error, e.last_tried_at, ' +
  // While somebody is sending it, this is the end of their lease.
  "case when e.state = 'queued' then e.next_try_at end as next_try_at, e.sent_at, e.created_at";

/** The newest first. Throws page_too_deep and invalid_cursor. */
export function listMails({ db }: Mailbox, query: Paging & MailFilter): Promise<Page<MailSummary>> {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (condition: (place: string) => string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  add((place) => `e.state = ${place}`, query.state);
  add((place) => `e.template = ${place}`, query.template);
  add((place) => `lower(e.recipient) = lower(${place})`, query.to);
  return readPage(db, { columns: COLUMNS, from: 'emails e', id: 'e.id', where, values }, query);
}

/**
 * A message as people may read it. The links in it that let their reader into an account are shown only where the mailbox
 * is all the delivery there is: once a message has gone out they are their recipient's, and no other superuser's. Throws
 * email_not_found.
 */
export async function readMail({ db, secrets }: Mailbox, id: string): Promise<StoredMail> {
  const row = await db.maybe(
    sql<Omit<StoredMail, 'text' | 'html'> & { body: Buffer; html: Buffer | null }>(
      `select ${COLUMNS}, e.message_id, e.body, e.html, e.attachments from emails e where e.id = $1`,
      [id],
    ),
  );
  if (!row) throw emailNotFound('There is no e-mail with this id.');
  const { body, html, ...mail } = row;
  const read = (encrypted: Buffer) => {
    const text = secrets.decrypt(MAILBOX, encrypted);
    return mail.state === 'kept' ? text : withoutTokens(text);
  };
  return { ...mail, text: read(body), html: html && read(html) };
}

/** A text or HTML without what lets its reader into an account. */
export function withoutTokens(text: string): string {
  return text.replace(/([?&;]token=)[\w-]+/g, '$1…');
}

/** The n-th attachment, from 1 on. Throws email_not_found and attachment_not_found. */
export async function openAttachment(
  { db, blobs }: Mailbox,
  id: string,
  n: number,
): Promise<StoredAttachment & { stream: Readable }> {
  const row = await db.maybe(
    sql<{ attachments: StoredAttachment[] }>('select attachments from emails where id = $1', [id]),
  );
  if (!row) throw emailNotFound('There is no e-mail with this id.');
  const attachment = row.attachments[n - 1];
  const blob = attachment && (await blobs.get(attachment.blob_key));
  if (!blob) throw attachmentNotFound('The e-mail has no such attachment, or its file is gone.');
  return { ...attachment, bytes: blob.bytes, stream: blob.stream };
}
