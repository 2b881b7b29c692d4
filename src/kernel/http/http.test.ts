import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Type from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryCache } from '../cache.ts';
import { defineError, errorKinds } from '../errors.ts';
import { createLogger } from '../log.ts';
import { chooseEncoding } from './encoding.ts';
import { createHttp, type Http, type HttpOptions, matchesEtag } from './index.ts';

const teapot = defineError('teapot', 418, 'I am a teapot');
let fills = 0;
let body = 'x'.repeat(3_000);
const cache = createMemoryCache();

async function create(config: Partial<HttpOptions['config']> = {}): Promise<{ app: Http; url: string }> {
  const app = await createHttp({
    config: { ALLOWED_HOSTS: [], CORS_ORIGINS: [], TRUST_PROXY: 0, RATE_LIMIT: false, ...config },
    cache,
    log: createLogger('silent'),
    errorPage: (problem) => `<h1>${problem.code}</h1>`,
  });
  app.get(
    '/api/cached',
    {
      schema: {
        querystring: Type.Object({ n: Type.Optional(Type.Integer({ minimum: 1 })) }, { additionalProperties: false }),
      },
    },
    (request, reply) =>
      app.answers.answer(request, reply, `cached:${request.query.n ?? 0}`, async () => {
        fills += 1;
        return { body, contentType: 'application/json; charset=utf-8', tags: ['things'], version: 7 };
      }),
  );
  app.post(
    '/api/echo',
    {
      schema: {
        body: Type.Object(
          { n: Type.Integer(), list: Type.Optional(Type.Array(Type.Object({ m: Type.Integer() }))) },
          { additionalProperties: false },
        ),
      },
    },
    async (request) => request.body,
  );
  app.get(
    '/api/by-id/:id',
    { schema: { params: Type.Object({ id: Type.String({ format: 'uuid' }) }, { additionalProperties: false }) } },
    async (request) => request.params,
  );
  app.get('/api/ip', async (request) => ({ ip: request.ip }));
  app.get('/api/teapot', async () => {
    throw teapot('Short and stout.', { headers: { 'x-handle': 'yes' }, spout: 'here' });
  });
  app.get('/api/slow', async () => {
    await sleep(500);
    return {};
  });
  app.get('/api/broken', async () => {
    throw new Error('secret of the house');
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` };
}

let app: Http;
let url: string;
beforeAll(async () => {
  ({ app, url } = await create());
});
afterAll(() => app.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(url + path, { headers: { 'accept-encoding': 'identity', ...headers } });

/** What a server answers to bytes that no client library would send. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    setTimeout(() => socket.destroy(), 500);
  });
}

describe('cached answers', () => {
  it('are filled once, also by the fast way, and never stay after an invalidation', async () => {
    fills = 0;
    const first = await get('/api/cached');
    expect(await first.text()).toBe(body);
    for (let i = 0; i < 5; i++) expect((await get('/api/cached')).status).toBe(200);
    expect(fills).toBe(1);
    const before = body;
    body = 'y'.repeat(3_000);
    expect(await (await get('/api/cached')).text()).toBe(before);
    cache.invalidate(['things']);
    expect(await (await get('/api/cached')).text()).toBe(body);
    expect(fills).toBe(2);
  });

  it('answer the same by the fast way and by the slow way', async () => {
    const headersOf = (response: Response) =>
      Object.fromEntries([...response.headers].filter(([name]) => name !== 'date'));
    const slow = await get('/api/cached', { cookie: 'a=b' });
    const fast = await get('/api/cached');
    expect(headersOf(fast)).toEqual(headersOf(slow));
    expect(await fast.text()).toBe(await slow.text());
    expect(fast.headers.get('etag')).toMatch(/^"7-[\w-]{16}"$/);
  });

  it('come in each encoding under an ETag of its own, and as 304 to who has them', async () => {
    const tags = new Set<string>();
    for (const [encoding, decode] of [
      ['identity', (bytes: Buffer) => bytes],
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const bytes = await new Promise<Buffer>((resolve, reject) => {
        import('node:http').then(({ get: rawGet }) =>
          rawGet(`${url}/api/cached`, { headers: { 'accept-encoding': encoding } }, (response) => {
            tags.add(response.headers.etag!);
            expect(response.headers.vary).toContain('accept-encoding');
            const chunks: Buffer[] = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks)));
          }).on('error', reject),
        );
      });
      expect(decode(bytes).toString()).toBe(body);
    }
    expect(tags.size).toBe(3);
    for (const tag of tags)
      expect(
        (
          await get('/api/cached', {
            'if-none-match': `"other", W/${tag}`,
            'accept-encoding': tag.includes('-br') ? 'br' : tag.includes('-gz') ? 'gzip' : 'identity',
          })
        ).status,
      ).toBe(304);
    expect((await get('/api/cached', { 'if-none-match': '"7-nothing"' })).status).toBe(200);
  });

  it('answer HEAD with the length and no body', async () => {
    const response = await fetch(`${url}/api/cached`, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
    expect(response.headers.get('content-length')).toBe('3000');
    expect(await response.text()).toBe('');
  });
});

it('whoever asks has an address without port and brackets, however a proxy writes it', async () => {
  const behind = await create({ TRUST_PROXY: 1 });
  for (const [forwarded, ip] of [
    ['192.0.2.66:1, 198.51.100.1:5678', '198.51.100.1'],
    ['198.51.100.1:1, [2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['198.51.100.1', '198.51.100.1'],
  ] as const) {
    const answer = await fetch(`${behind.url}/api/ip`, { headers: { 'x-forwarded-for': forwarded } });
    expect(await answer.json()).toEqual({ ip });
  }
  await behind.app.close();
});

describe('errors', () => {
  it('are problem documents with code, extension members and headers', async () => {
    const response = await get('/api/teapot', { 'x-request-id': 'abcdefgh-1' });
    expect(response.status).toBe(418);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-handle')).toBe('yes');
    expect(await response.json()).toEqual({
      type: '/docs/errors#teapot',
      title: 'I am a teapot',
      status: 418,
      detail: 'Short and stout.',
      code: 'teapot',
      request_id: 'abcdefgh-1',
      spout: 'here',
    });
  });

  it('tell nothing of a defect', async () => {
    const text = await (await get('/api/broken')).text();
    expect(JSON.parse(text)).toMatchObject({ status: 500, code: 'internal_error' });
    expect(text).not.toMatch(/secret|stack|at /);
  });

  it('name each field that is wrong, unknown ones too', async () => {
    const post = async (text: string) =>
      (await (
        await fetch(`${url}/api/echo`, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } })
      ).json()) as { code: string; errors?: object[] };
    expect(await post('{"n": "5"}')).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'n', message: 'must be integer' }],
    });
    expect(await post('{"n": 5, "role": "staff"}')).toMatchObject({
      errors: [{ path: 'role', message: 'is not known here' }],
    });
    expect(await post('{"n": 5, "list": [{"m": 1}, {}]}')).toMatchObject({
      errors: [{ path: 'list.1.m', message: 'is required' }],
    });
    expect(await post('{"n": ')).toMatchObject({ code: 'bad_request' });
    expect(await post('')).toMatchObject({ code: 'bad_request' });
    expect(await post('{"n": 5, "x": "\\u0000"}')).toMatchObject({ code: 'bad_request' });
    expect(await post('{"n": 5, "x": "\\ud800"}')).toMatchObject({ code: 'bad_request' });
    expect(await post('{"n": 5, "x": "\\\\u0000\\\\ud800\\ud83d\\ude00"}')).toMatchObject({
      errors: [{ path: 'x', message: 'is not known here' }],
    });
    expect(await post('{"n": 5, "__proto__": {"x": 1}}')).toMatchObject({ code: 'bad_request' });
    expect(await post(JSON.stringify({ n: 5, x: 'x'.repeat(1_100_000) }))).toMatchObject({ code: 'body_too_large' });
    expect(
      (await fetch(`${url}/api/echo`, { method: 'POST', body: 'n=5', headers: { 'content-type': 'text/plain' } }))
        .status,
    ).toBe(415);
  });

  it('take an id in the spelling of the database alone', async () => {
    const id = '01890a5d-AC96-774b-bcce-b302099a8057';
    expect(await (await get(`/api/by-id/${id}`)).json()).toEqual({ id });
    for (const other of [`urn:uuid:${id}`, `{${id}}`, id.replaceAll('-', ''), `${id}0`, `${id}%0A`])
      expect(await (await get(`/api/by-id/${other}`)).json()).toMatchObject({ code: 'validation_failed' });
  });

  it('answer what is unknown with 404, a wrong method with 405 and Allow, a broken address with 400', async () => {
    expect(await (await get('/api/none')).json()).toMatchObject({ status: 404, code: 'not_found' });
    const wrong = await fetch(`${url}/api/cached`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await raw('GET /api/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/,
    );
    expect(await (await get('/api/cached?n=%00')).json()).toMatchObject({ code: 'bad_request' });
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*problem\+json/);
  });

  it('are pages for people outside the API', async () => {
    const response = await get('/nowhere');
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await response.text()).toBe('<h1>not_found</h1>');
  });

  it('have codes and titles, each once', () => {
    const kinds = errorKinds();
    expect(kinds.length).toBeGreaterThan(8);
    for (const { code, status, title } of kinds) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).toMatch(/^[A-Z]/);
    }
    expect(() => defineError('teapot', 418, 'Again')).toThrow(/twice/);
  });
});

describe('hosts and origins', () => {
  it('answers only to the hosts it is told to, also for what it has prepared', async () => {
    const strict = await create({ ALLOWED_HOSTS: ['127.0.0.1'] });
    try {
      const path = new URL(strict.url);
      expect((await fetch(`${strict.url}/api/cached`)).status).toBe(200);
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(Number(path.port), '127.0.0.1', () =>
          socket.write('GET /api/cached HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
        );
        socket.on('data', (chunk) => resolve(chunk.toString()));
      });
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
    } finally {
      await strict.app.close();
    }
  });

  it('lets only the listed origins read', async () => {
    const open = await create({ CORS_ORIGINS: ['https://app.example'] });
    try {
      const from = async (origin: string) =>
        (await fetch(`${open.url}/api/cached`, { headers: { origin } })).headers.get('access-control-allow-origin');
      expect(await from('https://app.example')).toBe('https://app.example');
      expect(await from('https://evil.example')).not.toBe('https://evil.example');
    } finally {
      await open.app.close();
    }
  });
});

it.each([
  [undefined, 'identity'],
  ['gzip, deflate, br', 'br'],
  ['gzip;q=1.0, br;q=0', 'gzip'],
  ['*', 'br'],
  ['identity', 'identity'],
  ['br;q=abc', 'identity'],
  ['x'.repeat(10_000), 'identity'],
])('Accept-Encoding %j is answered with %s', (header, encoding) => {
  expect(chooseEncoding(header)).toBe(encoding);
});

it('If-None-Match compares weakly, and * with anything', () => {
  expect([
    matchesEtag('*', '"a"'),
    matchesEtag('"a"', '"a"'),
    matchesEtag('W/"a"', '"a"'),
    matchesEtag('"b", "a"', '"a"'),
    matchesEtag('a', '"a"'),
    matchesEtag(undefined, '"a"'),
  ]).toEqual([true, true, true, true, false, false]);
});

it('closes soon after the answers under way, whoever keeps their connections', async () => {
  const { app, url } = await create();
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 60_000 });
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      request(`${url}/api/slow`, { agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      })
        .on('error', reject)
        .end();
    });
  const answers = [ask(), ask(), ask()];
  await sleep(100);
  const began = performance.now();
  const closed = app.close();
  expect(await Promise.all(answers)).toEqual([200, 200, 200]);
  await closed;
  expect(performance.now() - began).toBeLessThan(3_000);
  agent.destroy();
});

it('answers what comes on a kept connection while it closes, and ends the connection with that', async () => {
  const { app, url } = await create();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const ended = once(socket, 'close');
  socket.write('GET /api/slow HTTP/1.1\r\nhost: x\r\n\r\n');
  await sleep(100);
  const closed = app.close();
  await sleep(50);
  // While the first is still being answered, so that the connection is not idle.
  socket.write('GET /api/ip HTTP/1.1\r\nhost: x\r\n\r\n');
  await Promise.all([ended, closed]);
  expect(text.match(/HTTP\/1\.1 \d+|^connection: .*/gim)).toEqual([
    'HTTP/1.1 200',
    'Connection: keep-alive',
    'HTTP/1.1 200',
    'Connection: close',
  ]);
});
