import type { Database } from '../../kernel/db.ts';
import { readEvents, readLogEnds } from '../../kernel/events.ts';
import { createLimited } from '../../kernel/limited.ts';
import type { Logger } from '../../kernel/log.ts';
import { queryOf } from './feeds.ts';
import type { Client, Hub } from './hub.ts';
import { type Message, tellEvent } from './messages.ts';
import type { Names } from './names.ts';

/** Tells the client what it lacks and makes it live. */
export type CatchUp = (client: Client) => Promise<void>;

const BATCH = 100;
/** What is handed over before it is waited until it was taken. */
const SLICE_BYTES = 1024 * 1024;
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

  /** Null when what comes next has expired. */
  const read = async ({ feed, position: after }: Client): Promise<{ messages: Message[]; through: number } | null> => {
    const told = hub.told();
    const events = await readEvents(db, queryOf(feed, { after, limit: BATCH }));
    // Asked after the read: if the log has lost its beginning meanwhile, the events may lack some of what was in between.
    const { expiredThrough } = await readLogEnds(db);
    if (expiredThrough > after) return null;
    const usernames = await names.of(events);
    const last = events.at(-1)?.position ?? after;
    return {
      messages: events.map((event) => tellEvent(event, usernames).as(feed)),
      through: events.length < BATCH ? Math.max(told, last) : last,
    };
  };

  /** In slices, each when the one before was taken: a single event may hold long texts. */
  const hand = async ({ wire }: Client, messages: readonly Message[]): Promise<void> => {
    let slice: Message[] = [];
    let bytes = 0;
    for (const message of messages) {
      slice.push(message);
      bytes += message.size;
      if (bytes < SLICE_BYTES) continue;
      wire.send(slice);
      slice = [];
      bytes = 0;
      await wire.drained();
    }
    wire.send(slice);
    await wire.drained();
  };

  return async (client) => {
    const { wire } = client;
    try {
      while (wire.isOpen() && !hub.join(client)) {
        const next = await oneOfFew(() => read(client));
        if (!next) return wire.close(EXPIRED, 'cursor_expired');
        await hand(client, next.messages);
        client.position = next.through;
      }
    } catch (error) {
      log.warn({ err: error }, 'somebody could not be told what they had missed');
      wire.close(1011, 'resume by the last cursor');
    }
  };
}
