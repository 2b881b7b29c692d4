import { isUuid } from '../../kernel/ids.ts';
import { invalidCursor } from './errors.ts';
import type { Ordering } from './schemas.ts';

/**
 * A keyset cursor: the ordering, and the last item's place in it. It is no secret and grants nothing; what it holds is
 * judged before it reaches the SQL, as parameters.
 */
export type Cursor = { ordering: Ordering; value: string | number; id: string };

export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.ordering, cursor.value, cursor.id])).toString('base64url');
}

/** Throws invalid_cursor for anything that writeCursor did not write for this ordering. */
export function readCursor(text: string, ordering: Ordering): Cursor {
  const refuse = () =>
    invalidCursor('Use next_cursor of the page before as it stands, with the same filters and ordering.');
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw refuse();
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw refuse();
  const [of, value, id] = parts as unknown[];
  if (of !== ordering || typeof id !== 'string' || !isUuid(id) || !fits(ordering, value)) throw refuse();
  return { ordering, value: value as string | number, id };
}

function fits(ordering: Ordering, value: unknown): boolean {
  switch (ordering) {
    case 'name':
    case '-name':
      return typeof value === 'string' && value.length <= 1_000 && !value.includes('\0');
    case 'created_at':
    case '-created_at':
      return typeof value === 'string' && isTime(value);
    case 'lowest_offer':
      // The text of bigint's maximum stands for "no offer", which sorts last.
      return typeof value === 'string' && /^\d{1,19}$/.test(value) && BigInt(value) <= 9223372036854775807n;
    default:
      return Number.isSafeInteger(value);
  }
}

/** As Date writes it, which leaves no 30th of February; PostgreSQL knows no year 0. */
function isTime(text: string): boolean {
  if (!/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}
