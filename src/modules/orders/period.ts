import { validationFailed } from '../../kernel/http/index.ts';

/**
 * From when to when: `from` and `to` as clients send them, either a date, which is a whole day of the shop's time zone, or
 * a time. A day begins when its date begins to be shown on clocks there, so it may have 23 or 25 hours, and need not
 * begin at midnight.
 */
export type Period = {
  from?: Date;
  /** Inclusive. */
  through?: Date;
  /** Exclusive. */
  before?: Date;
};

const DATE = /^\d{4}-\d\d-\d\d$/;
/** RFC 3339, 5.6, but for leap seconds, which no clock of ours has. */
const TIME = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** Throws validation_failed. */
export function readPeriod(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  timeZone: string,
): Period {
  const period: Period = {};
  if (from !== undefined) period.from = isDate(from) ? startOfDay(from, timeZone) : readTime('from', from);
  if (to === undefined) return period;
  if (isDate(to)) period.before = startOfDay(dayAfter(to), timeZone);
  else period.through = readTime('to', to);
  return period;
}

function isDate(text: string): boolean {
  return DATE.test(text) && isInCalendar(text);
}

/** JavaScript takes the 30th of February for the 2nd of March. */
function isInCalendar(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}

function readTime(path: string, text: string): Date {
  if (TIME.test(text) && isInCalendar(text.slice(0, 10))) return new Date(text.toUpperCase());
  throw validationFailed('Some fields are not valid.', {
    errors: [{ path, message: 'must be a date such as 2026-03-29, or a time such as 2026-03-29T10:00:00Z' }],
  });
}

const DAY_MS = 86_400_000;

function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
}

/** When a date begins in a time zone, to the second: looked for, since no more is known of a time zone than what its clocks show. */
function startOfDay(date: string, timeZone: string): Date {
  const shown = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  const dateAt = (time: number) => {
    const parts = Object.fromEntries(shown.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts.year!, parts.month! - 1, parts.day!);
  };
  const wanted = Date.parse(`${date}T00:00:00Z`);
  // No time zone is, or was, a whole day away from UTC.
  let before = wanted - DAY_MS;
  let since = wanted + DAY_MS;
  while (since - before > 1_000) {
    const middle = Math.floor((before + since) / 2_000) * 1_000;
    if (dateAt(middle) < wanted) before = middle;
    else since = middle;
  }
  return new Date(since);
}
