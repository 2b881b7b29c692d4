import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Blobs } from '../blobs.ts';
import { checkKey } from './key.ts';

/** Keys have no parts that begin with a dot, so nothing in this folder is a blob. */
const UNFINISHED = '.unfinished';

/** What a killed process was writing is nobody's once it is this old; no upload takes a day. */
const ABANDONED_MS = 86_400_000;

/**
 * Blobs as files of a folder: written beside, synced, and then renamed to where they are found, so that a file under a
 * key is always whole, also after a crash of the machine.
 */
export function createFolderBlobs(root: string): Blobs {
  const pathOf = (key: string) => join(root, checkKey(key));
  const unfinished = join(root, UNFINISHED);
  let swept: Promise<void> | undefined;

  const fileOf = async (key: string): Promise<{ path: string; bytes: number } | null> => {
    const path = pathOf(key);
    const found = await unlessMissing(stat(path));
    return found?.isFile() ? { path, bytes: found.size } : null;
  };

  return {
    async put(key, content) {
      const path = pathOf(key);
      await mkdir(unfinished, { recursive: true });
      // Housekeeping, once for each process: what it cannot do must not stop an upload.
      swept ??= sweep(unfinished).catch(() => {});
      await swept;
      const draft = join(unfinished, randomUUID());
      try {
        const written = await write(draft, content);
        await mkdir(dirname(path), { recursive: true });
        await rename(draft, path);
        await syncFolder(dirname(path));
        return written;
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    async get(key) {
      const file = await fileOf(key);
      if (!file) return null;
      const handle = await unlessMissing(open(file.path));
      // Opened here: a file that is removed while somebody reads it is read to its end.
      return handle && { stream: createReadStream('', { fd: handle }), bytes: file.bytes };
    },
    async withFile(key, work) {
      const file = await fileOf(key);
      return file && work(file.path);
    },
    async remove(keys) {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },
  };
}

async function write(path: string, content: Readable | Buffer): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      hash.update(chunk);
      bytes += (chunk as Buffer).length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A new name is only sure to be there after a crash once its folder is synced too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function sweep(folder: string): Promise<void> {
  const before = Date.now() - ABANDONED_MS;
  for (const name of await readdir(folder)) {
    const file = await unlessMissing(stat(join(folder, name)));
    if (file && file.mtimeMs < before) await rm(join(folder, name), { force: true });
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
