import type { Readable } from 'node:stream';
import { createFolderBlobs } from './blobs/folder.ts';
import { createS3Blobs } from './blobs/s3.ts';
import type { Config } from './config.ts';

/**
 * Uploaded files: a folder, or anything that speaks S3. Written once under a key, never changed. A key is a path of
 * `[a-z0-9._-]` in which no part begins with a dot; anything else is a fault of the caller.
 */
export interface Blobs {
  /** Stores the stream and answers its length and SHA-256 (hex). What fails midway leaves nothing behind. */
  put(
    key: string,
    content: Readable | Buffer,
    options?: { contentType?: string },
  ): Promise<{ bytes: number; sha256: string }>;
  /** Null when there is none. */
  get(key: string): Promise<{ stream: Readable; bytes: number } | null>;
  /** A path of the file on this machine for as long as `work` runs; null when there is none. */
  withFile<T>(key: string, work: (path: string) => Promise<T>): Promise<T | null>;
  /** Those that are not there count as removed. */
  remove(keys: readonly string[]): Promise<void>;
}

export function createBlobs(config: Pick<Config, 'BLOB_URL' | 'DATA_DIR'>): Blobs {
  return config.BLOB_URL === null ? createFolderBlobs(`${config.DATA_DIR}/blobs`) : createS3Blobs(config.BLOB_URL);
}
