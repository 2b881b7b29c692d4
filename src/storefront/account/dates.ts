/** Times as people say them. */

const relative = new Intl.RelativeTimeFormat('en');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** `Jan 15, 2026`, as it was in that time zone. */
export function day(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone }).format(at);
}

/** `Jan 15, 2026, 1:00 PM`, as it was in that time zone. */
export function time(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(at);
}

/** `3 hours ago`, `2 days ago`, which holds in any time zone; no finer than hours, as uses of a session are noted. */
export function ago(at: Date, now: Date): string {
  const passed = now.getTime() - at.getTime();
  if (passed < HOUR) return 'within the hour';
  return passed < DAY
    ? relative.format(-Math.floor(passed / HOUR), 'hour')
    : relative.format(-Math.floor(passed / DAY), 'day');
}
