import type { Tx } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Revocations } from './revocations.ts';

/** A message to one person, by the template that words it. */
export type Mail = {
  template: MailTemplate;
  to: { userId: string; email: string };
  /** What the template fills in. */
  data: Record<string, string>;
};

export type MailTemplate =
  | 'verify_email'
  | 'reset_password'
  | 'password_changed'
  | 'email_changed'
  | 'second_factor_on'
  | 'second_factor_off';

/** What the use cases of accounts work with. */
export type AccountsContext = Pick<Kernel, 'db' | 'events' | 'clock' | 'secrets' | 'config'> & {
  readonly revocations: Revocations;
  /** Puts a message into the mailbox, in the transaction of what it tells of. */
  readonly sendMail: (tx: Tx, mail: Mail) => Promise<void>;
  /** Deletes every message to somebody who is erased, in that transaction. */
  readonly forgetMails: (tx: Tx, userId: string) => Promise<void>;
  /** How the world calls the shop, for links in messages. */
  readonly publicUrl: string;
};
