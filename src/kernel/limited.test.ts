import { describe, expect, it } from 'vitest';
import { createLimited } from './limited.ts';

describe('limited work', () => {
  it('runs so many at once, in the order of asking, and goes on after one that failed', async () => {
    const limited = createLimited(2, 10);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) =>
        limited(async () => {
          running += 1;
          most = Math.max(most, running);
          order.push(i);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running -= 1;
          if (i === 3) throw new Error('no');
          return i;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(all.map(({ status }) => status)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (i === 3 ? 'rejected' : 'fulfilled')),
    );
  });

  it('refuses at once what would wait behind too many', async () => {
    const limited = createLimited(1, 2);
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = limited(() => held);
    const waiting = [limited(async () => 1), limited(async () => 2)];
    await expect(limited(async () => 3)).rejects.toMatchObject({ code: 'busy', status: 503 });
    release();
    await first;
    expect(await Promise.all(waiting)).toEqual([1, 2]);
    expect(await limited(async () => 4)).toBe(4);
  });
});
