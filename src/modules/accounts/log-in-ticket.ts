import type { FastifyReply, FastifyRequest } from 'fastify';
import { prepare, sql } from '../../kernel/db.ts';
import { createCookies } from '../../kernel/http/cookies.ts';
import type { AccountsContext } from './context.ts';
import { invalidCredentials, otpRequired } from './errors.ts';
import type { Accounts } from './index.ts';
import { countAttempt } from './lockout.ts';
import { useSecondFactor } from './second-factor.ts';
import type { SessionUser } from './sessions.ts';

/**
 * Logging in by a page in two steps. Between the password and the code of the second factor the browser holds a ticket,
 * which says that it has shown the right password: the password itself is neither kept nor sent back. The ticket alone
 * opens nothing, is good for five minutes, and dies with the password, the role or the second factor that it was given for.
 */

const COOKIE = 'log_in';
const PURPOSE = 'log-in ticket';
const SECONDS = 300;

type Ticket = { userId: string; until: number; state: string };
type StateRow = SessionUser & { state: string };

/** What a ticket is for, so that it is for nothing else once any of it changes. */
const STATE = `concat_ws(' ', password_hash, token_epoch, extract(epoch from otp_confirmed_at)) as state`;
const BY_NAME = prepare<StateRow>(
  `select id, role, token_epoch, password_hash, ${STATE} from users where (lower(email) = lower($1) or lower(username) = lower($1)) and erased_at is null`,
);
const BY_ID = prepare<StateRow>(
  `select id, role, token_epoch, password_hash, ${STATE} from users
   where id = $1 and otp_confirmed_at is not null and disabled_at is null and erased_at is null`,
);

const cookiesOf = ({ publicUrl }: Pick<AccountsContext, 'publicUrl'>) => createCookies(publicUrl);
const digest = ({ secrets }: Pick<AccountsContext, 'secrets'>, state: string) =>
  secrets.hash('log-in ticket state', state).toString('base64url');

/** Whether the password has been shown, and the code is waited for. */
export function logInPending(accounts: Accounts, request: FastifyRequest): boolean {
  return readTicket(accounts, request) !== null;
}

/**
 * The first step: logs in by the password alone, or says that the code is due, for finishLogIn to take. Throws what
 * checkCredentials does.
 */
export async function beginLogIn(
  accounts: Accounts,
  request: FastifyRequest,
  reply: FastifyReply,
  credentials: { login: string; password: string },
): Promise<{ codeIsDue: boolean }> {
  // Read before the password is checked: should it change meanwhile, the ticket is for the old one, and dead.
  const user = await accounts.db.maybe(BY_NAME([credentials.login.trim()]));
  try {
    await accounts.browser.logIn(request, reply, credentials);
    return { codeIsDue: false };
  } catch (error) {
    if ((error as { code?: unknown }).code !== otpRequired.code || !user) throw error;
    const until = accounts.clock.now().getTime() + SECONDS * 1_000;
    const ticket: Ticket = { userId: user.id, until, state: digest(accounts, user.state) };
    const value = accounts.secrets.encrypt(PURPOSE, JSON.stringify(ticket)).toString('base64url');
    cookiesOf(accounts).set(reply, COOKIE, value, { maxAge: SECONDS });
    return { codeIsDue: true };
  }
}

/**
 * The second step. Answers false when there is no ticket that still holds. Throws invalid_credentials, too_many_attempts: the
 * code is guessed at no more often than the password.
 */
export async function finishLogIn(
  accounts: Accounts,
  request: FastifyRequest,
  reply: FastifyReply,
  otp: string,
): Promise<boolean> {
  const ticket = readTicket(accounts, request);
  const user = ticket && (await accounts.db.maybe(BY_ID([ticket.userId])));
  if (!user || digest(accounts, user.state) !== ticket.state) return false;
  const attempt = await countAttempt(accounts, {
    account: user.id,
    userId: user.id,
    address: request.ip,
    device: accounts.browser.devices(request).get(user.id) ?? null,
  });
  if (!(await useSecondFactor(accounts, user.id, otp)))
    throw invalidCredentials('The code is not right, or was used already. Wait for the next one and try again.');
  await attempt.takeBack();
  await accounts.db.run(sql('update users set last_login_at = $2 where id = $1', [user.id, accounts.clock.now()]));
  await accounts.browser.begin(request, reply, user, true);
  cookiesOf(accounts).clear(reply, COOKIE);
  return true;
}

function readTicket(accounts: Accounts, request: FastifyRequest): Ticket | null {
  const value = cookiesOf(accounts).read(request, COOKIE);
  if (value === undefined) return null;
  try {
    const ticket = JSON.parse(accounts.secrets.decrypt(PURPOSE, Buffer.from(value, 'base64url'))) as Ticket;
    return ticket.until > accounts.clock.now().getTime() ? ticket : null;
  } catch {
    return null;
  }
}
