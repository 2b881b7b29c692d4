import { sql } from '../../kernel/db.ts';
import { defineError } from '../../kernel/errors.ts';
import type { Actor } from '../accounts/index.ts';
import { emailNotFound, type Mailbox, type MailState } from './mailbox.ts';

const emailNotRetryable = defineError('email_not_retryable', 409, 'The e-mail cannot be sent again');
const mailNotSetUp = defineError('mail_not_set_up', 409, 'There is no mail server');

const WHY_NOT: Readonly<Record<Exclude<MailState, 'failed' | 'kept'>, string>> = {
  sent: 'The e-mail was sent already.',
  sending: 'The e-mail is being sent just now.',
  queued: 'The e-mail is about to be sent.',
};

/**
 * Queues a message once more that has failed, or was kept because there was no mail server, and lets one that waits for its
 * next try wait no longer; it keeps its Message-ID.
 * Throws email_not_found, email_not_retryable, mail_not_set_up.
 */
export async function retryMail({ db, events, delivery }: Mailbox, actor: Actor, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const mail = await tx.maybe(
      sql<{ state: MailState; tries: number; template: string }>(
        'select state, tries, template from emails where id = $1 for update',
        [id],
      ),
    );
    if (!mail) throw emailNotFound('There is no e-mail with this id.');
    const waits = mail.state === 'queued' && mail.tries > 0;
    if (mail.state !== 'failed' && mail.state !== 'kept' && !waits) throw emailNotRetryable(WHY_NOT[mail.state]);
    if (!delivery.isSetUp)
      throw mailNotSetUp('SMTP_URL is not set, so nothing can be sent. Set it, start the shop again, and retry.');
    await tx.run(
      sql("update emails set state = 'queued', tries = 0, next_try_at = now(), last_error = null where id = $1", [id]),
    );
    await events.append(tx, {
      type: 'email.retried',
      subject: { type: 'email', id },
      actorId: actor.userId,
      changes: waits ? {} : { state: { from: mail.state, to: 'queued' } },
      data: { template: mail.template },
    });
    tx.afterCommit(() => delivery.hasten(id));
  });
  await events.flush();
}
