import type { Database } from '../../kernel/db.ts';
import {
  type LogEnds,
  type LoggedEvent,
  matchesTypes,
  readEvents,
  readEventsBefore,
  readLogEnds,
} from '../../kernel/events.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { invalidCursor } from '../../kernel/paging.ts';
import { cursorExpired } from './errors.ts';
import { messageOf } from './events.ts';
import { narrowTypes } from './feeds.ts';
import type { EventPage, EventQuery } from './schemas.ts';

type ReadEvent = Omit<LoggedEvent, 'event_id'>;

/**
 * The per-product changes of an import, oldest first, in the shape of events: their positions are cursors of their own.
 * Part of the catalogue, which owns them.
 */
export type ImportChanges = (
  importId: string,
  range: { after: number; limit: number; types: (type: string) => boolean },
) => Promise<ReadEvent[]>;

type Deps = {
  db: Database;
  usernamesOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  importChanges: ImportChanges;
};

const LIMIT = 100;

/** Throws cursor_expired for what can no longer be followed without a gap, and invalid_cursor for what is yet to come. */
export function demandCursor({ head, expiredThrough }: LogEnds, after: number): void {
  if (after < expiredThrough)
    throw cursorExpired(
      `Events up to ${expiredThrough} are no longer kept. Load anew what you follow, then go on from ${expiredThrough} or later.`,
      { oldest_cursor: expiredThrough },
    );
  if (after > head) throw invalidCursor(`No event has this cursor yet; the newest is ${head}.`);
}

/** A page of the log, or of an import's changes. Throws validation_failed, cursor_expired, invalid_cursor. */
export async function readTrail(deps: Deps, query: EventQuery): Promise<EventPage> {
  const { db } = deps;
  const { after, before, import_id, limit = LIMIT } = query;
  const types = narrowTypes(null, query.types) ?? undefined;
  if (before !== undefined && (after !== undefined || import_id !== undefined))
    throw validationFailed('Some fields are not valid.', {
      errors: [{ path: 'before', message: 'cannot be combined with after or import_id' }],
    });
  const page = async (found: ReadEvent[], through: number): Promise<EventPage> => {
    const shown = found.slice(0, limit);
    const names = await deps.usernamesOf(shown.flatMap(({ actor_id }) => actor_id ?? []));
    const next = found.length > limit ? shown.at(-1)!.position : null;
    return { items: shown.map((event) => messageOf(event, names)), next_cursor: next, cursor: through };
  };
  const through = (found: ReadEvent[], complete: number) =>
    found.length > limit ? found[limit - 1]!.position : Math.max(complete, found.at(-1)?.position ?? 0);

  if (import_id !== undefined) {
    const from = after ?? 0;
    const wanted = (type: string) => !types || matchesTypes(type, types);
    const found = await deps.importChanges(import_id, { after: from, limit: limit + 1, types: wanted });
    return page(found, through(found, from));
  }
  const ends = await readLogEnds(db);
  const narrowed = { limit: limit + 1, ...(types && { types }) };
  if (before !== undefined) return page(await readEventsBefore(db, { before, ...narrowed }), ends.head);
  if (after !== undefined) demandCursor(ends, after);
  const from = after ?? ends.expiredThrough;
  const found = await readEvents(db, { after: from, ...narrowed });
  // The log may have lost its beginning between the two reads.
  if (after !== undefined) demandCursor({ ...(await readLogEnds(db)), head: Number.MAX_SAFE_INTEGER }, after);
  return page(found, through(found, ends.head));
}
