import { setTimeout as sleep } from 'node:timers/promises';
import type { Events, LoggedEvent } from '../../kernel/events.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Identity } from '../accounts/index.ts';
import { type Feed, isIn } from './feeds.ts';
import { type Message, type Told, tellEvent } from './messages.ts';
import type { Names } from './names.ts';
import type { Wire } from './wires.ts';

/**
 * The live part of the feed: one follower of the log in each process, which tells every event to whoever follows it.
 *
 * Events come from the log one by one, in order and together by batch; `told` is the last one that was told. While names
 * are joined, which may ask the database, further events wait in `coming`; a batch is told, and `told` moved, without
 * anything in between. So somebody whose `position` is not behind `told` misses nothing when they join at that very moment,
 * and gets nothing twice, since what is not after their position is passed over (another process may have shown them what
 * has yet to come here).
 */

export type Client = {
  readonly identity: Identity;
  readonly feed: Feed;
  readonly wire: Wire;
  /** Whether they asked to see how far imports are. */
  readonly wantsProgress: boolean;
  /** Through which they have been told, until they join. */
  position: number;
};

export type Hub = {
  /** The position through which everybody live has been told. */
  told(): number;
  /** Makes the client live; false when it is behind, and has to read what it lacks first. */
  join(client: Client): boolean;
  leave(client: Client): void;
  start(): void;
  stop(): void;
};

/** A client for whom more than this waits cannot follow. The bytes are shared with the others, but not without end. */
const MOST_WAITING = 4 * 1024 * 1024;
const AGAIN_MS = 250;
const NOBODY: ReadonlyMap<string, string> = new Map();

export function createHub({ events, names, log }: { events: Events; names: Names; log: Logger }): Hub {
  /** By what they follow: who follows the same is judged together. */
  const logs = new Map<string, { feed: Feed; clients: Set<Client> }>();
  const notices = new Map<string, Set<Client>>();
  let live = 0;
  let told = 0;
  let coming: LoggedEvent[] = [];
  let working = false;
  let stopped = false;

  const send = (client: Client, batch: readonly Told[]) => {
    const { wire, feed, position } = client;
    if (!wire.isOpen()) return;
    // Asked before: a batch may be larger than that by itself, which says nothing of who is to take it.
    if (wire.waiting() > MOST_WAITING) return wire.close(1013, 'too slow; resume by the last cursor');
    const messages: Message[] = [];
    for (const one of batch) if (one.event.position > position) messages.push(one.as(feed));
    if (messages.length > 0) wire.send(messages);
  };

  const tell = (batch: readonly Told[]) => {
    for (const { feed, clients } of logs.values()) {
      const theirs = batch.filter(({ event }) => isIn(feed, event));
      if (theirs.length > 0) for (const client of clients) send(client, theirs);
    }
    if (notices.size === 0) return;
    const byUser = Map.groupBy(batch, ({ event }) => event.user_id);
    for (const [userId, theirs] of byUser)
      if (userId !== null) for (const client of notices.get(userId) ?? []) send(client, theirs);
  };

  function* everybody(): Iterable<Client> {
    for (const { clients } of logs.values()) yield* clients;
    for (const clients of notices.values()) yield* clients;
  }

  /** An order that is to be kept cannot go on without a name: it waits until the database answers. */
  const namesOf = async (batch: readonly LoggedEvent[]): Promise<ReadonlyMap<string, string>> => {
    while (!stopped) {
      try {
        return await names.of(batch);
      } catch (error) {
        log.warn({ err: error }, 'the live feed waits for the database');
        await sleep(AGAIN_MS);
      }
    }
    return NOBODY;
  };

  const work = async () => {
    while (coming.length > 0 && !stopped) {
      const batch = coming;
      coming = [];
      names.forget(batch);
      const usernames = live === 0 ? NOBODY : await namesOf(batch);
      try {
        if (live > 0) tell(batch.map((event) => tellEvent(event, usernames)));
      } catch (error) {
        log.error({ err: error, position: batch[0]!.position }, 'events could not be told');
        // Whoever was not told resumes by their cursor, which is better than a gap that nobody sees.
        for (const client of everybody()) client.wire.close(1011, 'resume by the last cursor');
      }
      told = batch.at(-1)!.position;
    }
    working = false;
  };

  events.follow((event) => {
    coming.push(event);
    if (working) return;
    working = true;
    // When the whole batch that the log shows has come.
    queueMicrotask(() => void work());
  });

  const keyOf = (types: readonly string[] | null) => (types ? types.join() : '*');
  return {
    told: () => told,
    join(client) {
      if (client.position < told) return false;
      const { feed } = client;
      live += 1;
      if (feed.kind === 'notices') {
        notices.set(feed.userId, (notices.get(feed.userId) ?? new Set()).add(client));
      } else {
        const key = keyOf(feed.types);
        const group = logs.get(key) ?? { feed, clients: new Set() };
        group.clients.add(client);
        logs.set(key, group);
      }
      return true;
    },
    leave(client) {
      const { feed } = client;
      const clients = feed.kind === 'notices' ? notices.get(feed.userId) : logs.get(keyOf(feed.types))?.clients;
      if (!clients?.delete(client)) return;
      live -= 1;
      if (clients.size > 0) return;
      if (feed.kind === 'notices') notices.delete(feed.userId);
      else logs.delete(keyOf(feed.types));
    },
    start() {
      told = Math.max(told, events.position());
    },
    stop() {
      stopped = true;
    },
  };
}
