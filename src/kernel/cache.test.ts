import { describe, expect, it } from 'vitest';
import { type Cache, createMemo, createMemoryCache, type Filled } from './cache.ts';

const answer = (body: string, tags: string[] = ['products']): Filled => ({ body, contentType: 'text/plain', tags });

function gate<T>(): { promise: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** What every cache must do, whatever it keeps its answers in. */
function cacheContract(name: string, create: () => Cache): void {
  describe(name, () => {
    it('keeps what was filled and gives its ETag', async () => {
      const cache = create();
      const first = await cache.fetch('a', async () => answer('one'));
      expect(cache.get('a')).toBe(first);
      expect(first.etag).toMatch(/^"[\w-]{16}"$/);
      expect((await cache.fetch('a', async () => answer('two'))).body.toString()).toBe('one');
    });

    it('fills a key once for all who ask at the same time', async () => {
      const cache = create();
      let fills = 0;
      const fill = async () => {
        fills += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return answer('one');
      };
      const entries = await Promise.all(Array.from({ length: 50 }, () => cache.fetch('a', fill)));
      expect(fills).toBe(1);
      expect(new Set(entries).size).toBe(1);
    });

    it('forgets by tag, and entries held elsewhere know it', async () => {
      const cache = create();
      const list = await cache.fetch('list', async () => answer('list', ['products']));
      const tree = await cache.fetch('tree', async () => answer('tree', ['categories']));
      cache.invalidate(['products']);
      expect(cache.get('list')).toBeUndefined();
      expect(list.fresh).toBe(false);
      expect(cache.get('tree')).toBe(tree);
    });

    it('never keeps a fill that began before an invalidation of its tags', async () => {
      const cache = create();
      const late = gate<Filled>();
      const asked = cache.fetch('list', () => late.promise);
      cache.invalidate(['products']);
      late.open(answer('old'));
      expect((await asked).body.toString()).toBe('old');
      expect((await asked).fresh).toBe(false);
      expect(cache.get('list')).toBeUndefined();
    });

    it('does not hand a fill from before an invalidation to who asks after it', async () => {
      const cache = create();
      const late = gate<Filled>();
      const before = cache.fetch('list', () => late.promise);
      cache.invalidate(['products']);
      const after = cache.fetch('list', async () => answer('new'));
      late.open(answer('old'));
      expect((await before).body.toString()).toBe('old');
      expect((await after).body.toString()).toBe('new');
      expect(cache.get('list')?.body.toString()).toBe('new');
    });

    it('keeps a fill during which only other tags were invalidated', async () => {
      const cache = create();
      const late = gate<Filled>();
      const asked = cache.fetch('list', () => late.promise);
      cache.invalidate(['categories']);
      late.open(answer('list'));
      await asked;
      expect(cache.get('list')?.body.toString()).toBe('list');
    });

    it('keeps nothing of a fill that fails or says so', async () => {
      const cache = create();
      await expect(cache.fetch('a', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      await cache.fetch('a', async () => ({ ...answer('miss'), keep: false }));
      expect(cache.get('a')).toBeUndefined();
      expect((await cache.fetch('a', async () => answer('hit'))).body.toString()).toBe('hit');
    });
  });
}

cacheContract('the memory cache', () => createMemoryCache());

describe('the memory cache’s bounds', () => {
  it('holds no more bytes than it may, and what it lets go is no longer fresh', async () => {
    const cache = createMemoryCache({ maxBytes: 20_000, ttlMs: 60_000 });
    const entries = [];
    for (let i = 0; i < 10; i++) entries.push(await cache.fetch(`k${i}`, async () => answer('x'.repeat(4_000))));
    expect(entries.filter((entry) => entry.fresh).length).toBeLessThanOrEqual(4);
    expect(entries.at(-1)?.fresh).toBe(true);
    const huge = await cache.fetch('huge', async () => answer('x'.repeat(30_000)));
    expect(huge.fresh).toBe(false);
  });

  it('lets entries die of age', async () => {
    const cache = createMemoryCache({ maxBytes: 20_000, ttlMs: -1 });
    await cache.fetch('a', async () => answer('one'));
    expect(cache.get('a')).toBeUndefined();
  });
});

describe('a memo', () => {
  it('loads once, again after a drop, and forgets a failure', async () => {
    let loads = 0;
    const memo = createMemo(async () => {
      loads += 1;
      if (loads === 2) throw new Error('down');
      return loads;
    });
    expect([await memo.get(), await memo.get()]).toEqual([1, 1]);
    memo.drop();
    await expect(memo.get()).rejects.toThrow('down');
    expect(await memo.get()).toBe(3);
  });
});
