import { createSigner, createVerifier } from 'fast-jwt';
import { LRUCache } from 'lru-cache';
import type { Kernel } from '../../kernel/kernel.ts';
import { invalidToken } from './errors.ts';
import type { Identity, Role } from './identity.ts';
import { ACCESS_SECONDS, type Revocations } from './revocations.ts';

/**
 * Access tokens: JWTs (RFC 7519) signed by HMAC-SHA-256, believed for a quarter of an hour unless revoked. They are
 * opaque to clients. A signature is checked once; after that the token is looked up, which is what lets a cached answer
 * cost a caller with a token hardly more than one without (ADR 6).
 */

type Claims = { sub: string; sid: string; role: Role; ep: number; mfa: boolean; exp: number };
type Known = { identity: Identity; expires: number };

export type AccessTokens = {
  /** For a session of a user whose role and epoch are these now. */
  issue(to: { userId: string; sessionId: string; role: Role; epoch: number; secondFactor: boolean }): string;
  /** Throws invalid_token. */
  identify(token: string): Identity;
  /** The same for a token that was seen before; undefined for any other. Never throws. */
  known(token: string): Identity | undefined;
};

/** Distinct tokens remembered; each takes about a kilobyte. */
const TOKENS_KNOWN = 20_000;

export function createAccessTokens(
  { secrets, clock }: Pick<Kernel, 'secrets' | 'clock'>,
  revocations: Revocations,
): AccessTokens {
  const key = secrets.key('access tokens');
  const sign = createSigner({ key, algorithm: 'HS256', noTimestamp: true });
  // Expiry is judged by this program's clock, below.
  const verify = createVerifier({ key, algorithms: ['HS256'], ignoreExpiration: true });
  const seen = new LRUCache<string, Known>({ max: TOKENS_KNOWN });

  const holds = ({ identity, expires }: Known): boolean =>
    expires > clock.now().getTime() && revocations.holds(identity);

  return {
    issue({ userId, sessionId, role, epoch, secondFactor }) {
      const exp = Math.floor(clock.now().getTime() / 1_000) + ACCESS_SECONDS;
      return sign({ sub: userId, sid: sessionId, role, ep: epoch, mfa: secondFactor, exp } satisfies Claims);
    },
    identify(token) {
      const known = seen.get(token) ?? read(verify, token);
      if (!known || !holds(known)) {
        seen.delete(token);
        throw invalidToken(
          'The access token has expired, was revoked, or is none of ours. Refresh it, or log in again.',
          {
            headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          },
        );
      }
      seen.set(token, known);
      return known.identity;
    },
    known(token) {
      const known = seen.get(token);
      return known && holds(known) ? known.identity : undefined;
    },
  };
}

function read(verify: (token: string) => unknown, token: string): Known | null {
  let claims: Claims;
  try {
    claims = verify(token) as Claims;
  } catch {
    return null;
  }
  const { sub, sid, role, ep, mfa, exp } = claims;
  const identity = { userId: sub, role, sessionId: sid, apiKeyId: null, scopes: null, secondFactor: mfa, epoch: ep };
  return { identity, expires: exp * 1_000 };
}
