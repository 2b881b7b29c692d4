import { setTimeout as sleep } from 'node:timers/promises';
import { prepare, sql } from '../../kernel/db.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { hashToken } from '../../kernel/secrets.ts';
import type { AccountsContext } from './context.ts';
import { forgiveAttempts } from './lockout.ts';
import { countMail } from './mail-limit.ts';
import { HOURS_VALID, linkExpired, makeToken, useToken } from './one-time-tokens.ts';
import { hashPassword, judgePassword } from './passwords.ts';
import { dropSecondFactor } from './second-factor.ts';
import { revokeSessionsOf } from './sessions.ts';

/** A new password for whoever can read the account's mail. */

const MAILS_AN_HOUR = 3;

const BY_EMAIL = prepare<{ id: string; email: string }>(
  'select id, email from users where lower(email) = lower($1) and disabled_at is null and erased_at is null for share',
);
const NOTHING = prepare('select 1');
/** Of makeToken and sendMail together. */
const STATEMENTS_OF_A_MAIL = 3;

/** A hundred times what it takes to send one. */
const ANSWERED_AFTER_MS = 100;

/**
 * Mails a link to set a new password, if there is an account with this address that may be used. Whoever asks learns
 * nothing, also not by the time that it takes: for any other address as many statements run, in a transaction that
 * writes too, and as that still takes less (0.5 ms against 1.0 ms, with the database on the same machine), the answer
 * comes after a fixed time. After three mails in an hour nothing more is sent, in silence.
 */
export async function forgotPassword(context: AccountsContext, email: string): Promise<void> {
  await Promise.all([mailLink(context, email.trim()), sleep(ANSWERED_AFTER_MS)]);
}

async function mailLink(context: AccountsContext, email: string): Promise<void> {
  const { db, publicUrl } = context;
  await db.transaction(async (tx) => {
    const name = `forgotten password ${email.toLowerCase()}`;
    const wait = await countMail(context, tx, { name, most: MAILS_AN_HOUR });
    const user = await tx.maybe(BY_EMAIL([email]));
    if (!user || wait !== null) {
      for (let i = 0; i < STATEMENTS_OF_A_MAIL; i++) await tx.run(NOTHING([]));
      return;
    }
    const to = { userId: user.id, email: user.email };
    const token = await makeToken(context, tx, { ...to, purpose: 'reset_password' });
    await context.sendMail(tx, {
      template: 'reset_password',
      to,
      data: { url: `${publicUrl}/password/reset?token=${token}`, hours: HOURS_VALID.reset_password },
    });
  });
}

type Holder = { username: string; email: string };

const HOLDER = prepare<Holder>(
  `select u.username, u.email from one_time_tokens t join users u on u.id = t.user_id
   where t.hash = $1 and t.purpose = 'reset_password' and t.expires_at > $2`,
);

/**
 * Sets a new password by the token of a mailed link, and ends every session: whoever had got in is out. The mail having
 * arrived, its address is proved too. It logs nobody in: a second factor is still due, but for one that was set up before
 * any address of the account was proved, which may be a stranger's. Where it comes `from`, no earlier guesses keep the
 * user out any more. Throws link_expired, and validation_failed for a weak password, which leaves the link as good as it was.
 */
export async function resetPassword(
  context: AccountsContext,
  { token, password }: { token: string; password: string },
  from: { address: string; devices: ReadonlyMap<string, string> },
): Promise<{ userId: string }> {
  const { db, events, clock, revocations, publicUrl } = context;
  const holder = await db.maybe(HOLDER([hashToken(token), clock.now()]));
  if (!holder) throw noLongerValid();
  const weak = judgePassword(password, [holder.username, holder.email]);
  if (weak) throw validationFailed('The password is not good enough.', { errors: [weak] });
  const passwordHash = await hashPassword(password);
  const userId = await db.transaction(async (tx) => {
    const to = await useToken(context, tx, token, 'reset_password');
    const isFirstProof = await tx.maybe(
      sql('select from users where id = $1 and not email_ever_verified and otp_confirmed_at is not null', [to.userId]),
    );
    const changed = await tx.run(
      sql(
        `update users set password_hash = $2, email_verified_at = coalesce(email_verified_at, $4), updated_at = $4,
           email_ever_verified = true
         where id = $1 and lower(email) = lower($3) and disabled_at is null and erased_at is null`,
        [to.userId, passwordHash, to.email, clock.now()],
      ),
    );
    if (changed === 0) throw noLongerValid();
    if (isFirstProof) await dropSecondFactor(context, tx, to);
    const device = from.devices.get(to.userId) ?? null;
    await forgiveAttempts(context, tx, { userId: to.userId, address: from.address, device });
    await tx.run(sql('delete from one_time_tokens where user_id = $1', [to.userId]));
    await revokeSessionsOf(tx, to.userId);
    await events.append(tx, {
      type: 'user.password_reset',
      subject: { type: 'user', id: to.userId },
      actorId: to.userId,
      changes: isFirstProof ? { second_factor: { from: true, to: false } } : {},
      userId: to.userId,
    });
    await context.sendMail(tx, { template: 'password_changed', to, data: { url: `${publicUrl}/password/forgot` } });
    return to.userId;
  });
  await Promise.all([revocations.spread(), events.flush()]);
  return { userId };
}

const noLongerValid = () =>
  linkExpired('This link was used before, has expired, or was replaced by a newer one. Ask for another.');
