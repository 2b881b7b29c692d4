import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * Public answers, kept as the bytes that are sent, under tags.
 *
 * - One fill at a time for a key: the others wait for it.
 * - A fill that began before an invalidation of one of its tags is answered to those who wait for it, but never kept:
 *   it may hold what was true before. An entry's tags may come out of the fill itself, so the moment is compared when
 *   it lands.
 * - An entry knows that it is stale, so whoever holds it by another name (the raw-URL map of http.ts) sees it too.
 */

export type Entry = {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly expires: number;
  /** False once one of its tags was invalidated. */
  fresh: boolean;
};

export type Filled = {
  body: string | Buffer;
  contentType: string;
  tags: readonly string[];
  /** Goes in front of the digest in the ETag: `"<version>-<digest>"`. */
  version?: number;
  status?: number;
  headers?: Record<string, string>;
  /** False for an answer that must not be kept, such as a miss. */
  keep?: boolean;
};

export interface Cache {
  /** What is kept and still true. */
  get(key: string): Entry | undefined;
  /** What is kept, or what `fill` gives. */
  fetch(key: string, fill: () => Promise<Filled>): Promise<Entry>;
  invalidate(tags: readonly string[]): void;
}

export type CacheOptions = { maxBytes: number; ttlMs: number };

const DEFAULT_CACHE: CacheOptions = { maxBytes: 64 * 1024 * 1024, ttlMs: 3_600_000 };

/** How many tags' last invalidations are remembered; what is forgotten counts as invalidated just then. */
const TAGS_REMEMBERED = 20_000;

/** A strong entity tag over the bytes, with the version of what they show in front. */
export function etagOf(body: Buffer, version?: number): string {
  const digest = hash('sha1', body, 'base64url').slice(0, 16);
  return version === undefined ? `"${digest}"` : `"${version}-${digest}"`;
}

export function createMemoryCache(options: CacheOptions = DEFAULT_CACHE): Cache {
  const byTag = new Map<string, Set<string>>();
  const tagsOf = new WeakMap<Entry, readonly string[]>();
  const filling = new Map<string, { began: number; entry: Promise<Entry> }>();
  let moment = 0;
  let forgottenUpTo = 0;
  const invalidatedAt = new Map<string, number>();

  const entries = new LRUCache<string, Entry>({
    maxSize: options.maxBytes,
    sizeCalculation: (entry, key) => entry.body.length + key.length * 2 + 512,
    dispose: (entry, key) => {
      entry.fresh = false;
      for (const tag of tagsOf.get(entry) ?? []) {
        const keys = byTag.get(tag);
        keys?.delete(key);
        if (keys?.size === 0) byTag.delete(tag);
      }
    },
  });

  const get = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (!entry) return undefined;
    if (entry.fresh && entry.expires > Date.now()) return entry;
    entries.delete(key);
    return undefined;
  };

  const changedSince = (tags: readonly string[], began: number): boolean =>
    began < forgottenUpTo || tags.some((tag) => (invalidatedAt.get(tag) ?? 0) > began);

  const run = async (key: string, began: number, fill: () => Promise<Filled>): Promise<Entry> => {
    const filled = await fill();
    const body = typeof filled.body === 'string' ? Buffer.from(filled.body) : filled.body;
    const keep = filled.keep !== false && !changedSince(filled.tags, began);
    const entry: Entry = {
      body,
      contentType: filled.contentType,
      etag: etagOf(body, filled.version),
      status: filled.status ?? 200,
      headers: filled.headers ?? {},
      expires: Date.now() + options.ttlMs,
      fresh: keep,
    };
    if (keep) {
      tagsOf.set(entry, filled.tags);
      entries.set(key, entry);
      // One that is too large to be kept must not live on under another name either.
      if (!entries.has(key)) entry.fresh = false;
      for (const tag of filled.tags) {
        const keys = byTag.get(tag) ?? new Set();
        byTag.set(tag, keys.add(key));
      }
    }
    return entry;
  };

  return {
    get,
    fetch(key, fill) {
      const kept = get(key);
      if (kept) return Promise.resolve(kept);
      const other = filling.get(key);
      // A fill that began before the last invalidation may be stale for who asks only now.
      if (other && other.began === moment) return other.entry;
      const mine = { began: moment, entry: run(key, moment, fill) };
      filling.set(key, mine);
      const done = () => {
        if (filling.get(key) === mine) filling.delete(key);
      };
      mine.entry.then(done, done);
      return mine.entry;
    },
    invalidate(tags) {
      moment += 1;
      for (const tag of tags) {
        invalidatedAt.delete(tag);
        invalidatedAt.set(tag, moment);
        for (const key of [...(byTag.get(tag) ?? [])]) entries.delete(key);
      }
      while (invalidatedAt.size > TAGS_REMEMBERED) {
        const [oldest, at] = invalidatedAt.entries().next().value!;
        invalidatedAt.delete(oldest);
        forgottenUpTo = Math.max(forgottenUpTo, at);
      }
    },
  };
}

/** One value that is dear to load and asked for often; a load that began before a drop is never kept. */
export type Memo<T> = { get(): Promise<T>; drop(): void };

export function createMemo<T>(load: () => Promise<T>): Memo<T> {
  let kept: Promise<T> | undefined;
  return {
    get() {
      if (kept) return kept;
      const loading = load();
      kept = loading;
      loading.catch(() => {
        if (kept === loading) kept = undefined;
      });
      return loading;
    },
    drop() {
      kept = undefined;
    },
  };
}
