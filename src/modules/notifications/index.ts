import { build, sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Mail } from '../accounts/index.ts';
import { compose } from './templates.ts';

/** What the texts of messages are encrypted for. */
export const MAILBOX = 'mailbox';

/** Messages to people. They are written into the mailbox table, in the transaction of what they tell of. */
export type Notifications = {
  sendMail(tx: Tx, mail: Mail): Promise<void>;
  /** Deletes all messages to a user who is erased. */
  forgetMails(tx: Tx, userId: string): Promise<void>;
};

export function createNotifications({
  clock,
  config,
  secrets,
}: Pick<Kernel, 'clock' | 'config' | 'secrets'>): Notifications {
  return {
    async sendMail(tx, mail) {
      const { subject, text } = compose(mail, config.SHOP_NAME);
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
