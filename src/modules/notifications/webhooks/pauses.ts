/** How long to wait after failures, in milliseconds. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const PAUSES = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR] as const;
const LONGEST = PAUSES.at(-1)!;

/** A receiver is asked this often whether it is back, so that whatever waits for it need not wait for hours. */
const LONGEST_BETWEEN_PROBES = 15 * MINUTE;

/** For how long one delivery is tried, and for how long a receiver may fail before it is given up. */
export const DAY = 24 * HOUR;

/** Before a delivery that failed so many times is tried again. */
export function pauseOfDelivery(failures: number): number {
  return jittered(PAUSES[Math.min(failures, PAUSES.length) - 1]!);
}

/** Before anything is sent to a receiver that failed so many times in a row. */
export function pauseOfEndpoint(failures: number): number {
  return jittered(Math.min(PAUSES[Math.min(failures, PAUSES.length) - 1]!, LONGEST_BETWEEN_PROBES));
}

/** Until when a Retry-After header (RFC 9110, 10.2.3: seconds or a date) asks to wait, four hours at most. */
export function retryAfter(header: string | null, now: Date): Date | null {
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * SECOND : new Date(header).getTime() - now.getTime();
  return ms > 0 ? new Date(now.getTime() + Math.min(ms, LONGEST)) : null;
}

/** So that what failed together does not come back together. */
function jittered(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random());
}
