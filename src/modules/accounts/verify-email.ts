import { sql } from '../../kernel/db.ts';
import { tooManyRequests } from '../../kernel/http/index.ts';
import type { AccountsContext } from './context.ts';
import { emailVerified, userNotFound } from './errors.ts';
import { countMail, countMailTo } from './mail-limit.ts';
import { linkExpired, useToken } from './one-time-tokens.ts';
import { askToVerify } from './register.ts';

const MAILS_AN_HOUR = 3;

/** Proves an address by the token that was mailed to it. Throws link_expired. */
export async function verifyEmail(context: AccountsContext, token: string): Promise<{ userId: string; email: string }> {
  const { db, events, clock } = context;
  const proved = await db.transaction(async (tx) => {
    const { userId, email } = await useToken(context, tx, token, 'verify_email');
    const user = await tx.maybe(
      sql<{ email: string }>(
        `update users set email_verified_at = coalesce(email_verified_at, $3), email_ever_verified = true, updated_at = $3
         where id = $1 and lower(email) = lower($2) and erased_at is null returning email`,
        [userId, email, clock.now()],
      ),
    );
    if (!user) throw linkExpired('This link was sent to an address that your account has no longer.');
    await events.append(tx, {
      type: 'user.email_verified',
      subject: { type: 'user', id: userId },
      actorId: userId,
      userId,
    });
    return { userId, email: user.email };
  });
  await events.flush();
  return proved;
}

/** Mails another link, which replaces the one before. Throws email_verified, and too_many_requests after three an hour. */
export async function resendVerification(context: AccountsContext, userId: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    // Held, so that an account which is being erased is either gone by now or takes this link with it.
    const user = await tx.maybe(
      sql<{ email: string; verified: boolean }>(
        `select email, email_verified_at is not null as verified from users
         where id = $1 and erased_at is null for share`,
        [userId],
      ),
    );
    if (!user) throw userNotFound('This account has been erased.');
    if (user.verified) throw emailVerified('Your e-mail address is confirmed already; there is nothing to do.');
    const wait = await countMail(context, tx, { name: `verify e-mail ${userId}`, most: MAILS_AN_HOUR });
    if (wait !== null)
      throw tooManyRequests(
        `The link was sent ${MAILS_AN_HOUR} times within an hour. Look among unwanted mail, or try again in ${Math.ceil(wait / 60)} minutes.`,
        { headers: { 'retry-after': String(wait) } },
      );
    await countMailTo(context, tx, user.email);
    await askToVerify(context, tx, { userId, email: user.email });
  });
}
