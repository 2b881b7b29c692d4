import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Cookies that scripts cannot read and other sites cannot use. Behind HTTPS their names begin with `__Host-`, which
 * browsers keep for cookies that this very host has set over it (RFC 6265bis, 4.1.3.2).
 */
export type Cookies = {
  read(request: FastifyRequest, name: string): string | undefined;
  /** Without `maxAge` (seconds) it lasts until the browser is closed. */
  set(reply: FastifyReply, name: string, value: string, options?: { maxAge?: number }): void;
  clear(reply: FastifyReply, name: string): void;
};

/** `publicUrl` says whether the world calls this shop over HTTPS, whoever it is that ends it. */
export function createCookies(publicUrl: string): Cookies {
  const secure = publicUrl.startsWith('https:');
  const full = (name: string) => (secure ? `__Host-vitrine_${name}` : `vitrine_${name}`);
  const base = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  return {
    read: (request, name) => request.cookies[full(name)],
    set: (reply, name, value, { maxAge } = {}) =>
      void reply.setCookie(full(name), value, { ...base, ...(maxAge === undefined ? {} : { maxAge }) }),
    clear: (reply, name) => void reply.clearCookie(full(name), base),
  };
}
