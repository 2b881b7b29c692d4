import CsrfTokens from '@fastify/csrf';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Cookies } from '../../kernel/http/cookies.ts';
import type { Secrets } from '../../kernel/secrets.ts';

/**
 * Tokens that only this shop's own pages can know (OWASP, "Signed Double-Submit Cookie"): made from a secret in a cookie
 * and bound to the session, so that neither another site nor a cookie planted by a neighbouring host can make one.
 */
export type Csrf = {
  /** The token for a form or a script of whoever asks; sets the cookie that it belongs to. */
  token(request: FastifyRequest, reply: FastifyReply): string;
  holds(request: FastifyRequest, token: string): boolean;
};

const COOKIE = 'csrf';

export function createCsrf(secrets: Secrets, cookies: Cookies): Csrf {
  const tokens = new CsrfTokens.Tokens({ userInfo: true, hmacKey: secrets.key('csrf') });
  const whoAsks = (request: FastifyRequest) => request.identity?.sessionId ?? 'nobody';
  return {
    token(request, reply) {
      const known = cookies.read(request, COOKIE);
      const secret = known ?? tokens.secretSync();
      if (known === undefined) cookies.set(reply, COOKIE, secret);
      return tokens.create(secret, whoAsks(request));
    },
    holds(request, token) {
      const secret = cookies.read(request, COOKIE);
      return secret !== undefined && tokens.verify(secret, token, whoAsks(request));
    },
  };
}
