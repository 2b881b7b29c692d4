import { prepare, sql } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import { accountDisabled, invalidCredentials, otpRequired } from './errors.ts';
import { countAttempt } from './lockout.ts';
import { verifyPassword } from './passwords.ts';
import { useSecondFactor } from './second-factor.ts';
import type { Origin, SessionUser } from './sessions.ts';

/**
 * From a name and a password to a user. For a user who is not there the same queries run and the same hashing is done, and
 * the answer is the same to the letter.
 */

export type Credentials = { login: string; password: string; otp?: string | undefined };

type UserRow = SessionUser & { has_otp: boolean; disabled: boolean };

const FIND = prepare<UserRow>(
  `select id, role, token_epoch, password_hash, otp_confirmed_at is not null as has_otp,
     disabled_at is not null as disabled
   from users where (lower(email) = lower($1) or lower(username) = lower($1)) and erased_at is null`,
);

export type LoggedIn = { user: SessionUser; secondFactor: boolean };

/**
 * Who these credentials belong to. `devices` are the accounts that the browser is known for, each with its mark. Throws
 * invalid_credentials, otp_required, account_disabled, too_many_attempts.
 */
export async function checkCredentials(
  context: AccountsContext,
  { login, password, otp }: Credentials,
  origin: Origin & { devices?: ReadonlyMap<string, string> },
): Promise<LoggedIn> {
  const { db, clock } = context;
  const name = login.trim();
  const user = await db.maybe(FIND([name]));
  const attempt = await countAttempt(context, {
    account: user?.id ?? name.toLowerCase(),
    userId: user?.id ?? null,
    address: origin.address,
    device: (user && origin.devices?.get(user.id)) ?? null,
  });
  const right = await attempt.unlessBusy(() => verifyPassword(user?.password_hash ?? null, password));
  if (!user || !right)
    throw invalidCredentials('There is no user with this name or e-mail address and this password.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  if (user.disabled)
    throw accountDisabled('This account has been disabled. Ask the shop if you think it should not be.');
  if (user.has_otp) {
    if (!otp) {
      await attempt.takeBack();
      throw otpRequired('The password is right; send the code of your authenticator app, or a recovery code, as otp.', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    if (!(await useSecondFactor(context, user.id, otp)))
      throw invalidCredentials('The code is not right, or was used already. Wait for the next one and try again.', {
        headers: { 'www-authenticate': 'Bearer' },
      });
  }
  await attempt.takeBack();
  await db.run(sql('update users set last_login_at = $2 where id = $1', [user.id, clock.now()]));
  return { user, secondFactor: user.has_otp };
}
