/**
 * The subprotocols of sockets (RFC 6455, 1.9): `vitrine`, which says nothing, and `bearer.<token>`, which carries what
 * scripts of browsers cannot send as a header. A browser wants one of those that it offered back; the plain one is
 * preferred, so that the token is repeated to nobody.
 */

const PLAIN = 'vitrine';
const BEARER = 'bearer.';

/** The first of the offered protocols that carries a token. */
export function bearerProtocol(offered: Iterable<string>): { name: string; token: string } | undefined {
  for (const name of offered) if (name.startsWith(BEARER)) return { name, token: name.slice(BEARER.length) };
  return undefined;
}

/** Which of the offered protocols the server answers by; false for none. */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return offered.has(PLAIN) ? PLAIN : (bearerProtocol(offered)?.name ?? false);
}
