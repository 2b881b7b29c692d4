import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import type { Blobs } from '../blobs.ts';
import { checkKey } from './key.ts';

/**
 * Blobs in a store that speaks S3, addressed by path. What is sent is never more than one part in memory: small contents
 * go by one PUT, larger ones by a multipart upload, which is aborted when anything fails, so that no half of it stays.
 * Each request carries the hash of its body, by which the store refuses what was damaged on the way.
 */

/** Parts must have 5 MiB at least and be 10,000 at most: enough for 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024;

const TRIES = 5;
const FIRST_PAUSE_MS = 100;
/** For a part of 8 MiB over a poor line. */
const ANSWER_MS = 60_000;

type Request = {
  method: string;
  key: string;
  query?: string;
  body?: Buffer<ArrayBuffer>;
  contentType?: string | undefined;
};

/** What the store answered when it refused; the message names neither its address nor a credential. */
class S3Error extends Error {
  override name = 'S3Error';
  readonly status: number;
  constructor(request: Request, status: number, answer: string) {
    const code = /<Code>([^<]{1,100})<\/Code>/.exec(answer)?.[1] ?? 'no code';
    super(`The blob store answered ${status} (${code}) to ${request.method} ${request.key}.`);
    this.status = status;
  }
}

export function createS3Blobs(blobUrl: string, { firstPauseMs = FIRST_PAUSE_MS } = {}): Blobs {
  const store = readBlobUrl(blobUrl);
  const keyCache = new Map<string, ArrayBuffer>();

  const attempt = async ({ method, key, query = '', body, contentType }: Request): Promise<Response> => {
    const signed = await new AwsV4Signer({
      ...store.credentials,
      service: 's3',
      cache: keyCache,
      method,
      url: `${store.base}/${key}${query}`,
      headers: {
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
        'accept-encoding': 'identity',
        ...(contentType ? { 'content-type': contentType } : {}),
      },
    }).sign();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error('The blob store did not answer in time.')), ANSWER_MS);
    try {
      const { headers, url } = signed;
      return await fetch(url, { method, headers, body: body ?? null, signal: controller.signal, redirect: 'manual' });
    } finally {
      clearTimeout(timer);
    }
  };

  /** Tries again what may only have failed by chance, after pauses that grow. Everything sent here may be sent twice. */
  const retrying = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const isFinal = error instanceof S3Error && error.status < 500 && error.status !== 429;
        if (isFinal || tries === TRIES) throw error;
        await sleep(firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
      }
    }
  };

  /** The answer's text; throws for a refusal, also for one that comes as 200 with an error inside. */
  const call = (request: Request): Promise<{ headers: Headers; text: string }> =>
    retrying(async () => {
      const response = await attempt(request);
      const text = await response.text();
      if (!response.ok) throw new S3Error(request, response.status, text);
      // Completing takes the store so long that it begins its answer before it knows (S3, CompleteMultipartUpload).
      if (/^\s*(<\?xml[^>]*>)?\s*<Error>/.test(text)) throw new S3Error(request, 500, text);
      return { headers: response.headers, text };
    });

  const open = async (key: string): Promise<{ stream: Readable; bytes: number } | null> => {
    const request = { method: 'GET', key };
    const response = await attempt(request);
    if (response.status === 404) {
      const answer = await response.text();
      if (answer.includes('NoSuchBucket')) throw new S3Error(request, 404, answer);
      return null;
    }
    if (!response.ok) throw new S3Error(request, response.status, await response.text());
    const bytes = Number(response.headers.get('content-length'));
    return { stream: response.body ? Readable.fromWeb(response.body as ReadableStream) : Readable.from([]), bytes };
  };

  /** Should the answer to the first request be lost, an empty upload stays in the store until its own rules end it. */
  const beginUpload = async (key: string, contentType: string | undefined) => {
    const { text } = await call({ method: 'POST', key, query: '?uploads=', contentType });
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(text)?.[1];
    if (!id) throw new Error('The blob store began an upload without saying which.');
    const uploadId = `uploadId=${encodeURIComponent(unescapeXml(id))}`;
    const etags: string[] = [];
    return {
      async send(body: Buffer<ArrayBuffer>) {
        const query = `?partNumber=${etags.length + 1}&${uploadId}`;
        const { headers } = await call({ method: 'PUT', key, query, body });
        etags.push(headers.get('etag') ?? '');
      },
      async complete() {
        const parts = etags.map(
          (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
        );
        const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
        await call({ method: 'POST', key, query: `?${uploadId}`, body, contentType: 'application/xml' });
      },
      /** Never throws: that the upload failed is what the caller must hear. */
      async abort() {
        await call({ method: 'DELETE', key, query: `?${uploadId}` }).catch(() => {});
      },
    };
  };

  return {
    async put(key, content, { contentType } = {}) {
      checkKey(key);
      const hash = createHash('sha256');
      let bytes = 0;
      const parts = inParts(content, (chunk) => {
        hash.update(chunk);
        bytes += chunk.length;
      });
      let upload: Awaited<ReturnType<typeof beginUpload>> | undefined;
      let whole: Buffer<ArrayBuffer> = Buffer.alloc(0);
      try {
        for await (const part of parts) {
          if (!upload && part.length < PART_BYTES) {
            whole = part;
            continue;
          }
          upload ??= await beginUpload(key, contentType);
          await upload.send(part);
        }
        if (upload) await upload.complete();
        else await call({ method: 'PUT', key, body: whole, contentType });
      } catch (error) {
        await upload?.abort();
        throw error;
      }
      return { bytes, sha256: hash.digest('hex') };
    },
    get: (key) => retrying(() => open(checkKey(key))),
    async withFile(key, work) {
      checkKey(key);
      const folder = await mkdtemp(join(tmpdir(), 'vitrine-blob-'));
      try {
        const path = join(folder, 'blob');
        const found = await retrying(async () => {
          const blob = await open(key);
          if (!blob) return false;
          await pipeline(blob.stream, createWriteStream(path));
          return true;
        });
        return found ? await work(path) : null;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async remove(keys) {
      for (const key of keys.map(checkKey))
        await call({ method: 'DELETE', key }).catch((error: unknown) => {
          if (!(error instanceof S3Error && error.status === 404)) throw error;
        });
    },
  };
}

/** `s3://KEY:SECRET@host[:port]/bucket[/prefix][?region=…&tls=false]`, as config.ts has checked it. */
function readBlobUrl(text: string): {
  base: string;
  credentials: { accessKeyId: string; secretAccessKey: string; region?: string };
} {
  const url = new URL(text);
  const path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent).map(encodeURIComponent).join('/');
  const region = url.searchParams.get('region');
  return {
    base: `${url.searchParams.get('tls') === 'false' ? 'http' : 'https'}://${url.host}/${path}`,
    credentials: {
      accessKeyId: decodeURIComponent(url.username),
      secretAccessKey: decodeURIComponent(url.password),
      ...(region ? { region } : {}),
    },
  };
}

/** The content in parts of one size, only the last of them smaller; each is taken before more is read. */
async function* inParts(
  content: Readable | Buffer,
  onChunk: (chunk: Buffer) => void,
): AsyncGenerator<Buffer<ArrayBuffer>, void> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of Buffer.isBuffer(content) ? [content] : (content as AsyncIterable<Buffer>)) {
    onChunk(chunk);
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, PART_BYTES - size);
      held.push(taken);
      size += taken.length;
      rest = rest.subarray(taken.length);
      if (size < PART_BYTES) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(held);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function unescapeXml(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
