import { request } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedOf, startTestShop, type TestShop } from './support/shop.ts';

/**
 * What clients send that they should not. Whatever it is, the answer is a 4xx that says what was wrong (a problem
 * document under `/api`, a page elsewhere) or a plain answer; never a 5xx, never a word of SQL or of a stack.
 */

type Answer = { status: number; headers: Record<string, string>; text: string };

let shop: TestShop;
/** The methods that each address of the API has, in alphabetical order. */
let allows: Map<string, string[]>;
/** Addresses of the API that anybody may read. */
let apiPaths: string[];
let pagePaths: string[];
let codes: Set<string>;
let cursor: string;

/** By node:http, which sends addresses and headers as they are given. */
function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer; to?: TestShop } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body, to = shop } = options;
    const { hostname: host, port } = new URL(to.url);
    const sent = request({ host, port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          text: Buffer.concat(parts).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** By a bare socket: anything at all. Resolves with what came until the other side closed, or for half a second. */
function sendBytes(bytes: string | Buffer, to: TestShop = shop): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(to.url);
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(done, 500);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      // One answer is enough: it has a length.
      const [head, ...body] = text.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head!)?.[1];
      if (body.length > 0 && length !== undefined && body.join('\r\n\r\n').length >= Number(length)) done();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

const isForPrograms = (path: string) => /^\/(api|health)(\/|\?|$)/.test(path);

/** What must be true of any answer. */
function judge(path: string, answer: Answer, method = 'GET'): void {
  const at = `${method} ${path.slice(0, 300)} answered ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, at).toBeLessThan(500);
  expect(answer.text, at).not.toMatch(/node_modules|\.ts:\d+|\bat async |pg-pool|invalid input syntax|syntax error at/);
  expect(answer.headers['x-content-type-options'], at).toBe('nosniff');
  if (answer.status < 400 || method === 'HEAD') return;
  if (!isForPrograms(path)) {
    expect(answer.headers['content-type'], at).toBe('text/html; charset=utf-8');
    expect(answer.text, at).toMatch(/^<!doctype html>/i);
    return;
  }
  expect(answer.headers['content-type'], at).toBe('application/problem+json');
  const problem = JSON.parse(answer.text);
  expect(problem.status, at).toBe(answer.status);
  expect(codes, at).toContain(problem.code);
  expect(problem.request_id, at).toMatch(/^[\w.-]{4,}$/);
  expect(problem.request_id).toBe(answer.headers['x-request-id']);
  expect(problem.detail, at).toMatch(/\w/);
  for (const error of problem.errors ?? [])
    expect(error, at).toEqual({ path: expect.any(String), message: expect.stringMatching(/\w/) });
}

async function ask(path: string, options: Parameters<typeof send>[1] = {}): Promise<Answer> {
  const answer = await send(path, options);
  judge(path, answer, options.method);
  return answer;
}

async function expectRefused(path: string, status = 400, code?: string): Promise<Answer> {
  const answer = await ask(path);
  expect(answer.status, `${path.slice(0, 300)} ${answer.text.slice(0, 300)}`).toBe(status);
  if (code !== undefined) expect(JSON.parse(answer.text).code, path.slice(0, 300)).toBe(code);
  return answer;
}

const encode = encodeURIComponent;
/** Texts that stand in one line, each behind a bar. */
const list = (text: string) => text.trim().split(/\s*¦ /);
const cursorOf = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
const ANY_ID = '01901234-0000-7000-8000-000000000000';

beforeAll(async () => {
  shop = await startTestShop({ demo: true });
  // One name for each character that could mean something to somebody, so that searching for it has what to find.
  await shop.importText(
    feedOf([{ id: `'"\\%_()*&|!<>`, title: `Quoted 'n' "dbl" 100%_\\(x):*&|!<b>`, price: '5 USD' }]),
  );
  const { paths } = (await shop.get('/api/openapi.json')).json;
  const product = (await shop.get('/api/products?page_size=1')).json;
  const category = (await shop.get('/api/categories')).json.items[0];
  cursor = product.next_cursor;
  const fill = (path: string) =>
    path.replace('{key}', path.includes('categor') ? category.slug : product.items[0].slug).replace(/\{\w+\}/g, ANY_ID);
  // An address may fit more than one path: featured is a key too.
  const methodsAt = (address: string) => {
    const fits = ([path]: [string, unknown]) =>
      new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(address);
    const names = Object.entries(paths)
      .filter(fits)
      .flatMap(([, methods]) => Object.keys(methods as object).map((name) => name.toUpperCase()));
    return [...new Set(names.includes('GET') ? [...names, 'HEAD'] : names)].sort();
  };
  allows = new Map(Object.keys(paths).map((path) => [fill(path), methodsAt(fill(path))]));
  allows.set('/api/openapi.json', ['GET', 'HEAD']);
  // What anybody may read.
  const open = Object.entries<Record<string, { security?: unknown }>>(paths).filter(
    ([, { get }]) => get && get.security === undefined,
  );
  apiPaths = [...open.map(([path]) => fill(path)), '/api/openapi.json'];
  pagePaths = ['/', '/products', `/products/${product.items[0].slug}`, `/categories/${category.slug}`];
  codes = new Set([...(await shop.get('/docs/errors')).text.matchAll(/id="(\w+)"/g)].map((match) => match[1]!));
  expect(apiPaths.length).toBeGreaterThan(7);
});
afterAll(() => shop?.stop());

describe('query parameters', () => {
  const UNKNOWN = `utm_source gclid PAGE Page page[] page[0] brand[] brand[0] filter[brand] sort q fields limit offset
    __proto__ constructor prototype hasOwnProperty toString valueOf __defineGetter__ __proto__[x] constructor[prototype][x]
    page.x brand.x $where _csrf access_token %70age%00 %20page page%20 a;b %F0%9F%98%80 %C3%A9`.split(/\s+/);

  it('that are unknown are refused by name on every route of the API', async () => {
    for (const path of apiPaths) {
      for (const name of UNKNOWN) {
        const answer = await expectRefused(`${path}?${name}=1`);
        if (!name.includes('%00')) expect(JSON.parse(answer.text).errors[0].message).toBe('is not known here');
      }
      await expectRefused(`${path}?=1`);
      expect((await ask(`${path}?`)).status).toBe(200);
    }
  });

  it('that are unknown are not looked at on pages', async () => {
    for (const path of pagePaths)
      for (const name of UNKNOWN) {
        const answer = await ask(`${path}?${name}=1`);
        expect(answer.status, `${path}?${name}=1`).toBe(name.includes('%00') ? 400 : 200);
      }
  });

  const NO_NUMBERS = [
    ...list(`-1 ¦ 0 ¦ -0 ¦ 1.5 ¦ 0.1 ¦ NaN ¦ nan ¦ Infinity ¦ -Infinity ¦ +Infinity ¦ 1e999 ¦ -1e999 ¦ 1e308 ¦ 9007199254740993
      ¦ 2147483648 ¦ 4294967297 ¦ 18446744073709551616 ¦ -9223372036854775808 ¦ abc ¦ 1,000 ¦ １ ¦ ٣ ¦ 1 2 ¦ null ¦ undefined ¦ true
      ¦ [] ¦ {} ¦ 1' ¦ 1;select 1 ¦ 1-- ¦ 0x ¦ 1_0`),
    ...['', ' ', '9'.repeat(400)],
  ];
  /** Other spellings of a number: read or refused, both are well. */
  const ODD_NUMBERS = ['0x10', '1e1', '%201', '1%20', '%2B1', '1.0', '01', '1e0', '0b1', '0o7', '1.', '%0A1', '-0x1'];

  for (const name of ['page', 'page_size'])
    it(`that are no number are refused as ${name}, whatever stands beside`, async () => {
      for (const base of ['/api/products', apiPaths.find((path) => /categories\/.*\/products/.test(path))!]) {
        for (const beside of [
          '',
          `&cursor=${cursor}`,
          '&search=linen',
          '&ordering=price&page_size=100',
          '&category=home',
        ]) {
          if (beside.includes(name)) continue;
          for (const value of NO_NUMBERS) await expectRefused(`${base}?${name}=${encode(value)}${beside}`);
          for (const value of ODD_NUMBERS) await ask(`${base}?${name}=${value}${beside}`);
        }
      }
      for (const value of [...NO_NUMBERS.map(encode), ...ODD_NUMBERS]) await ask(`/products?${name}=${value}`);
    });

  it('that are no price are refused', async () => {
    const values = [
      ...list(
        '-1 ¦ 1.999 ¦ 1e3 ¦ NaN ¦ Infinity ¦ 0x1 ¦ ٣ ¦ 1,5 ¦ $5 ¦ 1 000 ¦ .5 ¦ 5. ¦ --1 ¦ 1.2.3 ¦ 999999999999999 ¦ 10000000000.00 ¦ x',
      ),
      ...['', ' 5', '\u00a05', '1\n', '9'.repeat(20), '9'.repeat(21)],
    ];
    for (const name of ['price_min', 'price_max'])
      for (const value of values) {
        for (const path of ['/api/products', '/api/products/filters'])
          await expectRefused(`${path}?${name}=${encode(value)}`, 400, 'validation_failed');
        await ask(`/products?${name}=${encode(value)}`);
      }
    expect((await ask('/api/products?price_min=9999999999.99')).status).toBe(200);
  });

  it('that are neither true nor false are refused', async () => {
    for (const name of ['in_stock', 'featured'])
      for (const value of ['', '1', '0', 'yes', 'TRUE', 'null', '[]', 'true false', '%74%72%75%65x'])
        await expectRefused(`/api/products?${name}=${encode(value)}`, 400, 'validation_failed');
  });

  it('that are too long are refused, up to the longest address there can be', async () => {
    for (const name of ['search', 'brand', 'color', 'category', 'group_id', 'cursor', 'ordering', 'price_min', 'page'])
      for (const length of [1_001, 10_000, 15_000])
        for (const path of ['/api/products', '/api/products/filters'])
          await expectRefused(`${path}?${name}=${'x'.repeat(length)}`, 400, 'validation_failed');
    for (const name of ['search', 'brand', 'category', 'group_id']) {
      expect((await ask(`/api/products?${name}=${'x'.repeat(200)}`)).status).toBe(200);
      await expectRefused(`/api/products?${name}=${'x'.repeat(201)}`, 400, 'validation_failed');
      await ask(`/products?${name}=${'x'.repeat(10_000)}`);
    }
    // Two hundred letters are more bytes than two hundred, written so.
    for (const letter of ['é', '☃', '😀', '\u0301', 'ﷺ'])
      await ask(`/api/products?search=${encode(letter.repeat(100))}`);
  });

  it('that stand there twice, where one is meant, are refused', async () => {
    for (const name of list(
      'page ¦ page_size ¦ search ¦ ordering ¦ category ¦ cursor ¦ in_stock ¦ featured ¦ price_min ¦ group_id',
    ))
      await expectRefused(`/api/products?${name}=1&${name}=2`, 400, 'validation_failed');
    await expectRefused('/api/products/filters?search=a&search=b', 400, 'validation_failed');
    for (const name of ['page', 'search', 'ordering', 'category', 'in_stock', 'price_min'])
      expect((await ask(`/products?${name}=1&${name}=2`)).status).toBe(200);
  });

  it('that stand there a thousand times are refused, and fifty times taken', async () => {
    const repeated = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}=${i}`).join('&');
    for (const name of ['brand', 'color', 'size', 'gender', 'condition']) {
      await expectRefused(`/api/products?${repeated(name, 1_000)}`, 400, 'validation_failed');
      await expectRefused(`/api/products/filters?${repeated(name, 51)}`, 400, 'validation_failed');
      expect((await ask(`/api/products?${repeated(name, 50)}`)).status).toBe(200);
      await ask(`/products?${repeated(name, 1_000)}`);
      await expectRefused(`/api/products?${name}=`, 400, 'validation_failed');
    }
    expect((await ask(`/api/products?${'&'.repeat(10_000)}`)).status).toBe(200);
    await ask(`/api/products?${repeated('x', 1_500)}`);
  });
});

describe('cursors that were made up', () => {
  const ORDERINGS = list(
    'price ¦ -price ¦ created_at ¦ -created_at ¦ name ¦ -name ¦ lowest_offer ¦ -lowest_offer ¦ relevance',
  );
  const VALUES: unknown[] = [
    ...[0, -0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 1e300],
    ...(JSON.parse('[null, true, [], {}, ["x"], {"x": 1}, ""]') as unknown[]),
    ...list(`x ¦ 0 ¦ -1 ¦ 9223372036854775807 ¦ 9223372036854775808 ¦ 1.5 ¦ 1e3 ¦ Infinity ¦ NaN ¦ '; select 1 ¦ infinity ¦ now ¦ today
      ¦ 2026-01-01T00:00:00.000Z ¦ 0000-01-01T00:00:00.000Z ¦ 9999-12-31T23:59:59.999Z ¦ 2026-02-30T00:00:00.000Z
      ¦ 2026-01-01T24:00:00.000Z ¦ 2026-01-01 ¦ -000001-01-01T00:00:00.000Z`),
    ...['\0', 'a\0b', '\ud800', '\udc00x', 'x'.repeat(600), '\u{1f600}', '\u202e', '\ufffe', '\n'],
  ];

  it('are refused or followed, under each ordering, with a search and without', async () => {
    for (const ordering of ORDERINGS)
      for (const value of VALUES)
        for (const search of ['', '&search=linen']) {
          const made = cursorOf([ordering, value, ANY_ID]);
          if (made.length > 1_000) continue;
          const answer = await ask(`/api/products?ordering=${ordering}&cursor=${made}${search}`);
          expect([200, 400], `${ordering} ${JSON.stringify(value)}${search} ${answer.status}`).toContain(answer.status);
        }
  });

  it('are refused for any other shape', async () => {
    const shapes = JSON.parse(
      `[null, 0, "", {}, [], ["price"], ["price", 1], ["price", 1, "${ANY_ID}", 1], ["price", 1, 1], ["price", 1, null],
        ["price", 1, "${ANY_ID}x"], ["price", 1, "' or 1=1"], [["price"], 1, "${ANY_ID}"], {"0": "price", "1": 1, "2": "${ANY_ID}", "length": 3}]`,
    ) as unknown[];
    for (const shape of shapes)
      await expectRefused(`/api/products?ordering=price&cursor=${cursorOf(shape)}`, 400, 'invalid_cursor');
    for (const text of [
      '',
      ...list('x ¦ % ¦ === ¦ %F0%9F%98%80 ¦ [] ¦ ..%2F.. ¦ %5B%5D'),
      cursor.slice(0, -3),
      `${cursor}x%00`,
    ])
      await expectRefused(`/api/products?cursor=${text}`);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ORDERINGS), fc.json(), async (ordering, json) => {
        await ask(`/api/products?ordering=${ordering}&cursor=${Buffer.from(json).toString('base64url').slice(0, 990)}`);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});

describe('ids and slugs', () => {
  const KEYS =
    `0 -1 1.5 null undefined NaN true [] {} * ~ ! $ ' ; -- %27%20or%201%3D1 %22 %5C %25 %2B + @ : = , () <b> %3Cscript%3E
    . .. ... %2e%2e %2e%2e%2f..%2fetc%2fpasswd ..%5c %2f %5c %20 %09 %0a %0d%0aSet-Cookie:a=b %e2%80%8b %F0%9F%98%80 %CC%81
    constructor __proto__ toString featured%00 01901234-0000-7000-8000-00000000000 01901234-0000-7000-8000-0000000000000
    {01901234-0000-7000-8000-000000000000} urn:uuid:01901234-0000-7000-8000-000000000000 01901234000070008000000000000000
    g1901234-0000-7000-8000-000000000000 00000000-0000-0000-0000-000000000000 FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF`.split(
      /\s+/,
    );

  it('that name nothing are not found, and nothing else', async () => {
    for (const key of [
      ...KEYS,
      'x'.repeat(200),
      'x'.repeat(201),
      'x'.repeat(400),
      'x'.repeat(401),
      'x'.repeat(10_000),
      '%41'.repeat(150),
    ])
      for (const path of ['/api/products/', '/api/categories/', '/products/', '/categories/', '/media/', '/assets/']) {
        // What goes up leaves the folder, as a browser would take it; node:http sends it as it is.
        const answer = await ask(path + key);
        expect([400, 404, 414], `${path}${key.slice(0, 100)} ${answer.status}`).toContain(answer.status);
        expect(answer.headers['set-cookie']).toBeUndefined();
        if (path === '/api/categories/') await ask(`${path}${key}/products`);
      }
  });

  it('with percent signs that encode nothing are refused as addresses', async () => {
    for (const bad of [
      '%',
      '%z',
      '%zz',
      '%a',
      '%ff',
      '%c0%af',
      '%ed%a0%80',
      '%f5%80%80%80',
      'a%',
      '%u0041',
      '%%',
      '%e2%28%a1',
    ])
      for (const path of ['/api/products/', '/api/categories/', '/products/', '/categories/', '/'])
        await expectRefused(path + bad, 400, path.startsWith('/api') ? 'bad_request' : undefined);
    for (const path of [...apiPaths, ...pagePaths]) await expectRefused(`${path}/%00`);
    for (const path of [...apiPaths, ...pagePaths]) await expectRefused(`${path}?search=%00`);
  });

  it('that stand nowhere are not found, as a problem under /api and as a page elsewhere', async () => {
    for (const path of [
      '/api',
      '/api/',
      '/api/nothing',
      '/api/products/a/b',
      '/api/categories/a/b/c',
      '/api/%70',
      '/health/',
      '/health/x',
    ])
      await expectRefused(path, 404, 'not_found');
    for (const path of [
      '/nothing',
      '/products/a/b',
      '/.env',
      '/.git/config',
      '/package.json',
      '/assets/',
      '/assets/../package.json',
    ])
      await expectRefused(path, 404);
    for (const path of [
      '/media/..%2f..%2fpackage.json',
      '/media/box.tan.99999999999999999999.svg',
      '/media/.svg',
      '/media/a.b.c.svg',
    ])
      await expectRefused(path, 404);
  });
});

describe('methods', () => {
  it('that a route does not have are refused with those that it has, whatever the body', async () => {
    const bodies = [
      '',
      '{',
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '"\\u0000"',
      'x'.repeat(200_000),
    ];
    const others = [...pagePaths, '/feeds/google.xml', '/sitemap.xml', '/robots.txt', '/health/ready'];
    for (const path of [...allows.keys(), ...others])
      for (const [i, method] of ['POST', 'PUT', 'PATCH', 'DELETE'].entries()) {
        const allowed = allows.get(path) ?? ['GET', 'HEAD'];
        if (allowed.includes(method)) continue;
        const body = bodies[(i + path.length) % bodies.length]!;
        const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
        const answer = await ask(path, { method, body, headers });
        expect([answer.status, answer.headers.allow], `${method} ${path}`).toEqual([405, allowed.join(', ')]);
      }
    const big = await send('/api/categories/x/products', { method: 'POST', body: Buffer.alloc(3_000_000, 'x') }).catch(
      () => null,
    );
    // The answer may come before the body is through; either way it is no 5xx.
    if (big) expect([405, 413]).toContain(big.status);
    for (const method of ['POST', 'DELETE', 'PATCH']) {
      const answer = await ask('/api/nothing', {
        method,
        body: '{}',
        headers: { 'content-type': 'application/json', 'content-length': '2' },
      });
      expect(answer.status).toBe(404);
    }
  });

  it('that no route has are refused likewise', async () => {
    for (const path of ['/api/products', '/api/products/featured', '/products'])
      for (const method of ['OPTIONS', 'TRACE', 'PROPFIND', 'LOCK', 'QUERY', 'SEARCH', 'PURGE']) {
        const answer = await ask(path, { method });
        if (method === 'OPTIONS' && answer.status === 204) continue;
        const allowed = (allows.get(path) ?? ['GET', 'HEAD']).join(', ');
        expect([answer.status, answer.headers.allow], `${method} ${path}`).toEqual([405, allowed]);
      }
  });

  it('GET with a body answers as without one', async () => {
    const plain = await ask('/api/products');
    for (const body of ['{', '{"page":2}', '{"__proto__":{"page":2}}', 'page=2', 'x'.repeat(100_000)])
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'nonsense']) {
        const headers = { 'content-type': type, 'content-length': String(body.length) };
        const answer = await ask('/api/products', { body, headers });
        expect([answer.status, answer.text]).toEqual([200, plain.text]);
      }
  });

  it('HEAD answers as GET, without a body', async () => {
    for (const path of [
      ...apiPaths,
      ...pagePaths,
      '/feeds/google.xml',
      '/api/nothing',
      '/nothing',
      '/api/products?page=0',
    ]) {
      const head = await ask(path, { method: 'HEAD' });
      const get = await ask(path);
      expect([head.status, head.text, head.headers['content-type']], path).toEqual([
        get.status,
        '',
        get.headers['content-type'],
      ]);
    }
  });
});

describe('headers', () => {
  it('that make no sense change nothing', async () => {
    const plain = await ask('/api/products');
    const odd: Record<string, string>[] = [
      { 'accept-encoding': 'nonsense' },
      { 'accept-encoding': ';;;,,,q=' },
      { 'accept-encoding': `${'x,'.repeat(3_000)}identity` },
      { 'accept-encoding': 'identity;q=0.5, *;q=0' },
      { 'accept-encoding': 'toString, constructor, __proto__' },
      { 'if-none-match': 'W/' },
      { 'if-none-match': '"'.repeat(5_000) },
      { 'if-none-match': ','.repeat(8_000) },
      { 'if-modified-since': 'yesterday' },
      { 'if-match': '"x"' },
      { range: 'bytes=0-1' },
      { range: 'bytes=5-1,-,x' },
      { accept: 'image/png' },
      { accept: '*/*;q=NaN' },
      { cookie: `${'a=b; '.repeat(1_000)}=;;=` },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', forwarded: 'host=evil' },
      { 'x-http-method-override': 'DELETE' },
      { 'x-original-url': '/admin', 'x-rewrite-url': '/admin' },
      { 'content-type': 'application/json; charset='.padEnd(2_000, 'x') },
      { upgrade: 'websocket', connection: 'upgrade' },
      { upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'x' },
      { expect: '100-continue' },
      { 'user-agent': `'";<script>\\`.repeat(100) },
    ];
    for (const headers of odd)
      for (let again = 0; again < 2; again++) {
        const answer = await ask('/api/products', { headers });
        expect([answer.status, answer.text], JSON.stringify(headers).slice(0, 100)).toEqual([200, plain.text]);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        await ask('/products', { headers });
      }
  });

  it('that name nobody are refused, also where anybody may read', async () => {
    for (const authorization of [
      'Bearer '.padEnd(5_000, 'x'),
      'Bearer',
      'Basic %%%',
      'Bearer a.b.c',
      'Bearer vk_x',
      ';',
    ])
      for (let again = 0; again < 2; again++) {
        const answer = await ask('/api/products', { headers: { authorization } });
        expect([answer.status, JSON.parse(answer.text).code], authorization.slice(0, 40)).toEqual([
          401,
          'invalid_token',
        ]);
      }
  });

  it('never come back in the answer, and never into its head', async () => {
    for (const id of ['<script>', 'a b', 'x'.repeat(65), 'x', 'a\tb', 'é', '../../x', 'a,b'])
      expect((await ask('/api/nothing', { headers: { 'x-request-id': id } })).headers['x-request-id']).not.toBe(id);
    for (const path of [
      '/products/%0d%0aX-Evil:%201',
      '/api/products?search=%0d%0aX-Evil:%201',
      '/categories/x%0aX-Evil:1?a=%0d%0a',
    ])
      expect((await ask(path)).headers['x-evil']).toBeUndefined();
    for (const path of [
      '/products?search=<script>alert(1)</script>',
      '/products?search=%22%20onfocus=alert(1)%20x=%22',
      '/categories/<img>',
    ])
      expect((await ask(encodeURI(path))).text).not.toMatch(/<script>alert|" onfocus=|<img>/);
  });

  it('that are too large are refused, in words', async () => {
    const heads = [
      `GET /api/products?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /api/products HTTP/1.1\r\nHost: x\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`,
    ];
    for (const head of heads) {
      const answer = await sendBytes(head);
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
      expect(answer).toContain('content-type: application/problem+json');
      const problem = JSON.parse(answer.split('\r\n\r\n')[1]!);
      expect(problem).toMatchObject({ status: 431, code: expect.stringMatching(/^\w+$/) });
      expect(codes).toContain(problem.code);
    }
  });
});

describe('what is no HTTP', () => {
  const line = 'GET /api/products HTTP/1.1\r\n';
  const REQUESTS: (string | Buffer)[] = [
    'x',
    '\r\n\r\n\r\n',
    'GET\r\n\r\n',
    'GET /\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1\nHost: x\n\n',
    'get / http/1.1\r\nHost: x\r\n\r\n',
    'FOO /api/products HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET api/products HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET  /api/products  HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /api/products?a b HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /api/products?search=\x01\x7f HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /api/products?search=é☃ HTTP/1.1\r\nHost: x\r\n\r\n',
    Buffer.from('GET /api/products?search=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1'),
    Buffer.from('GET /api/products/\xc0\xaf HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1'),
    'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET * HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET ? HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET #x HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET //// HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET //evil.example/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /api/products#fragment HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET http:// HTTP/1.1\r\nHost: x\r\n\r\n',
    `${line}\r\n`,
    `${line}Host: x\r\nHost: y\r\n\r\n`,
    `${line}Host: a b\r\n\r\n`,
    `${line}Host:\r\n\r\n`,
    `${line}Host: [::1\r\n\r\n`,
    `${line}Host: x:99999999\r\n\r\n`,
    `${line}Host: ${'x'.repeat(5_000)}\r\n\r\n`,
    `${line}Host x\r\n\r\n`,
    `${line}Host: x\r\nA\0B: c\r\n\r\n`,
    `${line}Host: x\r\nA: b\0c\r\n\r\n`,
    `${line}Host: x\r\n folded\r\n\r\n`,
    `${line}Host: x\r\nContent-Length: -1\r\n\r\n`,
    `${line}Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
    `${line}Host: x\r\nContent-Length: 99999999999999999999\r\n\r\n`,
    `${line}Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    `${line}Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `${line}Host: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `POST /api/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `POST /api/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
    `${line}Host: x\r\nExpect: nonsense\r\n\r\n`,
    `${line}${Array.from({ length: 3_000 }, (_, i) => `H${i}: x\r\n`).join('')}Host: x\r\n\r\n`,
    Buffer.from('16030100a5010000a10303', 'hex'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.alloc(30_000),
    Buffer.alloc(30_000, 0xff),
    'USER anonymous\r\n',
  ];

  it('is refused or closed, and the next one is served', async () => {
    for (const bytes of REQUESTS) {
      const shown = JSON.stringify(bytes.toString('latin1').slice(0, 120));
      const answer = await sendBytes(bytes);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
      expect(status, `${shown} → ${answer.slice(0, 200)}`).toBeLessThan(500);
      expect(answer, shown).not.toMatch(/node_modules|\.ts:\d+|HPE_|pg-pool/);
      if (
        status >= 400 &&
        isForPrograms(bytes.toString('latin1').split(' ')[1] ?? '') &&
        answer.includes('content-type')
      )
        expect(answer, shown).toContain('content-type: application/problem+json');
      const alive = await send('/health/live');
      expect(alive.status).toBe(200);
    }
  }, 40_000);

  it('but an address with the host in it is the same as without (RFC 9112, 3.2.2)', async () => {
    const answer = await sendBytes(
      'GET http://shop.example/api/products?page=0 HTTP/1.1\r\nHost: shop.example\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('content-type: application/problem+json');
    expect(await sendBytes('GET http://shop.example/api/categories HTTP/1.1\r\nHost: shop.example\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it('and answers that follow one another on one connection stay apart', async () => {
    const paths = [
      '/api/products?page=0',
      '/api/categories/none',
      '/health/live',
      '/api/products?page_size=1',
      '/nothing',
    ];
    const answer = await new Promise<string>((resolve) => {
      const { hostname, port } = new URL(shop.url);
      let text = '';
      const socket = connect(Number(port), hostname, () =>
        socket.write(
          paths
            .map(
              (path, i) =>
                `GET ${path} HTTP/1.1\r\nHost: x\r\n${i === paths.length - 1 ? 'Connection: close\r\n' : ''}\r\n`,
            )
            .join(''),
        ),
      );
      socket.on('data', (part) => {
        text += part;
      });
      socket.on('close', () => resolve(text));
    });
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1]);
    expect(statuses.join(' ')).toBe('400 404 200 200 404');
  });
});

describe('searches', () => {
  const PATHS = ['/api/products', '/api/products/filters', '/products'];
  const search = async (text: string, more = '') => {
    for (const path of PATHS) {
      const answer = await ask(`${path}?search=${encode(text)}${path.endsWith('filters') ? '' : more}`);
      if (path.startsWith('/api')) expect(answer.status, text).toBe(200);
      else expect([200, 404], text).toContain(answer.status);
    }
  };

  it('for any character of ASCII, alone and among letters', async () => {
    for (let code = 1; code < 128; code++) {
      const character = String.fromCharCode(code);
      await search(`${character}${character} mug`);
      for (const text of [character, `lin${character}en`]) await ask(`/api/products?search=${encode(text)}`);
    }
  }, 60_000);

  it('for what PostgreSQL’s query languages give a meaning to', async () => {
    const texts = [
      ...list(String.raw`'"\%_():*&|! ¦ a & b ¦ a | | b ¦ ! ¦ !!a ¦ a:* ¦ :* ¦ a:ABCD ¦ <-> ¦ a <2> b ¦ ((( ¦ ))) ¦ '' ¦ 'a ¦ a\ ¦ \
        ¦ '; drop table products; -- ¦ " or ""=" ¦ %27 or 1=1 ¦ $$; select pg_sleep(5); $$ ¦ $1 ¦ :name ¦ ? ¦ E'\x00' ¦ /* ¦ --
        ¦ NULL ¦ null ¦ true ¦ and ¦ or ¦ not ¦ the ¦ a ¦ 1 ¦ 1e5 ¦ 0x1f ¦ -1 ¦ 3.14 ¦ 1/2 ¦ 2026-01-01 ¦ 10:30 ¦ a@b.example
        ¦ https://shop.example/a?b=c ¦ /etc/passwd ¦ www.example.com ¦ <b>linen</b> ¦ &amp; ¦ &lt; ¦ 😀 ¦ 👨‍👩‍👧‍👦 ¦ ☃ linen ¦ שלום ¦ مرحبا
        ¦ Z̷̢̛̺a̸͙͌l̵̰̒g̶̨̈o̸ ¦ ﷺ ¦ ﬁ ¦ İ ¦ ß ¦ Å ¦ 日本語 ¦ 한국어 ¦ ไทย ¦ हिन्दी ¦ ² ¦ ½ ¦ ৳ ¦ linnen shrit ¦ žluťoučký ¦ ZLUTOUCKY`),
      ...[
        '\u202elinen',
        '\u0301',
        '\u0301\u0302',
        '\u200b',
        '\u00ad',
        '\ufeff',
        '\ufffd',
        '\u{10ffff}',
        '\u{1d400}',
        '\u212b',
      ],
      ...['linen ', 'a ', 'x', 'é', '\u0301', 'a\u0301'].map((text) => text.repeat(200 / text.length)),
      ...['😀'.repeat(50), '('.repeat(100) + ')'.repeat(100), '1 2 3 4 5 6 7 8 9 10 11 12 13 14'],
    ];
    for (const text of texts) await search(text.slice(0, 200));
    for (const ordering of ['relevance', 'price', '-name', 'lowest_offer', '-lowest_offer', 'created_at'])
      for (const text of ['linen', `'"\\%_():*&|!`, '😀', 'x', 'quoted dbl', '1'])
        for (const more of ['', '&page=2', '&page_size=100', '&in_stock=true&brand=x', '&category=home'])
          await search(text, `&ordering=${ordering}${more}`);
  }, 60_000);

  it('find the product whose name is made of such characters', async () => {
    for (const text of [`'n' "dbl"`, `Quoted 'n' "dbl" 100%_\\(x):*&|!<b>`, '100%', 'quoted & dbl', '(x)', `"dbl"`]) {
      const { items } = JSON.parse((await ask(`/api/products?search=${encode(text)}`)).text);
      expect(
        items.map((item: { name: string }) => item.name),
        text,
      ).toContain(`Quoted 'n' "dbl" 100%_\\(x):*&|!<b>`);
    }
  });
});

describe('query strings at random', () => {
  const NAMES =
    `category price_min price_max in_stock featured brand gender condition color size group_id search page page_size cursor
    ordering unknown __proto__ brand[] page[0] utm_source`.split(/\s+/);
  const VALUES = [
    ...list(`0 ¦ 1 ¦ -1 ¦ 2 ¦ 100 ¦ 1e400 ¦ true ¦ false ¦ null ¦ price ¦ -name ¦ relevance ¦ lowest_offer ¦ home ¦ Black ¦ new ¦ female
      ¦ linen ¦ 19.99 ¦ %00 ¦ % ¦ %ff ¦ ' ¦ " ¦ [] ¦ {}`),
    ...['', '\\', 'x'.repeat(300), ANY_ID],
  ];
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...VALUES, 'CURSOR') },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map((text) => encode(text.toWellFormed())) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: fc.constantFrom(...'%&=+;#?/[]0123456789abcdefABCDEF\'"\\<>'), maxLength: 30 }),
    },
    { weight: 1, arbitrary: fc.double().map(String) },
    { weight: 1, arbitrary: fc.bigInt().map(String) },
  );
  const query = fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.webFragments() }),
        value,
      ),
      { maxLength: 6 },
    )
    .map((pairs) => pairs.map(([name, text]) => `${name}=${text}`).join('&'));
  /** What node:http refuses to send is another test's business. */
  const sendable = (text: string) => text.replace(/[^\x21-\x7e]/g, (character) => encode(character));

  it('never break an answer', async () => {
    const routes = [
      '/api/products',
      '/api/products/filters',
      '/api/products/featured',
      '/products',
      ...apiPaths,
      ...pagePaths,
    ];
    let well = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), query, async (route, text) => {
        const answer = await ask(`${route}?${sendable(text.replaceAll('CURSOR', cursor))}`);
        if (answer.status === 200) well += 1;
      }),
      { numRuns: 700, seed: 11 },
    );
    expect(well).toBeGreaterThan(50);
  }, 60_000);

  it('nor do keys', async () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }).map((text) => encode(text.toWellFormed())),
      fc.webSegment(),
      fc.string({ unit: fc.constantFrom(...'%&=+;#?/[]0123456789abcdefABCDEF'), maxLength: 30 }),
      fc.uuid(),
    );
    const routes = [
      '/api/products/',
      '/api/categories/',
      '/products/',
      '/categories/',
      '/media/',
      '/assets/',
      '/docs/swagger/',
      '/',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), key, query, async (route, name, text) => {
        const path = sendable(`${route}${name}?${text.replaceAll('CURSOR', cursor)}`);
        if (path.startsWith('/docs')) expect((await send(path)).status).toBeLessThan(500);
        else await ask(path);
      }),
      { numRuns: 400, seed: 12 },
    );
  }, 60_000);
});

describe('ALLOWED_HOSTS', () => {
  it('is who it answers to, also for what it has answered before', async () => {
    const guarded = await startTestShop({ env: { ALLOWED_HOSTS: 'shop.example, Second.Example' } });
    try {
      const hosts = async (host: string, path = '/api/products', headers: Record<string, string> = {}) => {
        const answer = await send(path, { to: guarded, headers: { host, ...headers } });
        if (answer.status !== 400) return answer.status;
        if (path.startsWith('/api')) expect(JSON.parse(answer.text).code).toBe('host_not_allowed');
        else expect(answer.headers['content-type']).toContain('text/html');
        return 400;
      };
      for (const path of ['/api/products', '/', '/api/nothing', '/feeds/google.xml'])
        for (let again = 0; again < 2; again++) {
          const served = path === '/api/nothing' ? 404 : 200;
          for (const host of ['shop.example', 'SHOP.example', 'shop.example:8000', 'second.example'])
            expect(await hosts(host, path), `${host}${path}`).toBe(served);
          for (const host of [
            'evil.example',
            'localhost',
            '127.0.0.1',
            'shop.example.evil',
            'xshop.example',
            'shop.example@evil',
            '',
          ])
            expect(await hosts(host, path), `${host}${path}`).toBe(400);
        }
      expect(await hosts('evil.example', '/api/products', { 'x-forwarded-host': 'shop.example' })).toBe(400);
      expect(await sendBytes('GET /api/products HTTP/1.0\r\n\r\n', guarded)).toMatch(/^HTTP\/1\.1 400 /);
      expect(
        await sendBytes('GET http://shop.example/api/products HTTP/1.1\r\nHost: evil.example\r\n\r\n', guarded),
      ).not.toMatch(/ 5\d\d /);
    } finally {
      await guarded.stop();
    }
  });
});

describe('bodies', () => {
  const json = (body: string, headers: Record<string, string> = {}) => ({
    body,
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers },
  });

  it('of routes that take none are refused by the names of what is in them', async () => {
    const boss = await shop.as('superuser');
    const { paths } = (await shop.get('/api/openapi.json')).json;
    const bare = Object.entries<Record<string, { requestBody?: unknown }>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method, { requestBody }]) => !['get', 'head'].includes(method) && requestBody === undefined)
        .map(([method]) => ({ method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, ANY_ID) })),
    );
    expect(bare.length).toBeGreaterThan(10);
    expect(bare.map(({ method }) => method)).toEqual(expect.arrayContaining(['POST', 'DELETE']));
    for (const { method, path } of bare) {
      const at = `${method} ${path}`;
      const refusal = await ask(path, { method, ...json('{"foo":1,"bar":{}}', boss.headers) });
      expect(refusal.status, `${at} ${refusal.text}`).toBe(400);
      expect(JSON.parse(refusal.text), at).toMatchObject({
        code: 'validation_failed',
        errors: [
          { path: 'foo', message: 'is not known here' },
          { path: 'bar', message: 'is not known here' },
        ],
      });
      for (const body of ['[]', '[1]', '1', '"x"', 'false', '{"__proto__":1}'])
        expect((await ask(path, { method, ...json(body, boss.headers) })).status, `${at} ${body}`).toBe(400);
    }
  });

  it('of routes that take none may be there with nothing in them', async () => {
    const staff = await shop.as('staff');
    const path = `/api/orders/${ANY_ID}/cancel`;
    for (const body of [undefined, '{}', ' {} '])
      expect(
        JSON.parse(
          (
            await ask(path, {
              method: 'POST',
              ...(body === undefined ? {} : json(body)),
              headers: { ...(body === undefined ? {} : json(body).headers), ...staff.headers },
            })
          ).text,
        ).code,
      ).toBe('order_not_found');
  });

  it('that nest too deeply are refused, also where what is in them is taken as it is', async () => {
    const boss = await shop.as('superuser');
    const attributes = (depth: number) =>
      `{"name":"Deep","price":"1","attributes":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    for (const headers of [boss.headers, { ...boss.headers, 'idempotency-key': 'deep' }])
      for (const depth of [100, 10_000, 500_000 - 50]) {
        const refusal = await ask('/api/products', { method: 'POST', ...json(attributes(depth), headers) });
        expect([refusal.status, JSON.parse(refusal.text).code]).toEqual([400, 'bad_request']);
      }
  });
});
