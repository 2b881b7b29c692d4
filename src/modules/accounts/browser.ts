import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Cookies } from '../../kernel/http/cookies.ts';
import type { AccountsContext } from './context.ts';
import { type Credentials, checkCredentials } from './log-in.ts';
import { endSession, type Origin, SESSION_SECONDS, type SessionUser, startCookieSession } from './sessions.ts';

/** Logging in and out in a browser: by cookies, which only this file names. */

const SESSION = 'session';
const DEVICE = 'device';
const DEVICE_SECONDS = 365 * 86_400;
/** Accounts that one browser is known for. */
const MAX_ACCOUNTS = 5;

export type Browser = {
  /** The value of the session cookie, if there is one. */
  cookie(request: FastifyRequest): string | undefined;
  /** The users that this browser is known to be one of, each with the mark that it is known by. */
  devices(request: FastifyRequest): ReadonlyMap<string, string>;
  /** Throws what checkCredentials does. */
  logIn(request: FastifyRequest, reply: FastifyReply, credentials: Credentials): Promise<{ userId: string }>;
  /** Logs a user in who has just proved who they are by other means, such as a link from a mail. */
  begin(request: FastifyRequest, reply: FastifyReply, user: SessionUser, secondFactor: boolean): Promise<void>;
  logOut(request: FastifyRequest, reply: FastifyReply): Promise<void>;
};

export function originOf(request: FastifyRequest): Origin {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
}

export function createBrowser(context: AccountsContext, cookies: Cookies): Browser {
  // Each browser has a mark of its own, `<user id>.<chance>.<keyed hash>`: one that is stolen can be guessed with no more
  // often than any other.
  const sealed = (mark: string) => `${mark}.${context.secrets.hash('known device', mark).toString('base64url')}`;
  const marksOf = (request: FastifyRequest): Map<string, string> => {
    const marks = new Map<string, string>();
    for (const given of (cookies.read(request, DEVICE) ?? '').split('~', MAX_ACCOUNTS)) {
      const mark = given.slice(0, Math.max(0, given.lastIndexOf('.')));
      const right = Buffer.from(sealed(mark));
      const shown = Buffer.from(given);
      if (right.length === shown.length && timingSafeEqual(right, shown)) marks.set(mark.split('.', 1)[0]!, mark);
    }
    return marks;
  };

  const begin: Browser['begin'] = async (request, reply, user, secondFactor) => {
    // Whoever logs in anew leaves the session before, which nobody else may then go on with.
    if (request.identity?.sessionId) await endSession(context, request.identity.sessionId);
    const session = { origin: originOf(request), secondFactor };
    const cookie = await context.db.transaction((tx) => startCookieSession(context, tx, user, session));
    cookies.set(reply, SESSION, cookie, { maxAge: SESSION_SECONDS });
    const { [user.id]: mine, ...others } = Object.fromEntries(marksOf(request));
    const marks = [mine ?? `${user.id}.${randomBytes(12).toString('base64url')}`, ...Object.values(others)];
    cookies.set(reply, DEVICE, marks.slice(0, MAX_ACCOUNTS).map(sealed).join('~'), { maxAge: DEVICE_SECONDS });
    await context.loggedIn(request, reply, user.id);
  };

  return {
    cookie: (request) => cookies.read(request, SESSION),
    devices: marksOf,
    async logIn(request, reply, credentials) {
      const { user, secondFactor } = await checkCredentials(context, credentials, {
        ...originOf(request),
        devices: marksOf(request),
      });
      await begin(request, reply, user, secondFactor);
      return { userId: user.id };
    },
    begin,
    async logOut(request, reply) {
      if (request.identity?.sessionId) await endSession(context, request.identity.sessionId);
      cookies.clear(reply, SESSION);
      context.loggedOut(reply);
    },
  };
}
