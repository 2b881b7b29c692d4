import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/**
 * Where a request comes from. Of the addresses in X-Forwarded-For only those that trusted proxies wrote are believed,
 * counted from the right: the ones on the left are whatever the client sent.
 */
export function addressOf(request: IncomingMessage, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0) return peer;
  const forwarded = request.headers['x-forwarded-for'];
  const hops = [forwarded ?? []].flat().join(',').split(',');
  return bareAddress(hops.at(-trustedProxies) ?? '') || bareAddress(hops[0] ?? '') || peer;
}

/** The address without the port and the brackets that some proxies write: `1.2.3.4:5678`, `[2001:db8::1]:443`. */
export function bareAddress(text: string): string {
  if (isIP(text)) return text;
  const [, bare] = /^\s*\[([^\]]*)\](?::\d*)?\s*$/.exec(text) ?? /^\s*([\d.]+):\d*\s*$/.exec(text) ?? [];
  return bare ?? text.trim();
}

/** Makes X-Forwarded-For hold bare addresses, so that Fastify's `request.ip` is one too. */
export function bareForwarded(request: IncomingMessage): void {
  const forwarded = request.headers['x-forwarded-for'];
  if (typeof forwarded === 'string' && forwarded.includes(':'))
    request.headers['x-forwarded-for'] = forwarded.split(',').map(bareAddress).join(', ');
}

/** Whoever has an IPv6 address has 64 bits of it to choose from, so what is counted by address goes by its network. */
export function networkOf(text: string): string {
  const address = bareAddress(text);
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = '', tail = ''] = address.split('::');
  const front = head.split(':').filter(Boolean);
  const back = address.includes('::') ? tail.split(':').filter(Boolean) : [];
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
