import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createOutbound, isPublicAddress, type Outbound } from './outbound.ts';
import { eventually } from './testing/index.ts';

/** Real sockets. 127.0.0.2 plays the Internet; 127.0.0.1 and ::1 are what must never hear of a request. */

const PUBLIC = '127.0.0.2';
const open: (Outbound | Server)[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) {
    if ('listening' in one) one.closeAllConnections();
    await one.close();
  }
});

type Names = Record<string, string[] | string[][]>;

/** Names answer with their addresses; with a list of lists, with the next one each time. */
function outbound(names: Names = {}, allowPrivate = false): Outbound {
  const asked: Record<string, number> = {};
  const made = createOutbound({
    allowPrivate,
    isPublic: (address) => address === PUBLIC || isPublicAddress(address),
    async resolve(hostname) {
      const answers = names[hostname];
      if (!answers) throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' });
      asked[hostname] = (asked[hostname] ?? -1) + 1;
      const answer = Array.isArray(answers[0])
        ? (answers as string[][])[Math.min(asked[hostname], answers.length - 1)]!
        : (answers as string[]);
      return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  });
  open.push(made);
  return made;
}

/** A server with its port, the addresses it was asked for and how many connections it has seen. */
async function serve(host: string, listener: RequestListener = (_, response) => response.end('hello')) {
  const seen = { connections: 0, closed: 0, requests: [] as { url: string; headers: object }[] };
  const server = createServer((request, response) => {
    seen.requests.push({ url: request.url!, headers: request.headers });
    listener(request, response);
  });
  server.on('connection', (socket) => {
    seen.connections += 1;
    socket.on('close', () => {
      seen.closed += 1;
    });
  });
  open.push(server.listen(0, host));
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen };
}

const redirectTo =
  (location: (path: string) => string): RequestListener =>
  (request, response) =>
    response.writeHead(302, { location: location(request.url!) }).end('moved');

const OPTIONS = { maxBytes: 1_000_000, timeoutMs: 5_000, accept: '*/*' };
const get = (from: Outbound, url: string, options: Partial<typeof OPTIONS> & { signal?: AbortSignal } = {}) =>
  from.get(url, { ...OPTIONS, ...options });
const failing = (code: string) => expect.objectContaining({ code });

describe('addresses', () => {
  it('of no private or special network are public', () => {
    const refused = `
      0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16
      169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
      198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
      :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
      64:ff9b::a00:1 64:ff9b::192.168.1.1 64:ff9b::169.254.169.254 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1
      2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1
      3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%lo fec0::1 ff02::1 4000::1 1::1
      localhost 0x7f.1 127.1 2130706433 example.com`.trim();
    for (const address of refused.split(/\s+/)) expect(isPublicAddress(address), address).toBe(false);
  });

  it('of hosts that anybody can call are public', () => {
    const allowed = `
      1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
      169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
      203.0.112.255 203.0.114.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1
      64:ff9b::8.8.8.8 64:ff9b::808:808`.trim();
    for (const address of allowed.split(/\s+/)) expect(isPublicAddress(address), address).toBe(true);
  });
});

describe('check', () => {
  it('takes what leads to public hosts, and refuses the rest at once', async () => {
    const from = outbound({
      'shop.test': ['93.184.216.34', '2606:4700::1'],
      'mixed.test': ['93.184.216.34', '10.0.0.1'],
      'inside.test': ['192.168.1.1'],
      'trailing.test.': ['127.0.0.1'],
    });
    for (const url of [
      'http://shop.test/feed.xml',
      'https://SHOP.test:8443/',
      'http://8.8.8.8/',
      'https://[2606:4700::1]/',
    ])
      await expect(from.check(url), url).resolves.toBeUndefined();
    const refused = `
      http://mixed.test/ http://inside.test/ http://trailing.test./ http://localhost/ http://LOCALHOST./ http://a.localhost:8000/
      http://127.0.0.1/ http://127.0.0.1./ http://0x7f.1/ http://0x7f000001/ http://2130706433/ http://017700000001/ http://127.1/
      http://１２７.0.0.1/ http://0/ http://[::1]/ http://[::]/ http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[fe80::1%25lo]/
      http://user@shop.test/ http://user:secret@shop.test/ ftp://shop.test/ file:///etc/passwd gopher://shop.test/ data:text/xml,x
      javascript:alert(1) //shop.test/ shop.test /feed.xml http:// http://[::1 http://999.1.1.1/`.trim();
    for (const url of refused.split(/\s+/))
      await expect(from.check(url), url).rejects.toMatchObject({ code: 'address_not_allowed', status: 422 });
    await expect(from.check('http://nowhere.test/')).rejects.toMatchObject({ code: 'address_not_found', status: 422 });
  });

  it('takes private hosts where they are allowed, and still no other protocols', async () => {
    const from = outbound({ 'inside.test': ['192.168.1.1'], localhost: ['127.0.0.1'] }, true);
    for (const url of ['http://inside.test/', 'http://localhost/', 'http://[::1]/', 'http://10.0.0.1/'])
      await expect(from.check(url), url).resolves.toBeUndefined();
    for (const url of ['file:///etc/passwd', 'http://user@inside.test/'])
      await expect(from.check(url), url).rejects.toEqual(failing('address_not_allowed'));
  });
});

describe('a private host never hears of', () => {
  it('a name that answers with a public address first and then with its own', async () => {
    const inside = await serve('127.0.0.1');
    const from = outbound({ 'rebound.test': [[PUBLIC], ['127.0.0.1']] });
    const url = `http://rebound.test:${inside.port}/`;
    await from.check(url);
    await expect(get(from, url)).rejects.toEqual(failing('address_not_allowed'));
    expect(inside.seen.connections).toBe(0);
  });

  it('a name with a private address among its public ones', async () => {
    const inside = await serve('127.0.0.1');
    const from = outbound({ 'mixed.test': [PUBLIC, '127.0.0.1'] });
    await expect(get(from, `http://mixed.test:${inside.port}/`)).rejects.toEqual(failing('address_not_allowed'));
    expect(inside.seen.connections).toBe(0);
  });

  it('an address written as numbers, which no resolver sees', async () => {
    const inside = await serve('127.0.0.1');
    const from = outbound();
    for (const host of ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]'])
      await expect(get(from, `http://${host}:${inside.port}/`), host).rejects.toEqual(failing('address_not_allowed'));
    await expect(get(from, `https://127.0.0.1:${inside.port}/`)).rejects.toEqual(failing('address_not_allowed'));
    expect(inside.seen.connections).toBe(0);
  });

  it('a redirect, however it is spelled, and a name on the way that changes', async () => {
    const inside = await serve('127.0.0.1');
    const targets = [
      `http://127.0.0.1:${inside.port}/`,
      `//127.0.0.1:${inside.port}/`,
      `http://[::1]:${inside.port}/`,
      `http://0x7f.1:${inside.port}/`,
      `http://localhost:${inside.port}/`,
      `http://inside.test:${inside.port}/`,
      `http://rebound.test:${inside.port}/again`,
      `http://user:secret@out.test:${inside.port}/`,
      'file:///etc/passwd',
      'gopher://out.test/',
    ];
    const outside = await serve(PUBLIC, (request, response) => {
      const hop = /^\/hop\/(\d+)$/.exec(request.url!);
      response.writeHead(302, { location: hop ? targets[Number(hop[1])]! : `/hop/${request.url!.slice(1)}` }).end();
    });
    const names = { 'out.test': [PUBLIC], 'inside.test': ['127.0.0.1'], 'rebound.test': [[PUBLIC], ['127.0.0.1']] };
    for (const [i, target] of targets.entries()) {
      const from = outbound(names);
      await from.check(`http://rebound.test:${outside.port}/`);
      const fetched = get(from, `http://out.test:${outside.port}/${i}`);
      await expect(fetched, target).rejects.toEqual(failing('address_not_allowed'));
    }
    expect(outside.seen.requests).toHaveLength(2 * targets.length);
    expect(inside.seen.connections).toBe(0);
  });

  it('is heard where private hosts are allowed', async () => {
    const inside = await serve('127.0.0.1');
    const { body } = await get(outbound({}, true), `http://127.0.0.1:${inside.port}/`);
    expect(await text(body)).toBe('hello');
  });
});

describe('get', () => {
  it('answers what came, from where it came in the end', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/old') return response.writeHead(301, { location: 'new?a=1#part' }).end();
      if (request.url === '/gone') return response.writeHead(404, { 'content-type': 'text/plain' }).end('gone');
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8', 'set-cookie': 'a=b' }).end('<feed/>');
    });
    const from = outbound({ 'shop.test': [PUBLIC] });
    const answer = await get(from, `http://shop.test:${server.port}/old`, { accept: 'text/xml' });
    expect(await text(answer.body)).toBe('<feed/>');
    expect(answer).toMatchObject({ status: 200, contentType: 'text/xml; charset=utf-8' });
    expect(answer.url).toBe(`http://shop.test:${server.port}/new?a=1#part`);
    const gone = await get(from, `http://shop.test:${server.port}/gone`);
    expect([gone.status, await text(gone.body)]).toEqual([404, 'gone']);
    expect(server.seen.requests.map(({ url }) => url)).toEqual(['/old', '/new?a=1', '/gone']);
    for (const { headers } of server.seen.requests.slice(0, 2))
      expect(headers).toEqual({
        host: `shop.test:${server.port}`,
        connection: 'keep-alive',
        accept: 'text/xml',
        'accept-encoding': 'identity',
        'user-agent': expect.stringMatching(/^Vitrine/),
      });
  });

  it('follows five redirects and no sixth', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      const left = Number(request.url!.slice(1));
      if (left === 0) return response.end('there');
      response.writeHead(307, { location: `/${left - 1}` }).end();
    });
    const from = outbound();
    expect(await text((await get(from, `http://${PUBLIC}:${server.port}/5`)).body)).toBe('there');
    await expect(get(from, `http://${PUBLIC}:${server.port}/6`)).rejects.toEqual(failing('remote_failed'));
    const loop = await serve(
      PUBLIC,
      redirectTo((path) => path),
    );
    await expect(get(from, `http://${PUBLIC}:${loop.port}/`)).rejects.toEqual(failing('remote_failed'));
    expect(loop.seen.requests).toHaveLength(6);
  });

  it('stops at the limit, whether the length was told or not', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/told') return response.writeHead(200, { 'content-length': 2_000 }).end('a'.repeat(2_000));
      if (request.url === '/exact') return response.end('a'.repeat(1_000));
      const more = () => {
        while (!response.destroyed && response.write('a'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const from = outbound();
    const url = `http://${PUBLIC}:${server.port}`;
    await expect(get(from, `${url}/told`, { maxBytes: 1_000 })).rejects.toEqual(failing('remote_too_large'));
    const endless = await get(from, `${url}/endless`, { maxBytes: 1_000 });
    await expect(text(endless.body)).rejects.toEqual(failing('remote_too_large'));
    expect(await text((await get(from, `${url}/exact`, { maxBytes: 1_000 })).body)).toHaveLength(1_000);
    await eventually(() => expect(server.seen.closed).toBeGreaterThanOrEqual(2));
  });

  it('ends what is too slow: to begin, to go on, or to redirect', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/silent') return;
      if (request.url!.startsWith('/hops')) {
        setTimeout(() => response.writeHead(302, { location: '/hops' }).end(), 120);
        return;
      }
      const drip = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const from = outbound();
    const url = `http://${PUBLIC}:${server.port}`;
    const began = Date.now();
    for (const path of ['/silent', '/hops'])
      await expect(get(from, url + path, { timeoutMs: 300 }), path).rejects.toEqual(failing('remote_timeout'));
    const slow = await get(from, `${url}/drip`, { timeoutMs: 300 });
    await expect(text(slow.body)).rejects.toEqual(failing('remote_timeout'));
    expect(Date.now() - began).toBeLessThan(3_000);
    await eventually(() => expect(server.seen.closed).toBe(server.seen.connections));
  });

  it('ends in time while its name is still being looked up', async () => {
    const from = createOutbound({ allowPrivate: false, resolve: () => new Promise(() => {}) });
    open.push(from);
    await expect(get(from, 'http://slow.test/', { timeoutMs: 100 })).rejects.toEqual(failing('remote_timeout'));
  }, 5_000);

  it('ends when it is told to, with the reason given', async () => {
    const server = await serve(PUBLIC, (_, response) => void response.write('begun'));
    const from = outbound();
    const abort = new AbortController();
    const { body } = await get(from, `http://${PUBLIC}:${server.port}/`, { signal: abort.signal });
    const read = text(body);
    const reason = new Error('no longer wanted');
    setTimeout(() => abort.abort(reason), 50);
    await expect(read).rejects.toBe(reason);
    await expect(get(from, `http://${PUBLIC}:${server.port}/`, { signal: abort.signal })).rejects.toBe(reason);
    await eventually(() => expect(server.seen.closed).toBe(1));
  });

  it('lets go of a body that nobody reads', async () => {
    const server = await serve(PUBLIC, (_, response) => void response.write('a'.repeat(100_000)));
    const { body } = await get(outbound(), `http://${PUBLIC}:${server.port}/`, { timeoutMs: 60_000 });
    body.destroy();
    await eventually(() => expect(server.seen.closed).toBe(1));
  });

  it('tells of hosts that are not there, do not listen, or break off', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/headers') return request.socket.destroy();
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      void sleep(50).then(() => request.socket.destroy());
    });
    const from = outbound({ 'closed.test': [PUBLIC] });
    await expect(get(from, 'http://nowhere.test/')).rejects.toEqual(failing('address_not_found'));
    await expect(get(from, 'http://closed.test:1/')).rejects.toEqual(failing('remote_failed'));
    await expect(get(from, `http://${PUBLIC}:${server.port}/headers`)).rejects.toEqual(failing('remote_failed'));
    const { body } = await get(from, `http://${PUBLIC}:${server.port}/`);
    await expect(text(body)).rejects.toEqual(failing('remote_failed'));
    // Plain HTTP where TLS is expected.
    await expect(get(from, `https://${PUBLIC}:${server.port}/`)).rejects.toEqual(failing('remote_failed'));
  });
});

describe('post', () => {
  const SENT = { headers: { 'content-type': 'application/json' }, body: '{"a":"\u00e9"}', timeoutMs: 5_000 };
  const post = (from: Outbound, url: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
    from.post(url, { ...SENT, ...options });

  it('sends what it is given, and answers what came, redirects too', async () => {
    const bodies: string[] = [];
    const server = await serve(PUBLIC, async (request, response) => {
      bodies.push(await text(request));
      if (request.url === '/busy') response.writeHead(503, { 'retry-after': '120' }).end('busy');
      else response.writeHead(308, { location: '/elsewhere' }).end('moved');
    });
    const from = outbound({ 'shop.test': [PUBLIC] });
    const url = `http://shop.test:${server.port}`;
    expect(await post(from, `${url}/hook?a=1`)).toEqual({ status: 308, retryAfter: null, text: 'moved' });
    expect(await post(from, `${url}/busy`)).toEqual({ status: 503, retryAfter: '120', text: 'busy' });
    expect(bodies).toEqual([SENT.body, SENT.body]);
    expect(server.seen.requests.map((request) => request.url)).toEqual(['/hook?a=1', '/busy']);
    expect(server.seen.requests[0]!.headers).toEqual({
      host: `shop.test:${server.port}`,
      connection: 'keep-alive',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(SENT.body)),
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^Vitrine/),
    });
  });

  it('never reaches a private host, by numbers, by name, or by a name that changed', async () => {
    const inside = await serve('127.0.0.1');
    const from = outbound({ 'inside.test': ['127.0.0.1'], 'rebound.test': [[PUBLIC], ['127.0.0.1']] });
    await from.check(`http://rebound.test:${inside.port}/`);
    for (const host of [
      '127.0.0.1',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      'localhost',
      'inside.test',
      'rebound.test',
      'a:b@x',
    ])
      await expect(post(from, `http://${host}:${inside.port}/`), host).rejects.toEqual(failing('address_not_allowed'));
    await expect(post(from, 'http://nowhere.test/')).rejects.toEqual(failing('address_not_found'));
    expect(inside.seen.connections).toBe(0);
  });

  it('takes the first kilobyte of an answer, and waits no longer than a second for it', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        return void sleep(50).then(() => request.socket.destroy());
      }
      if (request.url === '/slow') return void response.write('slow');
      const more = () => {
        while (!response.destroyed && response.write('a'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const from = outbound();
    const url = `http://${PUBLIC}:${server.port}`;
    const began = Date.now();
    expect((await post(from, `${url}/endless`)).text).toBe('a'.repeat(1_024));
    expect(await post(from, `${url}/slow`)).toEqual({ status: 200, retryAfter: null, text: 'slow' });
    expect(await post(from, `${url}/broken`)).toEqual({ status: 200, retryAfter: null, text: 'half' });
    expect(Date.now() - began).toBeLessThan(3_000);
    await eventually(() => expect(server.seen.closed).toBe(server.seen.connections));
  });

  it('ends what does not answer, in time or when it is told to, and closes the connection', async () => {
    const server = await serve(PUBLIC, () => {});
    const from = outbound();
    const url = `http://${PUBLIC}:${server.port}/`;
    await expect(post(from, url, { timeoutMs: 200 })).rejects.toEqual(failing('remote_timeout'));
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    setTimeout(() => abort.abort(reason), 50);
    await expect(post(from, url, { signal: abort.signal })).rejects.toBe(reason);
    await eventually(() => expect(server.seen.closed).toBe(2));
    await expect(post(from, 'http://127.0.0.2:1/')).rejects.toEqual(failing('remote_failed'));
  });

  it('does not wait behind others that hang at the same host', async () => {
    const server = await serve(PUBLIC, (request, response) => {
      if (request.url === '/good') response.end('good');
    });
    const from = outbound();
    const url = `http://${PUBLIC}:${server.port}`;
    const hanging = Array.from({ length: 20 }, () =>
      post(from, `${url}/hang`, { timeoutMs: 2_000 }).catch(() => 'hung'),
    );
    await eventually(() => expect(server.seen.requests).toHaveLength(20));
    expect((await post(from, `${url}/good`, { timeoutMs: 1_000 })).text).toBe('good');
    expect(await Promise.all(hanging)).toEqual(Array(20).fill('hung'));
  });
});
