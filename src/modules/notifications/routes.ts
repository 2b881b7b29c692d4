import Type from 'typebox';
import type { Http } from '../../kernel/http/index.ts';
import { API_HEADERS } from '../../kernel/http/security-headers.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { attachmentHeader } from './attachment-header.ts';
import {
  listMails,
  type Mailbox,
  type MailSummary,
  openAttachment,
  readMail,
  type StoredMail,
  withoutTokens,
} from './mailbox.ts';
import { retryMail } from './retry-mail.ts';
import { AttachmentPlace, Email, EmailId, EmailPage, EmailQuery } from './schemas.ts';

const NO_STORE = { 'cache-control': 'no-store' };

/** The mailbox: what was written to whom, and what became of it. */
export function registerNotificationRoutes(app: Http, mailbox: Mailbox): void {
  const tags = ['E-mails'];
  const READ = allow('superuser', 'emails:read');

  app.get(
    '/api/emails',
    {
      schema: {
        summary: 'List e-mails, the newest first',
        tags,
        querystring: EmailQuery,
        response: { 200: EmailPage },
      },
      config: READ,
    },
    async (request, reply) => {
      const page = await listMails(mailbox, request.query);
      return reply.headers(NO_STORE).send({ ...page, items: page.items.map(present) });
    },
  );

  app.get(
    '/api/emails/:id',
    {
      schema: {
        summary: 'An e-mail with what it says',
        description:
          'Links that let their reader into an account are told without their token, unless the message was only kept, since there is no mail server, and it is a person who reads it.',
        tags,
        params: EmailId,
        response: { 200: Email },
      },
      config: READ,
    },
    async (request, reply) => {
      const mail = await readMail(mailbox, request.params.id);
      return reply.headers(NO_STORE).send(presentWhole(mail, identityOf(request).scopes === null));
    },
  );

  app.get(
    '/api/emails/:id/attachments/:n',
    {
      schema: {
        summary: 'A file that went along with an e-mail',
        tags,
        params: AttachmentPlace,
        response: {
          200: { description: 'The file.', content: { 'application/octet-stream': { schema: Type.Any() } } },
        },
      },
      config: READ,
    },
    async (request, reply) => {
      const { id, n } = request.params;
      const { file_name, content_type, bytes, stream } = await openAttachment(mailbox, id, n);
      return reply
        .headers({ ...API_HEADERS, ...NO_STORE })
        .headers({ 'content-type': content_type, 'content-length': bytes })
        .header('content-disposition', attachmentHeader(file_name))
        .send(stream);
    },
  );

  app.post(
    '/api/emails/:id/retry',
    {
      schema: {
        summary: 'Send an e-mail that failed or was kept',
        description:
          'It keeps its Message-ID. One that was sent, is being sent or waits to be is 409 `email_not_retryable`; without a mail server every one is 409 `mail_not_set_up`.',
        tags,
        params: EmailId,
        response: { 200: Email },
      },
      config: allow('superuser', 'emails:write'),
    },
    async (request, reply) => {
      const { id } = request.params;
      const identity = identityOf(request);
      await retryMail(mailbox, identity, id);
      return reply.headers(NO_STORE).send(presentWhole(await readMail(mailbox, id), identity.scopes === null));
    },
  );
}

const iso = (time: Date | null) => time?.toISOString() ?? null;

function present(mail: MailSummary) {
  return {
    ...mail,
    last_tried_at: iso(mail.last_tried_at),
    next_try_at: iso(mail.next_try_at),
    sent_at: iso(mail.sent_at),
    created_at: mail.created_at.toISOString(),
  };
}

function presentWhole(mail: StoredMail, isPerson: boolean) {
  const shown = (text: string) => (isPerson ? text : withoutTokens(text));
  return {
    ...present(mail),
    message_id: mail.message_id,
    text: shown(mail.text),
    html: mail.html === null ? null : shown(mail.html),
    attachments: mail.attachments.map(({ file_name, content_type, bytes }) => ({ file_name, content_type, bytes })),
  };
}
