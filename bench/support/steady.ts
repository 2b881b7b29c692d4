import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
export type Latencies = { count: number; p50: number; p99: number; max: number };

/**
 * Does `work` at a fixed rate, whether or not what was begun before is done, until `count` were begun or `isOver`, and measures
 * each from the moment it was due: what stalls cannot hide it by not being asked.
 */
export async function atSteadyRate(
  rate: number,
  { count, isOver = () => false }: { count: number; isOver?: () => boolean },
  work: (n: number) => Promise<unknown>,
): Promise<Latencies> {
  const began = performance.now();
  const taken: number[] = [];
  const running: Promise<void>[] = [];
  for (let n = 0; n < count && !isOver(); n++) {
    const due = began + (n * 1_000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    running.push(
      work(n).then(() => {
        taken.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(running);
  return latenciesOf(taken);
}

export function latenciesOf(taken: number[]): Latencies {
  const sorted = taken.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { count: sorted.length, p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
}
