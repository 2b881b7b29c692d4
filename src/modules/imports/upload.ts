import { Readable } from 'node:stream';
import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import type { Blobs } from '../../kernel/blobs.ts';
import { AppError } from '../../kernel/errors.ts';
import { badRequest, validationFailed } from '../../kernel/http/index.ts';
import { feedTooLarge } from './errors.ts';
import { MAX_FEED_BYTES } from './fetch-feed.ts';
import { type ImportMode, MODES } from './import-report.ts';

/** The form of an upload, read as it arrives: the file goes to the blob store and is never held in memory. */

export const UPLOAD_LIMITS = { fileSize: MAX_FEED_BYTES, fieldSize: 1_000, fields: 10, files: 10, parts: 20 } as const;

export type Uploaded = { mode: ImportMode; fileName: string; bytes: number; sha256: string };

/**
 * Takes a form of one `file` and at most one `mode`, in any order, and stores the file under `key`. Throws
 * validation_failed, feed_too_large, bad_request for a form that breaks off; then nothing is stored.
 */
export async function receiveFeed(
  parts: AsyncIterable<MultipartFile | MultipartValue>,
  blobs: Blobs,
  key: string,
): Promise<Uploaded> {
  let mode: ImportMode | undefined;
  let stored: Omit<Uploaded, 'mode'> | undefined;
  const form = unbroken(parts);
  try {
    for await (const part of form) {
      const { fieldname } = part;
      if (fieldname === 'mode' && part.type === 'field' && mode === undefined) mode = modeOf(part.value);
      else if (fieldname === 'file' && part.type === 'file' && !stored) stored = await store(part, blobs, key);
      else throw invalid(fieldname, describe(fieldname));
    }
    if (!stored) throw invalid('file', 'is required');
    if (stored.bytes === 0) throw invalid('file', 'is empty');
    return { mode: mode ?? 'create', ...stored };
  } catch (error) {
    if (stored) await blobs.remove([key]);
    throw error;
  }
}

function describe(fieldname: string): string {
  if (fieldname === 'file') return 'must be one file';
  return fieldname === 'mode' ? 'must be one value' : 'is not known here';
}

function invalid(path: string, message: string): AppError {
  return validationFailed('Send a form with the feed as file, and mode if need be.', { errors: [{ path, message }] });
}

function modeOf(value: unknown): ImportMode {
  const mode = MODES.find((known) => known === value);
  if (!mode) throw invalid('mode', `must be one of ${MODES.join(', ')}`);
  return mode;
}

async function store(part: MultipartFile, blobs: Blobs, key: string): Promise<Omit<Uploaded, 'mode'>> {
  const { bytes, sha256 } = await blobs.put(key, Readable.from(whole(part.file), { objectMode: false }));
  return { fileName: nameOf(part.filename), bytes, sha256 };
}

async function* whole(file: MultipartFile['file']): AsyncGenerator<Buffer> {
  yield* unbroken(file as AsyncIterable<Buffer>);
  // The parser cuts off what is too large, and says so only here.
  if (file.truncated) throw feedTooLarge('A feed may have 2 GiB. Pack it with gzip, or split it into several feeds.');
}

/** What the client has broken is its fault to be told, not one of ours. */
async function* unbroken<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    for await (const one of source) yield one;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw badRequest('The form broke off, or is not as multipart/form-data has to be. Send it again.');
  }
}

/** The name without a path, as clients with bad manners send it, and without what could disturb a line of text. */
function nameOf(sent: string): string {
  const name = (sent.split(/[/\\]/).at(-1) ?? '').replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '').trim();
  return name.slice(0, 200) || 'feed.xml';
}
