import { LRUCache } from 'lru-cache';
import { findApiKey, isApiKey } from './api-keys.ts';
import type { AccountsContext } from './context.ts';
import { invalidToken } from './errors.ts';
import type { Identity } from './identity.ts';
import { KNOWN_MS } from './revocations.ts';
import { findCookieSession } from './sessions.ts';
import type { AccessTokens } from './tokens.ts';

/**
 * Who a credential belongs to. Access tokens say it themselves; cookies and API keys are looked up, and what was found
 * is believed for a minute, unless it is revoked in the meantime.
 */

type Found = { identity: Identity; until: number };

export type Identify = {
  /** By an Authorization header. Throws invalid_token. */
  byAuthorization(authorization: string): Promise<Identity>;
  /** By the value of a session cookie; null when it belongs to nobody any more. */
  byCookie(cookie: string): Promise<Identity | null>;
  /** Whether the header is known to be good, without asking anybody; false when that cannot be told at once. */
  holdsNow(authorization: string): boolean;
};

const LOOKUPS_KNOWN = 20_000;

export function createIdentify(context: AccountsContext, tokens: AccessTokens): Identify {
  const { clock, revocations } = context;
  const found = new LRUCache<string, Found>({ max: LOOKUPS_KNOWN });

  const kept = (credential: string): Identity | undefined => {
    const known = found.get(credential);
    if (!known) return undefined;
    const { identity, until } = known;
    if (until > clock.now().getTime() && revocations.holds(identity)) return identity;
    found.delete(credential);
    return undefined;
  };

  const lookUp = async (
    credential: string,
    find: () => Promise<{ identity: Identity; expires?: Date | null } | null>,
  ): Promise<Identity | null> => {
    const known = kept(credential);
    if (known) return known;
    const answer = await find();
    if (!answer) return null;
    const until = Math.min(clock.now().getTime() + KNOWN_MS, answer.expires?.getTime() ?? Infinity);
    found.set(credential, { identity: answer.identity, until });
    // It may have been revoked while the database was asked.
    return kept(credential) ?? null;
  };

  return {
    async byAuthorization(authorization) {
      const token = bearer(authorization);
      if (token === null)
        throw invalidToken('Only Authorization: Bearer <token> is understood here.', {
          headers: { 'www-authenticate': 'Bearer' },
        });
      if (!isApiKey(token)) return tokens.identify(token);
      const identity = await lookUp(`key ${token}`, () => findApiKey(context, token));
      if (!identity)
        throw invalidToken('The API key has expired, was revoked, or is none of ours.', {
          headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
        });
      return identity;
    },
    byCookie: (cookie) => lookUp(`cookie ${cookie}`, () => findCookieSession(context, cookie)),
    holdsNow(authorization) {
      const token = bearer(authorization);
      if (token === null) return false;
      return (isApiKey(token) ? kept(`key ${token}`) : tokens.known(token)) !== undefined;
    },
  };
}

/** RFC 6750, 2.1; the scheme in any case (RFC 9110, 11.1). */
function bearer(authorization: string): string | null {
  if (authorization.startsWith('Bearer ')) return authorization.slice(7).trim();
  const match = /^bearer +(\S+)$/i.exec(authorization);
  return match ? match[1]! : null;
}
