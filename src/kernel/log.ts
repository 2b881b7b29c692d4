import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/**
 * Structured logs on stderr, so that stdout stays free for what a command answers. Addresses of people and secrets are
 * never handed to it: requests are logged by their route and path alone.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      // An error as it says itself, not with all that hangs on it: a driver's errors carry connections and statements.
      serializers: {
        err: ({ name, message, code, stack }: Error & { code?: string }) => ({ name, code, message, stack }),
      },
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
