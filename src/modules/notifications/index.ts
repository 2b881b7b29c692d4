import { sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { createDelivery } from './deliver-mail.ts';
import { draw } from './draw.ts';
import { MAILBOX, type Mailbox, type StoredAttachment } from './mailbox.ts';
import type { Mail } from './mails.ts';
import { wordsOf } from './templates/index.ts';
import { deleteMails, tidyMails } from './tidy-mails.ts';
import type { Timeouts } from './transport.ts';

export {
  listMails,
  MAIL_STATES,
  MAILBOX,
  type Mailbox,
  type MailState,
  type MailSummary,
  readMail,
  type StoredMail,
} from './mailbox.ts';
export { retryMail } from './retry-mail.ts';

/**
 * Messages to people. They are written in the transaction of what they tell of, and sent after its commit; without a mail
 * server they are kept, to be read in the mailbox.
 */
export type Notifications = {
  readonly jobs: readonly Job<never>[];
  readonly mailbox: Mailbox;
  sendMail(tx: Tx, mail: Mail): Promise<void>;
  /** Deletes all messages to a user who is erased. */
  forgetMails(tx: Tx, userId: string): Promise<void>;
  stop(): Promise<void>;
};

export function createNotifications(
  kernel: Kernel,
  { publicUrl, timeouts }: { publicUrl: string; timeouts?: Timeouts },
): Notifications {
  const { db, clock, config, secrets, blobs, events } = kernel;
  const letterhead = { shop: config.SHOP_NAME, publicUrl, timeZone: config.TIME_ZONE, currency: config.CURRENCY };
  const delivery = createDelivery(kernel, { publicUrl, ...(timeouts ? { timeouts } : {}) });
  return {
    jobs: [...delivery.jobs, tidyMails(kernel)],
    mailbox: { db, secrets, blobs, events, delivery },
    async sendMail(tx, mail) {
      const { subject, text, html } = draw(wordsOf(mail, letterhead), letterhead);
      const files = 'attachments' in mail ? (mail.attachments ?? []) : [];
      const attachments = files.map(
        (file): StoredAttachment => ({
          file_name: file.fileName,
          content_type: file.contentType,
          blob_key: file.blobKey,
          bytes: file.bytes,
        }),
      );
      const id = newId();
      await tx.run(
        sql(
          `insert into emails (id, template, recipient_id, recipient, subject, body, html, attachments, created_at, state, next_try_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $10 = 'queued' then now() end)`,
          [
            id,
            mail.template,
            mail.to.userId,
            mail.to.email,
            subject,
            secrets.encrypt(MAILBOX, text),
            secrets.encrypt(MAILBOX, html),
            JSON.stringify(attachments),
            clock.now(),
            delivery.isSetUp ? 'queued' : 'kept',
          ],
        ),
      );
      if (delivery.isSetUp) tx.afterCommit(() => delivery.hasten(id));
    },
    async forgetMails(tx, userId) {
      await deleteMails(tx, 'recipient_id = $1', [userId]);
    },
    stop: delivery.stop,
  };
}
