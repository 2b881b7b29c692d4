import type { Logger } from '../log.ts';

/**
 * Does `work` every `ms` milliseconds, never twice at once; what it throws is logged, and it is done again. `stop`
 * waits for the one under way.
 */
export function periodically(ms: number, work: () => Promise<void>, log: Logger): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => log.warn({ err: error }, 'the workers will look again'))
      .finally(() => {
        running = undefined;
      });
  }, ms);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
