import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { AppError, defineError } from './errors.ts';

/**
 * Requests to foreign hosts that people name: feeds, images, webhooks. Nobody may use them to reach what only this
 * machine or its network can reach (OWASP, "Server-Side Request Forgery").
 *
 * An address is judged at the moment its connection is made, and the addresses that were judged are the ones connected
 * to: a name that answers differently the second time gains nothing. Addresses written as numbers never reach a
 * resolver, so they are judged by the connector itself. Redirects are followed by hand, each a new connection or one
 * that was judged when it was made.
 */
export interface Outbound {
  /**
   * Throws address_not_allowed or address_not_found (422) when the URL is none that may be asked for, as far as can be
   * told now.
   */
  check(url: string): Promise<void>;
  /**
   * GET with at most five redirects followed. The time-out is for all of it, the body included. Fails with
   * address_not_allowed, address_not_found, remote_too_large, remote_timeout or remote_failed, or the signal's reason;
   * the body's stream does so too. Any status but a redirect is answered as it came.
   */
  get(
    url: string,
    options: { maxBytes: number; timeoutMs: number; accept: string; signal?: AbortSignal },
  ): Promise<{
    status: number;
    contentType: string;
    /** The bytes as they were sent, whatever their encoding. Read it, or destroy it. */
    body: Readable;
    /** Where it came from in the end. */
    url: string;
  }>;
  /**
   * POST, answered with any status as it came: redirects too, since they are not followed. Of the answer's body at most
   * its first kilobyte is taken, as text, and waited for no longer than a second: the status says what became of it. Fails
   * with address_not_allowed, address_not_found, remote_timeout or remote_failed, or the signal's reason.
   */
  post(
    url: string,
    options: { headers: Record<string, string>; body: string; timeoutMs: number; signal?: AbortSignal },
  ): Promise<{
    status: number;
    /** The answer's header, as it stands. */
    retryAfter: string | null;
    text: string;
  }>;
  close(): Promise<void>;
}

const addressNotAllowed = defineError('address_not_allowed', 422, 'The address is not allowed');
const addressNotFound = defineError('address_not_found', 422, 'The address was not found');
const remoteTooLarge = defineError('remote_too_large', 422, 'The remote file is too large');
const remoteTimeout = defineError('remote_timeout', 504, 'The remote server is too slow');
const remoteFailed = defineError('remote_failed', 502, 'The remote server did not answer');

type Address = { address: string; family: number };

type Options = {
  allowPrivate: boolean;
  /** Every address of a name; the system's resolver when left out. */
  resolve?: (hostname: string) => Promise<Address[]>;
  /** Whether an address is anybody's to call; isPublicAddress when left out. */
  isPublic?: (address: string) => boolean;
};

const USER_AGENT = 'Vitrine (shop software)';
const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
/** Without a byte for so long, the other side is taken for gone. */
const SILENCE_MS = 60_000;
const CONNECTIONS_PER_HOST = 4;
const KEEP_ALIVE_MS = 2_000;
/** Of the answer to a POST. */
const TAKEN_BYTES = 1_024;
const TAKEN_MS = 1_000;

export function createOutbound({ allowPrivate, ...options }: Options): Outbound {
  const resolve = options.resolve ?? ((hostname) => systemLookup(hostname, { all: true }));
  const isPublic = allowPrivate ? () => true : (options.isPublic ?? isPublicAddress);

  /** Every address of the host, or an error when there is none, or one that is private. */
  const judge = async (host: string): Promise<Address[]> => {
    const literal = isIP(host);
    if (!literal && !allowPrivate && /(^|\.)localhost\.?$/i.test(host)) throw refuse(host);
    const found = literal ? [{ address: host, family: literal }] : await resolve(host).catch(() => []);
    if (found.length === 0)
      throw addressNotFound(`There is no host ${host}, or its name could not be resolved. Check the address.`);
    if (!found.every(({ address }) => isPublic(address))) throw refuse(host);
    return found;
  };

  const lookup: LookupFunction = (hostname, { all }, callback) => {
    judge(hostname).then(
      (found) => (all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family)),
      (error) => callback(error, ''),
    );
  };
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false, lookup });
  const agentWith = (connections: number | null) =>
    new Agent({
      connect(target, callback) {
        const host = withoutBrackets(target.hostname);
        if (isIP(host) && !isPublic(host)) callback(refuse(host), null);
        else connect(target, callback);
      },
      allowH2: false,
      connections,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
    });
  const readers = agentWith(CONNECTIONS_PER_HOST);
  // One that waits for a connection behind others which hang would be taken for one that hangs itself: whoever posts
  // limits how many do so at once.
  const senders = agentWith(null);

  const ask = async (
    agent: Agent,
    url: URL,
    {
      headers,
      signal,
      ...what
    }: Pick<Dispatcher.RequestOptions, 'method' | 'body'> & {
      headers: Record<string, string>;
      signal: AbortSignal;
    },
  ): Promise<Dispatcher.ResponseData> => {
    signal.throwIfAborted();
    const asked = agent.request({
      ...what,
      origin: url.origin,
      path: url.pathname + url.search,
      headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
      signal,
    });
    // undici looks at the signal only once it is connected.
    return unlessAborted(asked, signal);
  };

  return {
    async check(url) {
      await judge(withoutBrackets(parse(url).hostname));
    },

    async get(url, { maxBytes, timeoutMs, accept, signal }) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const limit = signal ? AbortSignal.any([signal, timeout]) : timeout;
      const explain = (error: unknown, host: string) => (signal?.aborted ? signal.reason : faultOf(error, host));
      let target = parse(url);
      for (let redirects = 0; ; redirects++) {
        const current = target;
        const answer = await ask(readers, current, { method: 'GET', headers: { accept }, signal: limit }).catch(
          (error) => {
            throw explain(error, current.host);
          },
        );
        const { statusCode, headers, body } = answer;
        body.on('error', () => {});
        const location = REDIRECTS.has(statusCode) ? headers.location : undefined;
        if (location === undefined) {
          const tooLarge = remoteTooLarge(`What ${current.host} sends is larger than ${maxBytes} bytes.`);
          if (Number(headers['content-length'] ?? 0) > maxBytes) {
            body.destroy();
            throw tooLarge;
          }
          return {
            status: statusCode,
            contentType: String(headers['content-type'] ?? ''),
            body: limited(body, maxBytes, tooLarge, (error) => explain(error, current.host)),
            url: current.href,
          };
        }
        body.destroy();
        if (redirects === MAX_REDIRECTS)
          throw remoteFailed(
            `${current.host} redirects more than ${MAX_REDIRECTS} times. Use the address it leads to.`,
          );
        target = parse(String(location), current);
      }
    },

    async post(url, { headers, body, timeoutMs, signal }) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const target = parse(url);
      const answer = await ask(senders, target, {
        method: 'POST',
        headers,
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      }).catch((error) => {
        throw signal?.aborted ? signal.reason : faultOf(error, target.host);
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
        text: await beginningOf(answer.body),
      };
    },

    async close() {
      await Promise.all([readers.destroy(), senders.destroy()]);
    },
  };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function parse(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw addressNotAllowed('Only whole addresses that begin with http:// or https:// can be called.');
  if (url.username !== '' || url.password !== '')
    throw addressNotAllowed('The address must not hold a user name or a password.');
  return url;
}

function refuse(host: string): AppError {
  return addressNotAllowed(
    `${host} is, or leads to, an address of a private network. Use one that anybody can reach, or allow this by ALLOW_PRIVATE_ADDRESSES.`,
  );
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** Anything that goes wrong on the way, as an error that can be told. */
function faultOf(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const { name, code } = error as { name?: string; code?: string };
  if (name === 'TimeoutError' || (code && /TIMEOUT|ETIMEDOUT/.test(code)))
    return remoteTimeout(`${host} did not send everything in time. Try again later.`);
  return remoteFailed(`${host} did not answer as it should${code ? ` (${code})` : ''}. Try again later.`);
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function limited(body: Readable, maxBytes: number, tooLarge: AppError, explain: (error: unknown) => unknown): Readable {
  async function* read() {
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge;
        yield chunk;
      }
    } catch (error) {
      throw explain(error);
    }
  }
  const stream = Readable.from(read(), { objectMode: false });
  // A generator that nobody has begun to read does not run its end either.
  stream.once('close', () => body.destroy());
  return stream;
}

/** As much of a body as is taken, whatever becomes of the rest; its end when that comes first. */
function beginningOf(body: Readable): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const done = () => {
      clearTimeout(timer);
      body.destroy();
      resolve(Buffer.concat(parts).subarray(0, TAKEN_BYTES).toString());
    };
    const timer = setTimeout(done, TAKEN_MS);
    body.on('error', done).on('end', done);
    body.on('data', (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > TAKEN_BYTES) done();
    });
  });
}

/**
 * What the IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates) does not call globally reachable, or
 * only for a protocol of its own; multicast (RFC 5771); and one address that is public by its number only.
 */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8', // this network (RFC 791)
  '10.0.0.0/8', // private use (RFC 1918)
  '100.64.0.0/10', // carriers' shared space (RFC 6598)
  '127.0.0.0/8', // loopback (RFC 1122)
  '168.63.129.16/32', // Azure's platform, reached only from inside (Microsoft Learn, "What is IP address 168.63.129.16?")
  '169.254.0.0/16', // link-local, and clouds' metadata (RFC 3927)
  '172.16.0.0/12', // private use (RFC 1918)
  '192.0.0.0/24', // protocol assignments (RFC 6890)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.31.196.0/24', // AS112 (RFC 7535)
  '192.52.193.0/24', // AMT (RFC 7450)
  '192.88.99.0/24', // 6to4 relays, withdrawn (RFC 7526)
  '192.168.0.0/16', // private use (RFC 1918)
  '192.175.48.0/24', // AS112 (RFC 7534)
  '198.18.0.0/15', // benchmarks (RFC 2544)
  '198.51.100.0/24', // documentation (RFC 5737)
  '203.0.113.0/24', // documentation (RFC 5737)
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved, and broadcast (RFC 1112, RFC 919)
];

/**
 * Of IPv6 only global unicast (2000::/3, RFC 4291) is public, so that loopback, mapped and compatible IPv4, local-use
 * translation (RFC 8215), unique and link-local, site-local, multicast and whatever is not assigned yet need no
 * mention. Within it, what the IANA IPv6 Special-Purpose Address Registry takes out:
 */
const NOT_PUBLIC_6 = [
  '2001::/23', // protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID …
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4 (RFC 3056): holds an IPv4 address
  '2620:4f:8000::/48', // AS112 (RFC 7534)
  '3fff::/20', // documentation (RFC 9637)
];

/** Translated IPv4 (RFC 6052), which networks without IPv4 resolve every name to; it is what the IPv4 address is. */
const NAT64 = '64:ff9b::';

const public6 = new BlockList();
public6.addSubnet('2000::', 3, 'ipv6');
public6.addSubnet(NAT64, 96, 'ipv6');
const private4 = new BlockList();
const private6 = new BlockList();
for (const [address, bits] of NOT_PUBLIC_4.map(subnet)) {
  private4.addSubnet(address, bits, 'ipv4');
  private6.addSubnet(NAT64 + address, 96 + bits, 'ipv6');
}
for (const [address, bits] of NOT_PUBLIC_6.map(subnet)) private6.addSubnet(address, bits, 'ipv6');

function subnet(text: string): [address: string, bits: number] {
  const [address, bits] = text.split('/') as [string, string];
  return [address, Number(bits)];
}

/** Whether the address, as numbers, is one that anybody on the Internet can call. */
export function isPublicAddress(address: string): boolean {
  // A zone belongs to an interface of this machine (RFC 4007).
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return !private4.check(address, 'ipv4');
    case 6:
      return public6.check(address, 'ipv6') && !private6.check(address, 'ipv6');
    default:
      return false;
  }
}
