import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import multipart from '@fastify/multipart';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Blobs, createBlobs } from '../../kernel/blobs.ts';
import type { AppError } from '../../kernel/errors.ts';
import { MAX_FEED_BYTES } from './fetch-feed.ts';
import { receiveFeed, UPLOAD_LIMITS } from './upload.ts';

/** The real parser and a real folder, with a limit that a test can pass. The rest of uploads is in tests/imports-http.test.ts. */

const LIMIT = 100_000;
let app: FastifyInstance;
let folder: string;
let blobs: Blobs;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-upload-'));
  blobs = createBlobs({ BLOB_URL: null, DATA_DIR: folder });
  app = Fastify();
  await app.register(multipart, { limits: { ...UPLOAD_LIMITS, fileSize: LIMIT }, throwFileSizeLimit: false });
  app.post('/', async (request, reply) => {
    try {
      return await receiveFeed(request.parts(), blobs, 'imports/a');
    } catch (error) {
      request.raw.unpipe();
      request.raw.resume();
      const { status = 500, code = String(error) } = error as Partial<AppError>;
      return reply.code(status).send({ code });
    }
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());

async function send(bytes: number, name = 'feed.xml'): Promise<[status: number, answer: { fileName?: string }]> {
  const form = new FormData();
  form.append('file', new Blob([Buffer.alloc(bytes, 'a')]), name);
  form.append('mode', 'upsert');
  const response = await fetch(url, { method: 'POST', body: form });
  return [response.status, (await response.json()) as { fileName?: string }];
}

it('a file of two gibibytes at most is taken', async () => {
  expect([UPLOAD_LIMITS.fileSize, MAX_FEED_BYTES]).toEqual([2_147_483_648, 2_147_483_648]);
  expect(await send(LIMIT)).toEqual([200, expect.objectContaining({ mode: 'upsert', bytes: LIMIT })]);
  expect(files()).toHaveLength(1);
  await blobs.remove(['imports/a']);
  for (const bytes of [LIMIT + 1, LIMIT * 30]) {
    expect(await send(bytes)).toEqual([413, { code: 'feed_too_large' }]);
    expect(files()).toEqual([]);
  }
});

it('a store that fails is a fault of ours, not of the form', async () => {
  blobs = { ...blobs, put: () => Promise.reject(new Error('no space left')) };
  expect(await send(10)).toEqual([500, { code: 'Error: no space left' }]);
});

it('a name is one line without a path', async () => {
  const nameOf = async (name: string) => (await send(10, name))[1].fileName;
  expect(await nameOf('spring.xml.gz')).toBe('spring.xml.gz');
  expect(await nameOf('../../etc/passwd')).toBe('passwd');
  expect(await nameOf('C:\\feeds\\spring.xml')).toBe('spring.xml');
  expect(await nameOf('a\r\nb\u202ec.xml')).not.toMatch(/[\r\n\u202e]/);
  expect(await nameOf('/')).toBe('feed.xml');
  expect(await nameOf('Größe 日本.xml')).toBe('Größe 日本.xml');
  expect(await nameOf('x'.repeat(1_000))).toHaveLength(200);
});
