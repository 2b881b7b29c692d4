import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Cookies that other sites cannot use, nor scripts read unless they are meant to. Behind HTTPS their names begin with
 * `__Host-`, which browsers keep for cookies that this very host has set over it (RFC 6265bis, 4.1.3.2).
 */
export type Cookies = {
  read(request: FastifyRequest, name: string): string | undefined;
  /** Without `maxAge` (seconds) it lasts until the browser is closed; `forScripts` may be read by the shop's own. */
  set(
    reply: FastifyReply,
    name: string,
    value: string,
    options?: { maxAge?: number | undefined; forScripts?: boolean },
  ): void;
  clear(reply: FastifyReply, name: string): void;
};

/** `publicUrl` says whether the world calls this shop over HTTPS, whoever it is that ends it. */
export function createCookies(publicUrl: string): Cookies {
  const secure = publicUrl.startsWith('https:');
  const full = (name: string) => (secure ? `__Host-vitrine_${name}` : `vitrine_${name}`);
  const base = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  return {
    read: (request, name) => request.cookies[full(name)],
    set: (reply, name, value, { maxAge, forScripts = false } = {}) =>
      void reply.setCookie(full(name), value, {
        ...base,
        httpOnly: !forScripts,
        ...(maxAge === undefined ? {} : { maxAge }),
      }),
    clear: (reply, name) => void reply.clearCookie(full(name), base),
  };
}
