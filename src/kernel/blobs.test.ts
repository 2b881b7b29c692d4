import { createHash, createHmac, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, request as requestOf, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import S3rver from 's3rver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFolderBlobs } from './blobs/folder.ts';
import { createS3Blobs } from './blobs/s3.ts';
import { type Blobs, createBlobs } from './blobs.ts';

const MiB = 1024 * 1024;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** What every place for blobs does. `stored` names whatever stands there, also what no key leads to. */
function blobsContract(name: string, make: () => { blobs: Blobs; stored: () => string[] }): void {
  describe(`blobs in ${name}`, () => {
    let blobs: Blobs;
    let stored: () => string[];
    let prefix: string;
    beforeEach(() => {
      ({ blobs, stored } = make());
      prefix = `t${randomBytes(6).toString('hex')}`;
    });
    const read = async (key: string) => {
      const found = await blobs.get(key);
      if (!found) return null;
      const content = await buffer(found.stream);
      expect(content.length).toBe(found.bytes);
      return content;
    };
    const ours = () => stored().filter((file) => file.includes(prefix));

    it.each([
      ['nothing at all', 0],
      ['a few bytes', 11],
      ['exactly one part', 8 * MiB],
      ['several parts and a rest', 20 * MiB + 12_345],
    ])('give back %s, with length and hash', async (_what, size) => {
      const content = randomBytes(size);
      for (const [i, given] of [content, Readable.from(pieces(content))].entries()) {
        const key = `${prefix}/${i}/a-file_1.bin`;
        expect(await blobs.put(key, given, { contentType: 'image/webp' })).toEqual({
          bytes: size,
          sha256: sha256(content),
        });
        expect((await read(key))?.equals(content)).toBe(true);
      }
    });

    it('say null for what is not there', async () => {
      expect(await blobs.get(`${prefix}/none`)).toBeNull();
      expect(await blobs.withFile(`${prefix}/none`, async () => 'seen')).toBeNull();
      await blobs.put(`${prefix}/folder/file`, Buffer.from('x'));
      expect(await blobs.get(`${prefix}/folder`)).toBeNull();
      expect(await blobs.get(`${prefix}/folder/file/below`)).toBeNull();
    });

    it('lend a file for as long as it is worked on', async () => {
      const content = randomBytes(300_000);
      await blobs.put(`${prefix}/file`, content);
      let lent = '';
      const result = await blobs.withFile(`${prefix}/file`, async (path) => {
        lent = path;
        return readFileSync(path).equals(content);
      });
      expect(result).toBe(true);
      const stays = ours().some((file) => lent.endsWith(file));
      expect(existsSync(lent)).toBe(stays);
      await expect(
        blobs.withFile(`${prefix}/file`, async (path) => {
          lent = path;
          throw new Error('the work failed');
        }),
      ).rejects.toThrow('the work failed');
      expect(existsSync(lent)).toBe(stays);
    });

    it('remove, and remove again', async () => {
      await blobs.put(`${prefix}/a`, Buffer.from('a'));
      await blobs.put(`${prefix}/b`, Buffer.from('b'));
      await blobs.remove([`${prefix}/a`, `${prefix}/never`]);
      await blobs.remove([`${prefix}/a`]);
      await blobs.remove([]);
      expect(await read(`${prefix}/a`)).toBeNull();
      expect((await read(`${prefix}/b`))?.toString()).toBe('b');
    });

    it.each([100, 20 * MiB])('leave nothing of a stream that fails after %d bytes', async (size) => {
      const before = stored().length;
      const failing = Readable.from(
        (function* () {
          yield* pieces(randomBytes(size));
          throw new Error('the line went dead');
        })(),
      );
      await expect(blobs.put(`${prefix}/failing`, failing)).rejects.toThrow('the line went dead');
      expect(await blobs.get(`${prefix}/failing`)).toBeNull();
      expect(stored()).toHaveLength(before);
    });

    it('leave nothing of a stream whose sender goes away', async () => {
      const before = stored().length;
      const gone = new Readable({ read() {} });
      gone.push(randomBytes(9 * MiB));
      const put = blobs.put(`${prefix}/gone`, gone);
      const outcome = put.then(
        () => 'stored',
        () => 'refused',
      );
      await sleep(100);
      gone.destroy();
      expect(await outcome).toBe('refused');
      expect(await blobs.get(`${prefix}/gone`)).toBeNull();
      expect(stored()).toHaveLength(before);
    });

    it('never show a file before it is whole', async () => {
      let seen: unknown = 'not asked';
      await blobs.put(
        `${prefix}/slow`,
        Readable.from(
          (async function* () {
            yield randomBytes(9 * MiB);
            seen = await blobs.get(`${prefix}/slow`);
            yield randomBytes(10);
          })(),
        ),
      );
      expect(seen).toBeNull();
      expect((await read(`${prefix}/slow`))?.length).toBe(9 * MiB + 10);
    });

    it.each([
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/../b',
      'a/.b',
      '.unfinished/x',
      'A',
      'a b',
      'a\\b',
      'a%2fb',
      'a\0',
      'ä',
      'a?b',
      'a'.repeat(201),
    ])('refuse %j as a key', async (key) => {
      const refusal = /is no key/;
      await expect(blobs.put(key, Buffer.from('x'))).rejects.toThrow(refusal);
      await expect((async () => blobs.get(key))()).rejects.toThrow(refusal);
      await expect((async () => blobs.withFile(key, async () => 1))()).rejects.toThrow(refusal);
      await expect((async () => blobs.remove([key]))()).rejects.toThrow(refusal);
    });
  });
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let i = 0; i < content.length; i += 70_001) yield content.subarray(i, i + 70_001);
}

/** Every file below the folder that holds content. */
function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'vitrine-blobs-'));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

blobsContract('a folder', () => {
  const root = join(temporary, 'folder', 'blobs');
  return { blobs: createFolderBlobs(root), stored: () => filesOf(root) };
});

describe('a folder', () => {
  it('sweeps away what a process that was killed has left, but not what one is writing', async () => {
    const root = join(temporary, 'left');
    const unfinished = join(root, '.unfinished');
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'old'), 'x');
    writeFileSync(join(unfinished, 'new'), 'x');
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(join(unfinished, 'old'), yesterday, yesterday);
    await createFolderBlobs(root).put('a', Buffer.from('a'));
    expect(readdirSync(unfinished)).toEqual(['new']);
  });

  it('is the place when no other is named', async () => {
    await createBlobs({ BLOB_URL: null, DATA_DIR: join(temporary, 'data') }).put('a/b', Buffer.from('ab'));
    expect(readFileSync(join(temporary, 'data', 'blobs', 'a', 'b'), 'utf8')).toBe('ab');
  });
});

type Fault = (request: IncomingMessage, response: ServerResponse) => 'passed on' | 'answered' | 'answered afterwards';

/**
 * A server that speaks S3, with a host in front of it that checks each signature (s3rver looks at none of version 4),
 * knows how to abort an upload (which s3rver does not), and fails when a test wants it to.
 */
async function startS3(folder: string) {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'shop' }],
  });
  const behind = await server.run();
  const requests: string[] = [];
  let fault: Fault = () => 'passed on';
  const front: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const wrong = signatureFault(request);
    if (wrong) {
      response.writeHead(403).end(`<Error><Code>SignatureDoesNotMatch</Code><Message>${wrong}</Message></Error>`);
      return;
    }
    const doing = fault(request, response);
    if (doing === 'answered') {
      request.resume();
      return;
    }
    const upload = /^\/shop\/.*\?uploadId=(\w+)$/.exec(request.url!)?.[1];
    if (request.method === 'DELETE' && upload) {
      rmSync(join(folder, 'shop', '._S3rver_uploads', upload), { recursive: true, force: true });
      response.writeHead(204).end();
      return;
    }
    const hash = createHash('sha256');
    request.on('data', (chunk) => hash.update(chunk));
    const passed = requestOf(
      { port: behind.port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers },
      async (answer) => {
        if (hash.digest('hex') !== request.headers['x-amz-content-sha256'])
          throw new Error('The body is not what was signed.');
        // It answers before the last bytes of what it was sent stand in its file.
        if (request.method !== 'GET') await sleep(30);
        if (doing === 'answered afterwards') return request.socket.destroy();
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    url: `s3://S3RVER:se%2Fcret@127.0.0.1:${(front.address() as AddressInfo).port}/shop/a%20folder?tls=false`,
    requests,
    failWith(next: Fault) {
      fault = next;
    },
    async stop() {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      server.httpServer.closeAllConnections();
      await server.close();
    },
  };
}

/** Signature Version 4 written anew ("Authenticating Requests", Amazon S3 API Reference); null when it holds. */
function signatureFault(request: IncomingMessage): string | null {
  const authorization = request.headers.authorization ?? '';
  const [, scope, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=S3RVER\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/.exec(authorization) ?? [];
  if (!scope || !signedHeaders) return 'no signature';
  const [path, query = ''] = request.url!.split('?');
  const canonicalQuery = query
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
  const canonical = [
    request.method,
    path,
    canonicalQuery,
    ...signedHeaders.split(';').map((name) => `${name}:${request.headers[name]}`),
    '',
    signedHeaders,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(Buffer.from(canonical))].join('\n');
  let key: Buffer = Buffer.from('AWS4se/cret');
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(toSign).digest('hex') === signature ? null : canonical;
}

describe('S3', () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  let folder: string;
  beforeAll(async () => {
    folder = join(temporary, 's3');
    mkdirSync(folder);
    s3 = await startS3(folder);
  });
  afterAll(() => s3.stop());

  const objects = () => filesOf(folder).filter((file) => !/\.md5$|metadata\.json$/.test(file));
  blobsContract('S3', () => {
    s3.failWith(() => 'passed on');
    return { blobs: createS3Blobs(s3.url, { firstPauseMs: 2 }), stored: objects };
  });

  describe('in trouble', () => {
    let blobs: Blobs;
    beforeEach(() => {
      blobs = createS3Blobs(s3.url, { firstPauseMs: 2 });
      s3.failWith(() => 'passed on');
      s3.requests.length = 0;
    });
    const refuse = (status: number) => (response: ServerResponse) => {
      response.writeHead(status).end('<Error><Code>SlowDown</Code></Error>');
      return 'answered' as const;
    };
    /** Every request fails twice, then passes. */
    const twice = (fail: (request: IncomingMessage, response: ServerResponse) => ReturnType<Fault>) => {
      const seen = new Map<string, number>();
      s3.failWith((request, response) => {
        const name = `${request.method} ${request.url}`;
        seen.set(name, (seen.get(name) ?? 0) + 1);
        return seen.get(name)! <= 2 ? fail(request, response) : 'passed on';
      });
    };
    const roundTrip = async (key: string, size: number) => {
      const content = randomBytes(size);
      await blobs.put(key, Readable.from(pieces(content)));
      const lent = await blobs.withFile(key, async (path) => readFileSync(path).equals(content));
      const got = await buffer((await blobs.get(key))!.stream);
      await blobs.remove([key]);
      return lent === true && got.equals(content) && (await blobs.get(key)) === null;
    };

    it.each([503, 500, 429])('tries again after a %d', async (status) => {
      twice((_request, response) => refuse(status)(response));
      expect(await roundTrip(`again/${status}`, 17 * MiB)).toBe(true);
    });

    it('tries again when the connection breaks', async () => {
      twice((request) => {
        request.socket.destroy();
        return 'answered';
      });
      expect(await roundTrip('again/broken', 17 * MiB)).toBe(true);
    });

    it('tries again when a file that it fetches breaks off', async () => {
      const content = randomBytes(MiB);
      await blobs.put('again/cut', content);
      let cuts = 0;
      s3.failWith((request, response) => {
        if (request.method !== 'GET' || ++cuts > 2) return 'passed on';
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 1000), () => request.socket.destroy());
        return 'answered';
      });
      expect(await blobs.withFile('again/cut', async (path) => readFileSync(path).equals(content))).toBe(true);
    });

    it('does not take a 200 with an error inside for a completed upload', async () => {
      let lies = 0;
      s3.failWith((request, response) => {
        if (!/^POST .*uploadId=/.test(`${request.method} ${request.url}`) || ++lies > 1) return 'passed on';
        response.writeHead(200).end('<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>');
        return 'answered';
      });
      expect(await roundTrip('lie', 9 * MiB)).toBe(true);
      expect(lies).toBe(2);
    });

    it('aborts an upload that it has to give up', async () => {
      s3.failWith((request, response) => (request.url!.includes('partNumber=2') ? refuse(503)(response) : 'passed on'));
      await expect(blobs.put('given-up', randomBytes(17 * MiB))).rejects.toThrow('503 (SlowDown)');
      expect(s3.requests.filter((request) => request.includes('partNumber=2'))).toHaveLength(5);
      expect(s3.requests.at(-1)).toMatch(/^DELETE .*uploadId=/);
      expect(objects().filter((file) => file.includes('uploads'))).toEqual([]);
    });

    it('gives up at once what is refused for good, and names no secret', async () => {
      const stranger = createS3Blobs(s3.url.replace('se%2Fcret', 'wrong'), { firstPauseMs: 2 });
      const refused = await stranger.put('stranger', Buffer.from('x')).catch((error: Error) => error);
      expect(String(refused)).toContain('403 (SignatureDoesNotMatch)');
      expect(JSON.stringify(refused) + String(refused)).not.toContain('wrong');
      expect(s3.requests).toHaveLength(1);
    });

    it('does not take a missing bucket for missing files', async () => {
      const elsewhere = createS3Blobs(s3.url.replace('/shop/', '/absent/'), { firstPauseMs: 2 });
      await expect(elsewhere.get('a')).rejects.toThrow('NoSuchBucket');
    });

    it('reads a large file no faster than the store takes it', async () => {
      let received = 0;
      s3.failWith((request, response) => {
        if (request.method !== 'PUT') return 'passed on';
        request.on('data', (chunk: Buffer) => {
          received += chunk.length;
        });
        request.on('end', () => response.writeHead(200, { etag: '"x"' }).end());
        return 'answered';
      });
      const chunk = randomBytes(64 * 1024);
      let given = 0;
      let mostHeld = 0;
      const source = Readable.from(
        (function* () {
          while (given < 128 * MiB) {
            mostHeld = Math.max(mostHeld, given - received);
            given += chunk.length;
            yield chunk;
          }
          throw new Error('enough');
        })(),
      );
      await expect(blobs.put('large', source)).rejects.toThrow('enough');
      expect(received).toBe(128 * MiB);
      expect(mostHeld).toBeLessThan(10 * MiB);
    });
  });
});
