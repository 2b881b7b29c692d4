import type { Database } from '../../kernel/db.ts';
import { readEvents, readLogEnds } from '../../kernel/events.ts';
import { createLimited } from '../../kernel/limited.ts';
import type { Logger } from '../../kernel/log.ts';
import { queryOf } from './feeds.ts';
import type { Client, Hub } from './hub.ts';
import { tellEvent } from './messages.ts';
import type { Names } from './names.ts';

/** Tells the client what it lacks and makes it live. */
export type CatchUp = (client: Client) => Promise<void>;

const BATCH = 500;
/** When a node restarts, all of its clients come back at once. */
const READS_AT_ONCE = 3;

/** The close code for a cursor that expired while it was read from: as 410 at the upgrade. */
const EXPIRED = 4410;

/**
 * Reads from the log, batch by batch, each when the one before was taken, until the client has all that the hub has told;
 * then it joins the hub at that very moment. A read sees all positions up to some point, and that is not before what the
 * hub had told when the read began, since the hub reads the same log: so a batch that is not full is complete through there.
 */
export function createCatchUp({ db, hub, names, log }: { db: Database; hub: Hub; names: Names; log: Logger }): CatchUp {
  const oneOfFew = createLimited(READS_AT_ONCE, Number.POSITIVE_INFINITY);

  const next = async (client: Client): Promise<boolean> => {
    const { feed, position: after } = client;
    const told = hub.told();
    const events = await readEvents(db, queryOf(feed, { after, limit: BATCH }));
    // Asked after the read: if the log has lost its beginning meanwhile, the events may lack some of what was in between.
    const { expiredThrough } = await readLogEnds(db);
    if (expiredThrough > after) return false;
    const usernames = await names.of(events);
    if (!client.wire.isOpen()) return true;
    client.wire.send(events.map((event) => tellEvent(event, usernames).as(feed)));
    const last = events.at(-1)?.position ?? after;
    client.position = events.length < BATCH ? Math.max(told, last) : last;
    return true;
  };

  return async (client) => {
    const { wire } = client;
    try {
      while (wire.isOpen() && !hub.join(client)) {
        if (!(await oneOfFew(() => next(client)))) return wire.close(EXPIRED, 'cursor_expired');
        await wire.drained();
      }
    } catch (error) {
      log.warn({ err: error }, 'somebody could not be told what they had missed');
      wire.close(1011, 'resume by the last cursor');
    }
  };
}
