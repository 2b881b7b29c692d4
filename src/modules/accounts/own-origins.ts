/**
 * Whether an `Origin` is one of this shop's own: that of the address that the world calls it by, of the host that the
 * request itself named, or one of CORS_ORIGINS. By the request's host no page over plain HTTP counts where the shop is
 * called over HTTPS: anybody on the way could have written it.
 */
export function createOwnOrigins(
  publicUrl: string,
  others: readonly string[],
): (origin: string, host: string) => boolean {
  const known = new Set([publicUrl, ...others].flatMap((url) => (URL.canParse(url) ? new URL(url).origin : [])));
  const isSecure = publicUrl.startsWith('https:');
  return (origin, host) => {
    if (known.has(origin)) return true;
    if (!URL.canParse(origin)) return false;
    const { protocol, host: itsHost } = new URL(origin);
    return protocol === 'https:' || (protocol === 'http:' && !isSecure) ? itsHost === host.toLowerCase() : false;
  };
}
