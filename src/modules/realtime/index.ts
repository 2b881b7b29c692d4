import { readLogEnds } from '../../kernel/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type Accounts, endedIdentities, type Identity, usernamesOf } from '../accounts/index.ts';
import { demandCursor, type ImportChanges, readTrail } from './audit-trail.ts';
import { createCatchUp } from './catch-up.ts';
import type { Feed } from './feeds.ts';
import { type Client, createHub } from './hub.ts';
import { makeMessage } from './messages.ts';
import { createNames } from './names.ts';
import type { EventPage, EventQuery } from './schemas.ts';
import type { Wire } from './wires.ts';

/**
 * The live feed: the event log on sockets and streams. A connection is opened by whoever was let in, first told where it
 * follows from, then what it has missed (catch-up.ts), and from then on every event as it commits (hub.ts). It ends
 * when it is closed, does not answer, cannot follow, or when what its owner was let in by holds no more.
 */
export type Realtime = {
  /**
   * Follows the log from `after`, or from now. What was revoked since its owner was let in closes it at once. Answers
   * what to call when it is closed.
   */
  open(wire: Wire, follower: Follower): () => void;
  /** Throws cursor_expired, invalid_cursor. */
  demandCursor(after: number | undefined): Promise<void>;
  /** Throws validation_failed, cursor_expired, invalid_cursor. */
  page(query: EventQuery): Promise<EventPage>;
  /** Shows something that is no event of the log, such as how far an import is, to those who asked for it. */
  tell(message: { type: string }): void;
  /** Whether anybody did. */
  isAsked(): boolean;
  /** A round of looking whose connection is dead, and whose session has run out; by a timer of its own. */
  tend(): Promise<void>;
  /** Ends every connection, and each that is opened from now on: the server stops. */
  hangUp(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type Follower = { identity: Identity; feed: Feed; after: number | undefined; wantsProgress: boolean };

const TEND_MS = 30_000;
/** Somebody who has more places open to hear of their own orders means harm. */
const MOST_FOR_NOTICES = 50;
/** How long somebody may take to say goodbye when the server stops. */
const FAREWELL_MS = 1_000;
/** What is shown for the moment is left out for those who have enough to read. */
const BUSY_BYTES = 64 * 1024;

export function createRealtime(
  { db, events, log }: Pick<Kernel, 'db' | 'events' | 'log'>,
  accounts: Pick<Accounts, 'db' | 'clock' | 'revocations'>,
  { importChanges }: { importChanges: ImportChanges },
): Realtime {
  const clients = new Set<Client>();
  const names = createNames((ids) => usernamesOf(db, ids));
  const hub = createHub({ events, names, log });
  const catchUp = createCatchUp({ db, hub, names, log });
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;

  /** Counted only for those whom anybody can become. */
  const hasTooMany = ({ identity: { userId }, feed }: Client): boolean => {
    if (feed.kind !== 'notices') return false;
    let theirs = 0;
    for (const other of clients) if (other.feed.kind === 'notices' && other.identity.userId === userId) theirs += 1;
    return theirs > MOST_FOR_NOTICES;
  };

  const dismiss = ({ wire }: Client) => wire.close(1008, 'the session has ended');
  accounts.revocations.onChange(() => {
    for (const client of clients) if (!accounts.revocations.holds(client.identity)) dismiss(client);
  });

  const tend = async () => {
    for (const { wire } of clients) wire.prod();
    if (clients.size === 0) return;
    try {
      const all = [...clients];
      const ended = new Set(await endedIdentities(accounts, [...new Set(all.map(({ identity }) => identity))]));
      for (const client of all) if (ended.has(client.identity)) dismiss(client);
    } catch (error) {
      log.warn({ err: error }, 'the sessions behind the sockets could not be looked after');
    }
  };

  return {
    open(wire, { identity, feed, after, wantsProgress }) {
      const client: Client = { identity, feed, wire, wantsProgress, position: after ?? hub.told() };
      clients.add(client);
      if (stopping) wire.close(1001, 'the server stops');
      else if (hasTooMany(client)) wire.close(1008, 'too many sockets');
      else if (!accounts.revocations.holds(identity)) dismiss(client);
      else {
        wire.send([makeMessage({ type: 'ready', cursor: client.position })]);
        void catchUp(client);
      }
      return () => {
        clients.delete(client);
        hub.leave(client);
      };
    },
    async demandCursor(after) {
      if (after !== undefined) demandCursor(await readLogEnds(db), after);
    },
    async page(query) {
      // What was answered before is there to be read, also an order, whose answer waits for no relay.
      await events.flush();
      return readTrail({ db, usernamesOf: (ids) => usernamesOf(db, ids), importChanges }, query);
    },
    tell(message) {
      const made = makeMessage(message);
      for (const { wantsProgress, wire } of clients)
        if (wantsProgress && wire.isOpen() && wire.waiting() < BUSY_BYTES) wire.send([made]);
    },
    isAsked: () => clients.values().some(({ wantsProgress }) => wantsProgress),
    tend,
    hangUp() {
      stopping = true;
      for (const { wire } of clients) wire.close(1001, 'the server stops');
      setTimeout(() => {
        for (const { wire } of clients) wire.cut();
      }, FAREWELL_MS).unref();
    },
    async start() {
      hub.start();
      timer = setInterval(() => void tend(), TEND_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      hub.stop();
    },
  };
}
