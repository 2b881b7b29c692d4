import type { FastifyRequest } from 'fastify';
import { createCookies } from '../../kernel/http/cookies.ts';
import type { Http } from '../../kernel/http/index.ts';
import type { Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { installAccess } from './access.ts';
import { type Browser, createBrowser } from './browser.ts';
import type { AccountsContext } from './context.ts';
import { type Csrf, createCsrf } from './csrf.ts';
import { createIdentify, type Identify } from './identify.ts';
import { createOwnOrigins } from './own-origins.ts';
import { createRevocations } from './revocations.ts';
import { tidyAccounts } from './tidy.ts';
import { type AccessTokens, createAccessTokens } from './tokens.ts';

export { allow, demandAccess, identityOf } from './access.ts';
export { changePassword } from './change-password.ts';
export type { AccountMail, AccountMailData, Recipient } from './context.ts';
export { describeDevice } from './device.ts';
export { endedIdentities } from './ended-identities.ts';
export { eraseAccount } from './erase-account.ts';
export { forbidden } from './errors.ts';
export { type Actor, hasRole, type Identity, ROLES, type Role, SCOPES } from './identity.ts';
export {
  LOG_INS,
  MAILS_ASKED_FOR,
  NEW_PASSWORDS,
  OTP_CODES,
  OWN_ACCOUNT,
  PASSWORD_RESETS,
  REGISTRATIONS,
} from './limits.ts';
export { beginLogIn, finishLogIn, logInPending } from './log-in-ticket.ts';
export { changeNotificationSettings, readNotificationSettings } from './notification-settings.ts';
export { forgotPassword, resetPassword } from './password-reset.ts';
export { judgePassword } from './passwords.ts';
export { changeProfile, isCountry, type Profile, readProfile } from './profile.ts';
export { recipientFor, staffWanting, superusers } from './recipients.ts';
export { createUser, register } from './register.ts';
export { Address, Line } from './schemas.ts';
export {
  confirmSecondFactor,
  disableSecondFactor,
  enrollSecondFactor,
  newRecoveryCodes,
  pendingEnrolment,
  secondFactorState,
} from './second-factor.ts';
export { endOtherSessions, endOwnSession, listSessions, readSessionUser, type SessionRow } from './sessions.ts';
export { chooseProtocol } from './socket-protocol.ts';
export { type FirstSuperuser, hasSuperuser, makeFirstSuperuser } from './superusers.ts';
export { usernamesOf } from './usernames.ts';
export { resendVerification, verifyEmail } from './verify-email.ts';

/** Identity: users, sessions, roles, API keys. Its use cases take this as their first argument. */
export type Accounts = AccountsContext & {
  readonly tokens: AccessTokens;
  readonly identify: Identify;
  readonly browser: Browser;
  readonly csrf: Csrf;
  readonly jobs: readonly Job<never>[];
  /** Makes every route demand who it says may call it; to be called before the routes are registered. */
  guard(http: Http): void;
  start(): Promise<void>;
  stop(): void;
};

export function createAccounts(
  kernel: Pick<Kernel, 'db' | 'bus' | 'events' | 'clock' | 'secrets' | 'config' | 'log'>,
  {
    sendMail,
    forget,
    loggedIn,
    loggedOut,
    publicUrl,
  }: Pick<AccountsContext, 'sendMail' | 'forget' | 'loggedIn' | 'loggedOut' | 'publicUrl'>,
): Accounts {
  const { db, events, clock, secrets, config } = kernel;
  const revocations = createRevocations(kernel);
  const context: AccountsContext = {
    db,
    events,
    clock,
    secrets,
    config,
    revocations,
    sendMail,
    forget,
    loggedIn,
    loggedOut,
    publicUrl,
  };
  const tokens = createAccessTokens(kernel, revocations);
  const identify = createIdentify(context, tokens);
  const cookies = createCookies(publicUrl);
  const browser = createBrowser(context, cookies);
  const csrf = createCsrf(secrets, cookies);
  const identifyCookie = async (request: FastifyRequest) => {
    const cookie = browser.cookie(request);
    return cookie === undefined ? null : identify.byCookie(cookie);
  };
  return {
    ...context,
    tokens,
    identify,
    browser,
    csrf,
    jobs: [tidyAccounts(context)],
    guard: (http) =>
      installAccess(http, {
        identify: identify.byAuthorization,
        identifyCookie,
        csrf,
        isOwnOrigin: createOwnOrigins(publicUrl, config.CORS_ORIGINS),
        requireStaff2fa: config.REQUIRE_STAFF_2FA,
      }),
    start: revocations.start,
    stop: revocations.stop,
  };
}
