import { request as requestOf } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pino } from 'pino';
import Type from 'typebox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from './db.ts';
import { defineError } from './errors.ts';
import { claimForm, createHttp, type Http } from './http/index.ts';
import type { Kernel } from './kernel.ts';
import type { Logger } from './log.ts';
import { eventually, testKernel } from './testing/index.ts';

/** The header on routes of every kind, over sockets, with a real database behind. */

const refused = defineError('thing_refused', 409, 'Refused');

let kernel: Kernel;
let app: Http;
let url: string;
let logged = '';
/** How often each route has done what it does, and what it does. */
let runs = 0;
/** How often a key was asked for. */
let claims = 0;
let act: (request: FastifyRequest, reply: FastifyReply) => unknown;

const event = { type: 'thing.made', subject: { type: 'thing', id: '1' } };
const commit = () => kernel.db.transaction((tx) => kernel.events.append(tx, event));
const passLeases = () => kernel.db.run(sql("update idempotency_keys set lease_until = now() - interval '1 second'"));
const rows = () => kernel.db.many(sql<{ state: string }>('select state from idempotency_keys'));

beforeAll(async () => {
  kernel = await testKernel();
  const write = (line: string) => {
    logged += line;
  };
  const log = pino({ level: 'trace' }, { write }) as Logger;
  app = await createHttp({
    config: { ALLOWED_HOSTS: [], CORS_ORIGINS: ['https://elsewhere.example'], TRUST_PROXY: 0, RATE_LIMIT: false },
    cache: kernel.cache,
    log,
    errorPage: () => '',
    keys: {
      claim(keyed) {
        claims += 1;
        return kernel.idempotency.claim(keyed);
      },
      callerOf: ({ headers }) => (headers.caller === undefined ? null : `user:${String(headers.caller)}`),
      takesKey: (path) => path !== '/api/keyless',
    },
  });
  const body = Type.Object(
    { n: Type.Optional(Type.Integer()), inner: Type.Optional(Type.Unsafe<unknown>({})) },
    { additionalProperties: false },
  );
  const querystring = Type.Object({ q: Type.Optional(Type.String()) }, { additionalProperties: false });
  const run = (request: FastifyRequest, reply: FastifyReply) => {
    runs += 1;
    return act(request, reply);
  };
  app.post('/api/things', { schema: { body, querystring } }, run);
  app.post('/api/bare', run);
  app.post('/api/things/:id/parts/:name', { schema: { body } }, run);
  app.post('/api/keyless', { schema: { body } }, run);
  app.put('/api/things', { schema: { body } }, run);
  app.get('/api/things', run);
  app.post('/elsewhere', { schema: { body } }, run);
  app.post(
    '/api/hooked',
    {
      preHandler: async () => {
        throw refused('Before the handler.');
      },
    },
    run,
  );
  app.register(async (scope) => {
    scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => {
      payload.resume().once('end', () => done(null));
    });
    scope.post('/api/forms', async (request, reply) => {
      await claimForm(request, () => ({ file: request.headers.file }));
      return run(request, reply);
    });
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await app.close();
  await kernel.close();
});
beforeEach(async () => {
  await kernel.db.run(sql('delete from idempotency_keys'));
  logged = '';
  runs = 0;
  claims = 0;
  act = async (_request, reply) => reply.code(201).header('location', `/api/things/${runs}`).send({ runs });
});

type Sent = { status: number; replayed: string | null; headers: Headers; text: string; code: string | undefined };
async function send(
  path: string,
  {
    key = 'k',
    caller = '1',
    method = 'POST',
    body = { n: 1 } as unknown,
    headers = {} as Record<string, string>,
    signal = undefined as AbortSignal | undefined,
  } = {},
): Promise<Sent> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key === '' ? {} : { 'idempotency-key': key }),
      ...(caller === '' ? {} : { caller }),
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === null ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text();
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed'),
    headers: response.headers,
    text,
    code: text.startsWith('{') ? (JSON.parse(text) as { code?: string }).code : undefined,
  };
}
const post = (options: Parameters<typeof send>[1] = {}) => send('/api/things', options);

describe('what a key stands for', () => {
  const id = '0199aabb-ccdd-7eef-8aab-ccddeeff0011';

  it('is one thing, however its address is written', async () => {
    const spellings = [
      `/api/things/${id}/parts/a%20b`,
      `/api/%74hings/${id}/parts/a%20b`,
      `/api/things/${id.toUpperCase()}/parts/%61%20%62`,
      `/api/things/${id.replaceAll('a', '%61')}/parts/a%20b/`,
    ];
    for (const spelling of spellings) expect((await send(spelling)).text, spelling).toBe('{"runs":1}');
    expect(runs).toBe(1);
    for (const other of [`/api/things/${id}/parts/A%20b`, `/api/things/${id.replace('0', '1')}/parts/a%20b`])
      expect((await send(other)).replayed, other).toBeNull();
  });

  it('is no body that nests deeper than any that is meant', async () => {
    const nested = (depth: number) => `{"inner":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect((await post({ body: nested(64) })).status).toBe(201);
    for (const depth of [65, 200_000]) {
      const refusal = await post({ body: nested(depth), key: `deep-${depth}` });
      expect([refusal.status, refusal.code], refusal.text).toEqual([400, 'bad_request']);
      expect(refusal.text).toContain('64');
    }
    expect([runs, claims]).toEqual([1, 1]);
  });
});

describe('a POST that is sent again under its key', () => {
  it('is answered as it was, and not done again', async () => {
    act = async (_request, reply) =>
      reply
        .code(201)
        .headers({
          location: '/api/things/7',
          etag: '"1-abc"',
          'cache-control': 'no-store',
          'set-cookie': 'session=secret',
          'x-cart-token': 'secret',
        })
        .send({ runs, name: 'Ümläut ☃' });
    const first = await post();
    const again = await post();
    expect(first).toMatchObject({ status: 201, replayed: null, text: '{"runs":1,"name":"Ümläut ☃"}' });
    expect(again).toMatchObject({ status: 201, replayed: 'true', text: first.text });
    for (const name of ['content-type', 'content-length', 'location', 'etag', 'cache-control'])
      expect(again.headers.get(name), name).toBe(first.headers.get(name));
    expect(again.headers.get('x-content-type-options')).toBe('nosniff');
    expect(again.headers.getSetCookie()).toEqual([]);
    expect(again.headers.get('x-cart-token')).toBeNull();
    expect(runs).toBe(1);
  });

  it.each([
    [204, null],
    [202, undefined],
    [200, ''],
    [200, Buffer.from('{"a":1}')],
    [200, []],
  ])('also an answer of %i and %j', async (status, payload) => {
    act = async (_request, reply) => reply.code(status).send(payload);
    const [first, again] = [await post(), await post()];
    expect([first.status, first.replayed, again.status, again.replayed]).toEqual([status, null, status, 'true']);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(runs).toBe(1);
  });

  it('also when its caller had gone before it was answered', async () => {
    act = async () => {
      await sleep(200);
      await commit();
      return { runs };
    };
    await expect(post({ signal: AbortSignal.timeout(50) })).rejects.toThrow();
    expect(await post()).toMatchObject({ status: 200, replayed: 'true', text: '{"runs":1}' });
    expect(runs).toBe(1);
  });

  it('is the same whatever the order of its fields, its spaces, its slash, and how the key is quoted', async () => {
    await post({ body: { n: 1, inner: { a: [1, { b: 2, c: null }], é: 'x' } } });
    for (const again of [
      await post({ body: '{ "inner" : {"\\u00e9":"x","a":[1,{"c":null,"b":2}]}, "n":1.0}' }),
      await post({ body: { inner: { a: [1, { c: null, b: 2 }], é: 'x' }, n: 1 }, key: '"k"' }),
      await send('/api/things/', { body: { inner: { a: [1, { c: null, b: 2 }], é: 'x' }, n: 1 } }),
    ])
      expect(again).toMatchObject({ status: 201, replayed: 'true' });
    expect(runs).toBe(1);
  });

  it('is refused with another body or another query', async () => {
    await post({ body: { n: 1, inner: [1, 2] } });
    for (const other of [
      await post({ body: { n: 1, inner: [2, 1] } }),
      await post({ body: { n: 1 } }),
      await post({ body: { n: 1, inner: ['1', 2] } }),
      await send('/api/things?q=a', { body: { n: 1, inner: [1, 2] } }),
    ])
      expect(other).toMatchObject({ status: 422, code: 'idempotency_key_reused', replayed: null });
    expect(runs).toBe(1);
  });

  it('is done again for another caller, at another address, and under another key', async () => {
    await post();
    for (const other of [
      await post({ caller: '2' }),
      await post({ key: 'k2' }),
      await post({ key: 'K' }),
      await send('/api/bare', { body: null }),
    ])
      expect(other).toMatchObject({ status: 201, replayed: null });
    expect(runs).toBe(5);
  });

  it('is done again without a key, without a caller, and where no key is taken', async () => {
    for (const options of [{ key: '' }, { caller: '' }]) {
      await post(options);
      expect(await post(options)).toMatchObject({ status: 201, replayed: null });
    }
    for (const [method, path] of [
      ['PUT', '/api/things'],
      ['POST', '/api/keyless'],
      ['POST', '/elsewhere'],
    ] as const) {
      await send(path, { method });
      expect(await send(path, { method })).toMatchObject({ status: 201, replayed: null });
    }
    await send('/api/things', { method: 'GET', body: null });
    expect(await send('/api/things', { method: 'GET', body: null })).toMatchObject({
      status: 201,
      replayed: null,
    });
    expect(runs).toBe(12);
    expect(await rows()).toEqual([]);
  });

  it('and answered while the first still runs waits for it', async () => {
    act = async () => {
      await sleep(300);
      await commit();
      return { runs };
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => post()));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"runs":1}']));
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    expect(runs).toBe(1);
  });

  it('is told to come again when the first takes longer than 5 s', async () => {
    act = async () => {
      await sleep(5_500);
      return { runs };
    };
    const first = post();
    await sleep(100);
    const second = await post();
    expect(second).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
    expect(second.headers.get('retry-after')).toBe('1');
    expect((await first).text).toBe('{"runs":1}');
    expect(await post()).toMatchObject({ text: '{"runs":1}', replayed: 'true' });
  });
});

describe('a key', () => {
  it.each(['x', 'a'.repeat(255), '"with \\" and \\\\"'.replace(/ /g, '_'), '!"#~', `"${'a'.repeat(255)}"`])(
    'may be %s',
    async (key) => {
      expect((await post({ key })).status).toBe(201);
      expect((await post({ key })).replayed).toBe('true');
    },
  );

  it.each([' ', 'two words', 'a'.repeat(256), '""', '"two words"', 'ключ', 'a\tb'])('may not be %j', async (key) => {
    const sent = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const outgoing = requestOf(
        `${url}/api/things`,
        { method: 'POST', headers: { caller: '1', 'content-type': 'application/json' } },
        (incoming) => {
          let body = '';
          incoming.setEncoding('utf8').on('data', (part: string) => {
            body += part;
          });
          incoming.on('end', () => resolve({ status: incoming.statusCode!, body }));
        },
      ).on('error', reject);
      outgoing.setHeader('idempotency-key', Buffer.from(key).toString('latin1'));
      outgoing.end('{"n":1}');
    });
    expect(sent.status, sent.body).toBe(400);
    expect(JSON.parse(sent.body)).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'Idempotency-Key', message: expect.stringContaining('visible ASCII') }],
    });
    expect(runs).toBe(0);
  });

  it('is free again after a refusal, which may then be asked for with another body', async () => {
    const usual = act;
    act = async () => {
      throw refused('Not now.');
    };
    expect(await post()).toMatchObject({ status: 409, code: 'thing_refused' });
    expect(await rows()).toEqual([]);
    act = usual;
    expect(await post({ body: { n: 2 } })).toMatchObject({ status: 201, replayed: null });
    expect(await post({ body: { n: 2 } })).toMatchObject({ status: 201, replayed: 'true' });
    expect(runs).toBe(2);
  });

  it('is not used for what is refused before it comes to the handler', async () => {
    expect(await post({ body: { n: 'x' } })).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(await send('/api/hooked', { body: null })).toMatchObject({ status: 409, code: 'thing_refused' });
    expect(claims).toBe(0);
    expect(await post({ body: { n: 1 } })).toMatchObject({ status: 201, replayed: null });
    expect(claims).toBe(1);
  });

  it('is free again after a fault by which nothing was done', async () => {
    const usual = act;
    act = async () => {
      await kernel.db.transaction(async (tx) => {
        await kernel.events.append(tx, event);
        throw new Error('a defect');
      });
    };
    expect(await post()).toMatchObject({ status: 500, code: 'internal_error' });
    expect(await rows()).toEqual([]);
    act = usual;
    expect(await post()).toMatchObject({ status: 201, replayed: null });
  });

  it('is not free after a fault, or a refusal, behind what was done', async () => {
    for (const [key, fault, status] of [
      ['a', new Error('a defect'), 500],
      ['b', refused('Too late.'), 409],
    ] as const) {
      act = async () => {
        await commit();
        throw fault;
      };
      expect((await post({ key })).status).toBe(status);
      expect(await post({ key })).toMatchObject({ status: 409, code: 'idempotency_answer_lost' });
    }
    expect(runs).toBe(2);
  });

  it('that was given free hinders nothing that its request still does', async () => {
    const late = Promise.withResolvers<void>();
    act = async () => {
      sleep(100).then(commit).then(late.resolve, late.reject);
      throw refused('Not now.');
    };
    expect((await post()).status).toBe(409);
    await expect(late.promise).resolves.toBeUndefined();
  });

  it('that was taken over by a repetition has the first one fail', async () => {
    const begun = Promise.withResolvers<void>();
    const mayGoOn = Promise.withResolvers<void>();
    const usual = act;
    act = async () => {
      begun.resolve();
      await mayGoOn.promise;
      await commit();
      return { by: 'first' };
    };
    const first = post();
    await begun.promise;
    await passLeases();
    act = usual;
    expect(await post()).toMatchObject({ status: 201, replayed: null });
    mayGoOn.resolve();
    expect(await first).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
    expect(await post()).toMatchObject({ status: 201, replayed: 'true', text: '{"runs":2}' });
  });

  it('that was taken over is told of alike where the answer is kept by a statement', async () => {
    act = async (request) => {
      await passLeases();
      await kernel.idempotency.claim({
        caller: 'user:1',
        method: 'POST',
        path: '["/api/things"]',
        key: 'k',
        request: '{"asked":{"n":1},"query":{}}',
      });
      const kept = request.idempotency!.kept({ status: 201, headers: {}, body: '' });
      await kernel.db.run(sql('select keep_answer($1, $2, $3, $4, $5)', kept));
      return {};
    };
    expect(await post()).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
    expect(await rows()).toEqual([{ state: 'running' }]);
  });
});

describe('an answer that its handler keeps', () => {
  it('is sent again as it was kept', async () => {
    act = async (request, reply) => {
      const headers = { 'content-type': 'application/json; charset=utf-8', location: '/api/things/9' };
      const kept = request.idempotency!.kept({ status: 201, headers, body: '{"kept":true}' });
      await kernel.db.run(sql('select keep_answer($1, $2, $3, $4, $5)', kept));
      return reply.code(201).send({ kept: false });
    };
    expect((await post()).text).toBe('{"kept":false}');
    const again = await post();
    expect(again).toMatchObject({ status: 201, replayed: 'true', text: '{"kept":true}' });
    expect(again.headers.get('location')).toBe('/api/things/9');
  });

  it('is nobody’s without a key', async () => {
    act = async (request) => ({ idempotency: request.idempotency });
    expect((await post({ key: '' })).text).toBe('{"idempotency":null}');
    expect((await send('/api/things', { method: 'GET', body: null })).text).toBe('{"idempotency":null}');
  });
});

describe('a form', () => {
  const form = (file: string, key = 'f') =>
    send('/api/forms', { key, body: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x', file } });

  it('is claimed once its handler has read it, and is then a request like any other', async () => {
    act = async () => {
      await commit();
      return { runs };
    };
    expect(await form('one')).toMatchObject({ status: 200, replayed: null });
    expect(await form('one')).toMatchObject({ status: 200, replayed: 'true', text: '{"runs":1}' });
    expect(await form('two')).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(await form('two', '')).toMatchObject({ status: 200, replayed: null });
    expect(runs).toBe(2);
  });

  it('is noted as done by what its handler commits', async () => {
    act = async () => {
      await commit();
      throw new Error('a defect');
    };
    expect(await form('one')).toMatchObject({ status: 500 });
    expect(await form('one')).toMatchObject({ status: 409, code: 'idempotency_answer_lost' });
  });
});

describe('faults of our own', () => {
  it('an answer that cannot be kept is sent, and the fault is logged without the key', async () => {
    act = async () => {
      await commit();
      await kernel.db.run(sql('alter function keep_answer rename to mislaid'));
      return { runs };
    };
    const key = 'a-key-that-is-nobodys-business';
    expect(await post({ key })).toMatchObject({ status: 200, text: '{"runs":1}' });
    await kernel.db.run(sql('alter function mislaid rename to keep_answer'));
    expect(logged).toContain('the answer under a key was not kept');
    expect(logged).not.toContain(key);
    await passLeases();
    expect(await post({ key })).toMatchObject({ status: 409, code: 'idempotency_answer_lost' });
  });

  it('without a database nothing is begun', async () => {
    await kernel.db.run(sql('alter function claim_key rename to mislaid'));
    expect((await post({ key: 'a-key-that-is-nobodys-business' })).status).toBe(500);
    await kernel.db.run(sql('alter function mislaid rename to claim_key'));
    expect(runs).toBe(0);
    expect(logged).toContain('a request failed');
    expect(logged).not.toContain('a-key-that-is-nobodys-business');
  });

  it('a stream is no answer that can be kept', async () => {
    act = async (_request, reply) => reply.type('text/plain').send(Readable.from(['a', 'b']));
    expect((await post()).text).toBe('ab');
    await eventually(() => expect(logged).toContain('Only a body that is made as a whole'));
  });
});

it('pages of other origins may send a key, and see that an answer is a replayed one', async () => {
  const origin = 'https://elsewhere.example';
  const preflight = await send('/api/things', {
    method: 'OPTIONS',
    key: '',
    body: null,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'idempotency-key,x-cart-token',
    },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toBe('idempotency-key,x-cart-token');
  await post();
  const again = await post({ headers: { origin } });
  expect(again.replayed).toBe('true');
  expect(again.headers.get('access-control-allow-origin')).toBe(origin);
  const exposed = again.headers.get('access-control-expose-headers')?.split(', ');
  expect(exposed).toEqual(expect.arrayContaining(['idempotent-replayed', 'x-cart-token']));
});
