import { build, sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Mail } from './mails.ts';
import { wordsOf } from './templates/index.ts';

/** What the texts of messages are encrypted for. */
export const MAILBOX = 'mailbox';

/** Messages to people. They are written into the mailbox table, in the transaction of what they tell of. */
export type Notifications = {
  readonly jobs: readonly Job<never>[];
  sendMail(tx: Tx, mail: Mail): Promise<void>;
  /** Deletes all messages to a user who is erased. */
  forgetMails(tx: Tx, userId: string): Promise<void>;
};

export function createNotifications(
  { clock, config, secrets }: Kernel,
  { publicUrl }: { publicUrl: string },
): Notifications {
  const letterhead = { shop: config.SHOP_NAME, publicUrl, timeZone: config.TIME_ZONE, currency: config.CURRENCY };
  return {
    jobs: [],
    async sendMail(tx, mail) {
      const { subject, blocks } = wordsOf(mail, letterhead);
      const text = blocks
        .map((block) => (typeof block === 'string' ? block : 'button' in block ? block.button.url : ''))
        .join('\n\n');
      await tx.run(
        build.insertInto('emails').values({
          id: newId(),
          template: mail.template,
          recipient_id: mail.to.userId,
          recipient: mail.to.email,
          subject,
          body: secrets.encrypt(MAILBOX, text),
          created_at: clock.now(),
        }),
      );
    },
    async forgetMails(tx, userId) {
      await tx.run(sql('delete from emails where recipient_id = $1', [userId]));
    },
  };
}
