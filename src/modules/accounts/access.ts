import type { FastifyRequest } from 'fastify';
import type { Http } from '../../kernel/http/index.ts';
import type { Csrf } from './csrf.ts';
import {
  csrfFailed,
  forbidden,
  insufficientScope,
  originNotAllowed,
  secondFactorRequired,
  unauthenticated,
} from './errors.ts';
import { hasRole, type Identity, type Role, type Scope } from './identity.ts';
import { bearerProtocol } from './socket-protocol.ts';

/**
 * Who may call what. Every route of the API, and every socket, says so in its `config`, by allow(); one that does not is
 * refused when the shop starts, so nothing is public by oversight. The check stands in front of everything else that a request causes:
 * its body is neither read nor judged for who may not send it.
 */

export type Access = 'anyone' | 'user' | Exclude<Role, 'customer'>;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    scope?: Scope | undefined;
    /**
     * Its form stands on pages that are kept for everybody, and so cannot hold a token: instead, the request must say that
     * a page of this shop has sent it.
     */
    fromCachedPage?: boolean;
  }
  interface FastifyRequest {
    /** Null for whoever is not logged in. Read it by identityOf() where the route demands one. */
    identity: Identity | null;
  }
}

/**
 * A route's `config`: the least that its caller must be, and the scope that an API key must have been given. Without a
 * scope no API key is taken.
 */
export function allow(access: Access, scope?: Scope): { access: Access; scope: Scope | undefined } {
  return { access, scope };
}

/** Who asks, on a route that demands somebody. */
export function identityOf(request: FastifyRequest): Identity {
  if (!request.identity) throw new Error(`${request.routeOptions.url} asks who calls, but does not demand to know.`);
  return request.identity;
}

/** Unsafe methods change something (RFC 9110, 9.2.1); only they can be forged to do harm. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

const WHO: Readonly<Record<Access, string>> = {
  anyone: 'Anyone.',
  user: 'Whoever is logged in.',
  seller: 'Sellers (for their own products) and staff.',
  staff: 'Staff.',
  superuser: 'Superusers.',
};

type Gate = {
  /** By the Authorization header; throws invalid_token. */
  identify(authorization: string): Promise<Identity>;
  /** By the cookies of a browser; null when they do not say, or no longer. */
  identifyCookie(request: FastifyRequest): Promise<Identity | null>;
  csrf: Csrf;
  /** Whether a page of this origin may open sockets, and send such forms, by the cookies of whoever looks at it. */
  isOwnOrigin(origin: string, host: string): boolean;
  /** Whether staff must have used a second factor. */
  requireStaff2fa: boolean;
};

export function installAccess(app: Http, gate: Gate): void {
  app.decorateRequest('identity', null);

  app.addHook('onRoute', (route) => {
    if (!/^\/(api|ws)\//.test(route.url) || route.method === 'HEAD') return;
    const access = route.config?.access;
    if (!access) throw new Error(`${String(route.method)} ${route.url} does not say who may call it.`);
    if (access === 'anyone') return;
    const scope = route.config?.scope;
    const schema = (route.schema ?? {}) as { description?: string };
    const who = `${WHO[access]}${scope ? ` API keys with the scope \`${scope}\`.` : ''}`;
    const security: Record<string, string[]>[] = [{ bearer: [] }, { cookie: [] }];
    route.schema = Object.assign(schema, {
      security,
      description: schema.description ? `${schema.description}\n\n${who}` : who,
    });
  });

  app.addHook('onRequest', async (request) => {
    const authorization = request.headers.authorization ?? protocolToken(request);
    if (authorization !== undefined) request.identity = asFarAsProven(await gate.identify(authorization), gate);
    else if (request.headers.cookie !== undefined) {
      const identity = await gate.identifyCookie(request);
      request.identity = identity && asFarAsProven(identity, gate);
      if (identity && isSocket(request)) demandOwnOrigin(request, gate);
      if (identity && isApi(request) && !SAFE.has(request.method)) {
        const token = request.headers['x-csrf-token'];
        if (typeof token !== 'string' || !gate.csrf.holds(request, token))
          throw csrfFailed(
            'Send the header X-CSRF-Token with the token that GET /api/auth/session answers under that name.',
          );
      }
    }
    const { access = 'anyone', scope } = request.routeOptions.config ?? {};
    if (access !== 'anyone') demandAccess(request.identity, access, scope);
  });

  // Forms carry the token as a field, so they are judged once their body is read; also those of somebody who is about to
  // log in, who could otherwise be logged in as someone else.
  app.addHook('preHandler', async (request) => {
    if (SAFE.has(request.method) || request.is404 || isApi(request)) return;
    const token = (request.body as { _csrf?: unknown } | undefined)?._csrf;
    const isOurs = request.routeOptions.config?.fromCachedPage
      ? isFromOwnPage(request, gate)
      : typeof token === 'string' && gate.csrf.holds(request, token);
    if (!isOurs)
      throw csrfFailed(
        'The form is too old, or was not sent from this shop. Go back, load the page again and send it once more.',
      );
  });
}

/**
 * Whether a page of ours has sent the form. Browsers say with every POST which page it comes from (`Origin`, Fetch standard
 * 3.2), or at least how far from here that is (`Sec-Fetch-Site`, W3C Fetch Metadata), and no page can write either. What
 * says neither is no browser of today: it is believed while it brings no cookie, so that nobody is spoken for.
 */
function isFromOwnPage({ headers, cookies, host }: FastifyRequest, gate: Gate): boolean {
  if (headers.origin !== undefined) return gate.isOwnOrigin(headers.origin, host);
  const site = headers['sec-fetch-site'];
  return site === undefined ? Object.keys(cookies).length === 0 : site === 'same-origin';
}

function isApi(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/api/') ?? false;
}

function isSocket(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/ws/') ?? false;
}

/** As an Authorization header has it: scripts of browsers can set none, but name a subprotocol. */
function protocolToken(request: FastifyRequest): string | undefined {
  if (!isSocket(request)) return undefined;
  const protocol = bearerProtocol(
    (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim()),
  );
  return protocol && `Bearer ${protocol.token}`;
}

/**
 * Browsers let any page open a socket to anywhere and send the cookies along, but say which page it is (RFC 6455, 10.2).
 */
function demandOwnOrigin(request: FastifyRequest, gate: Gate): void {
  const { origin } = request.headers;
  // Every browser sends one with a socket (RFC 6455, 4.1); who sends none is no page that could be made to.
  if (origin === undefined || gate.isOwnOrigin(origin, request.host)) return;
  throw originNotAllowed(
    'By a cookie, sockets are opened from this shop’s own pages, and from those of CORS_ORIGINS. Send an access token instead.',
  );
}

/** Staff who have yet to use the second factor that the shop asks of them are customers until they do, everywhere. */
function asFarAsProven(identity: Identity, { requireStaff2fa }: Gate): Identity {
  const isProven = identity.secondFactor || identity.scopes !== null || !hasRole(identity, 'staff');
  return !requireStaff2fa || isProven ? identity : { ...identity, role: 'customer', awaitsSecondFactor: true };
}

/**
 * Refuses whoever is less than that; for routes that are open to anyone and tell some more than others. Throws
 * unauthenticated, forbidden, second_factor_required, insufficient_scope.
 */
export function demandAccess(
  identity: Identity | null,
  access: Exclude<Access, 'anyone'>,
  scope: Scope | undefined,
): void {
  if (!identity)
    throw unauthenticated('Log in, or send an access token or API key as Authorization: Bearer …', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  if (access !== 'user' && !hasRole(identity, access)) {
    if (identity.awaitsSecondFactor)
      throw secondFactorRequired(
        'This shop asks its staff for a second factor. Set one up in your profile, then log in with it.',
      );
    throw forbidden(`This is for: ${WHO[access].toLowerCase()}`);
  }
  if (identity.scopes !== null && (scope === undefined || !identity.scopes.includes(scope)))
    throw insufficientScope(
      scope === undefined ? 'This is for people: no API key can do it.' : `The API key lacks the scope ${scope}.`,
    );
}
