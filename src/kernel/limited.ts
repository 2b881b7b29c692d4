import { availableParallelism } from 'node:os';
import { defineError } from './errors.ts';

export const busy = defineError('busy', 503, 'Too busy');

/** Work that occupies a processor leaves one of them to everything else. */
export const CORES_FOR_HEAVY_WORK = Math.max(1, availableParallelism() - 1);

export type Limited = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Runs at most `atOnce` pieces of work together, in the order of asking. When `maxWaiting` wait already, one more is
 * refused with 503 `busy`: an answer at once is worth more than one after the caller has gone.
 */
export function createLimited(atOnce: number, maxWaiting: number): Limited {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting)
        throw busy('More is being worked on than can be done now. Try again in a moment.', {
          headers: { 'retry-after': '2' },
        });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
