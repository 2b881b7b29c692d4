/**
 * The file's bytes, unpacked, in blocks of one size however the source was cut. Everything behind works block by block,
 * so its result cannot depend on the cuts, and no string in it is longer than a block.
 */
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FeedError } from './issue.ts';

export const BLOCK_BYTES = 65_536;

/** Whether `bytes` begin as every gzip member does (RFC 1952, 2.3.1). */
const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Yields the content of a plain or gzip file (several members included) in blocks of BLOCK_BYTES, the last one shorter.
 * The array is one buffer, filled anew for each block. `onBytes` gets the length of each chunk of the file as stored.
 *
 * @throws FeedError `gzip_corrupt`; errors of the source pass through.
 */
export async function* readBlocks(
  source: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of unpack(count(source, onBytes))) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + BLOCK_BYTES - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < BLOCK_BYTES) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

async function* count(source: AsyncIterable<Uint8Array>, onBytes: (count: number) => void) {
  for await (const chunk of source) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function* unpack(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < 2) {
      const next = await source.next();
      if (next.done) break;
      head = Buffer.concat([head, next.value]);
    }
    const whole = rejoined(head, source);
    yield* isGzip(head) ? pipeline(whole, createGunzip({ chunkSize: BLOCK_BYTES }), () => {}) : whole;
  } catch (error) {
    throw gzipError(error) ?? error;
  } finally {
    // The pipeline closes its source at a time of its own; whoever stops reading may count on its being closed.
    await source.return(undefined);
  }
}

async function* rejoined(head: Uint8Array, source: AsyncGenerator<Uint8Array>) {
  yield head;
  yield* source;
}

function gzipError(error: unknown): FeedError | null {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'Z_BUF_ERROR') {
    return new FeedError('gzip_corrupt', 'The gzip file ends too early: it was cut off. Fetch or upload it again.');
  }
  if (code === 'Z_DATA_ERROR') {
    return new FeedError('gzip_corrupt', 'The gzip file is damaged and cannot be unpacked. Fetch or upload it again.');
  }
  return null;
}
