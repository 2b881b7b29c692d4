import type { Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import { type Database, prepare, type Sql, sql, type Tx } from './db.ts';
import { noteDone } from './idempotency.ts';
import { newId } from './ids.ts';
import { defineJob, enqueue, type Job } from './jobs.ts';
import type { Logger } from './log.ts';

/**
 * The event log. Three parts, one way through:
 *
 * 1. append(tx, …) writes the event into `outbox` in the transaction of its change: both commit or neither does.
 * 2. The relay moves committed events to `events` and numbers them there without gaps. Serial ids commit out of order,
 *    so a reader that asked the outbox for "id > last" would skip what commits late; positions are given by one
 *    relay at a time, which holds the row of `event_log_head`, and so are never passed by. In the same transaction it
 *    enqueues a job for each subscriber. Moving rows beats numbering them in place: 62–66k/s against 32–34k/s.
 * 3. Readers follow positions: each process's follower (caches, sockets), and cursors of clients.
 *
 * Every process runs a relay. It is woken after commits of its own process, by the bus for the others', and by a poll,
 * so that a lost message costs half a second. It works in passes, of which at most one is under way and one is due: a
 * pass moves batches until one is not full, and shows each to the followers before it moves the next. Whoever wakes it
 * during a pass, which may have looked before their commit, gets the one that is due, and so waits for two at most
 * however much is written meanwhile. Stop waits for the pass under way, which ends with its batch.
 */

export type FieldChange = { from: unknown; to: unknown };

export type NewEvent = {
  type: string;
  subject: { type: string; id: string };
  actorId?: string | null;
  /** Field by field, in the API's names and spellings. */
  changes?: Record<string, FieldChange>;
  /** What readers need beyond the diff; small, and holding ids instead of people's names. */
  data?: Record<string, unknown>;
  /** The user to whom it is a notice: their own socket gets it. */
  userId?: string | null;
};

export type LoggedEvent = {
  position: number;
  event_id: string;
  type: string;
  occurred_at: Date;
  actor_id: string | null;
  subject_type: string;
  subject_id: string;
  changes: Record<string, FieldChange>;
  data: Record<string, unknown>;
  user_id: string | null;
};

export type Subscriber = {
  readonly name: string;
  /** Types as they stand, or `*` for every one. */
  readonly types: readonly string[];
  /**
   * Whether anybody wants the events at all, asked for each batch that has some of the types, once it was read: what is
   * read here is as new as the newest of them. Always, when left out.
   */
  wanted?(target: Sql): Promise<boolean>;
  /** Runs at least once for each event; its writes go through `tx`, which also records that they were made. */
  handle(tx: Tx, event: LoggedEvent): Promise<void>;
};

/** Which events a reader asks for, and from where on. */
export type EventQuery = {
  /** Only what comes after this position. */
  after: number;
  limit: number;
} & (
  | {
      /** Only these types; `product.*` means all that begin with `product.`. */ types?: readonly string[];
      userId?: never;
    }
  | { /** Only notices to this user. */ userId: string; types?: never }
);

/** The log's ends: a cursor before `expiredThrough` cannot be followed without a gap, none lies beyond `head`. */
export type LogEnds = { head: number; expiredThrough: number };

export interface Events {
  append(tx: Tx, event: NewEvent): Promise<void>;
  /** Has every event of the subscriber's types handed to it by a job. To be called before anything is appended. */
  subscribe(subscriber: Subscriber): void;
  /** Calls `handler` for every event after this moment, in order, in this process. */
  follow(handler: (event: LoggedEvent) => void): void;
  /** The position of the last event that was shown to this process's followers. */
  position(): number;
  /**
   * Moves what is committed, and shows it to this process's followers, before it returns. It never throws: should the
   * database fail just then, the change is stored, and followers see it by the next poll.
   */
  flush(): Promise<void>;
  /** The jobs that the relay's deliveries run as; for the process that works on jobs. */
  readonly jobs: readonly Job<never>[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

const EVENTS_TOPIC = 'events';
const POLL_MS = 500;
const BATCH = 1_000;
const FROZEN_MS = 3_000;

const INSERT = prepare(
  `insert into outbox (event_id, type, occurred_at, actor_id, subject_type, subject_id, changes, data, user_id)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

// A relay whose process is frozen, or cut off, must not hold up all others for as long as the pool would let it.
const TAKE_HEAD = prepare<{ position: number }>(
  `select position, set_config('idle_in_transaction_session_timeout', '${FROZEN_MS}', true) from event_log_head for update`,
);

const COLUMNS = 'position, event_id, type, occurred_at, actor_id, subject_type, subject_id, changes, data, user_id';

const MOVE = prepare<LoggedEvent>(
  `with taken as (
     delete from outbox where id = any (array(select id from outbox order by id limit $2)) returning *
   ), moved as (
     insert into events (position, event_id, type, occurred_at, actor_id, subject_type, subject_id, changes, data,
                         user_id, lsn)
     select $1 + row_number() over (order by id), event_id, type, occurred_at, actor_id, subject_type, subject_id,
            changes, data, user_id, pg_current_wal_insert_lsn()
     from taken
     returning ${COLUMNS}
   ), head as (
     update event_log_head set position = position + (select count(*) from moved)
   )
   select ${COLUMNS} from moved order by position`,
);

const AFTER = prepare<LoggedEvent>(`select ${COLUMNS} from events where position > $1 order by position limit $2`);
const OF_USER = prepare<LoggedEvent>(
  `select ${COLUMNS} from events where user_id = $3 and position > $1 order by position limit $2`,
);
/**
 * Each type by its index, then the first of them all: a rare type among millions of others is found at once. In one
 * statement with the types that there are, or an event of a new one, committed between two, would be passed by.
 */
const ofTypes = (isBeyond: '<' | '>', order: 'asc' | 'desc') =>
  prepare<LoggedEvent>(
    `with recursive known as (
       (select type from events order by type limit 1)
       union all
       select (select type from events where type > known.type order by type limit 1) from known where type is not null
     )
     select ${COLUMNS} from events where position = any (array(
       select e.position from known k cross join lateral (
         select position from events where type = k.type and position ${isBeyond} $1 order by position ${order} limit $2
       ) e
       where k.type = any ($3) or exists (select from unnest($4::text[]) p where starts_with(k.type, p))
       order by 1 ${order} limit $2)) order by position ${order}`,
  );
const AFTER_OF_TYPES = ofTypes('>', 'asc');
const BEFORE_OF_TYPES = ofTypes('<', 'desc');
const THROUGH = prepare<{ through: number }>(
  `select coalesce((select position - 1 from events where occurred_at >= $1 order by position limit 1),
                   (select max(position) from events), 0) as through`,
);
const BEFORE = prepare<LoggedEvent>(
  `select ${COLUMNS} from events where position < $1 order by position desc limit $2`,
);
const ENDS = prepare<LogEnds>('select position as head, expired_through as "expiredThrough" from event_log_head');

/** Events after a position, in order: what followers and cursors read. */
export async function readEvents(target: Sql, query: EventQuery): Promise<LoggedEvent[]> {
  const { after, limit, types, userId } = query;
  if (userId !== undefined) return target.many(OF_USER([after, limit, userId]));
  if (!types) return target.many(AFTER([after, limit]));
  return target.many(AFTER_OF_TYPES([after, limit, types, prefixesOf(types)]));
}

/** Events before a position, the newest first: for whoever walks back through the log. */
export async function readEventsBefore(
  target: Sql,
  { before, limit, types }: { before: number; limit: number; types?: readonly string[] },
): Promise<LoggedEvent[]> {
  if (!types) return target.many(BEFORE([before, limit]));
  return target.many(BEFORE_OF_TYPES([before, limit, types, prefixesOf(types)]));
}

export function readLogEnds(target: Sql): Promise<LogEnds> {
  return target.one(ENDS([]));
}

/** Whether a type is one of those asked for; `product.*` asks for all that begin with `product.`, `*` for every one. */
export function matchesTypes(type: string, asked: readonly string[]): boolean {
  return asked.includes(type) || prefixesOf(asked).some((prefix) => type.startsWith(prefix));
}

function prefixesOf(asked: readonly string[]): string[] {
  return asked.filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1));
}

export function createEvents(options: {
  db: Database;
  bus: Bus;
  clock: Clock;
  log: Logger;
  retentionDays: number;
}): Events {
  const { db, bus, clock, log, retentionDays } = options;
  const subscribers: Subscriber[] = [];
  const followers: ((event: LoggedEvent) => void)[] = [];
  let seen = 0;
  let running: Promise<void> | undefined;
  let due: Promise<void> | undefined;
  let stopped = true;
  /** Whether this process has committed events since the last look. */
  let committed = false;
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;

  const deliver = defineJob<{ position: number; subscriber: string }>({
    name: 'events.deliver',
    async run({ position, subscriber }) {
      const to = subscribers.find((s) => s.name === subscriber);
      if (!to) throw new Error(`No subscriber is called ${subscriber}.`);
      const [event] = await readEvents(db, { after: position - 1, limit: 1 });
      if (event?.position !== position) return;
      await db.transaction(async (tx) => {
        const first = await tx.run(
          sql('insert into event_effects (event_id, subscriber) values ($1, $2) on conflict do nothing', [
            event.event_id,
            to.name,
          ]),
        );
        if (first === 1) await to.handle(tx, event);
      });
    },
  });

  const expire = defineJob({
    name: 'events.expire',
    cron: '17 3 * * *',
    async run() {
      const before = new Date(clock.now().getTime() - retentionDays * 86_400_000);
      await db.transaction(
        async (tx) => {
          // The log loses its beginning and nothing else, so that one position says what can still be followed: an old
          // event that was committed late stays until all before it are old too.
          const { through } = await tx.one(THROUGH([before]));
          await tx.run(sql('delete from events where position <= $1', [through]));
          // Last, since relays wait for whoever holds this row.
          await tx.run(sql('update event_log_head set expired_through = greatest(expired_through, $1)', [through]));
        },
        { timeoutMs: 0 },
      );
      await db.run(sql('delete from event_effects where applied_at < $1', [before]));
    },
  });

  const moveBatch = () =>
    db.transaction(async (tx) => {
      const { position } = await tx.one(TAKE_HEAD([]));
      const moved = await tx.many(MOVE([position, BATCH]));
      const asked = subscribers.map(async (subscriber) => {
        const theirs = moved.filter((event) => matchesTypes(event.type, subscriber.types));
        if (theirs.length === 0 || !(await isWanted(subscriber))) return [];
        return theirs.map((event) => ({ position: event.position, subscriber: subscriber.name }));
      });
      await enqueue(tx, deliver, (await Promise.all(asked)).flat());
      return moved;
    });

  /**
   * All are asked at once, each by a connection of its own: the batch's transaction is short, and none can spoil it. One
   * that fails to say gets its events.
   */
  const isWanted = async ({ name, wanted }: Subscriber) => {
    try {
      return !wanted || (await wanted(db));
    } catch (error) {
      log.error({ err: error, subscriber: name }, 'a subscriber could not say whether it wants events');
      return true;
    }
  };

  const tell = (events: readonly LoggedEvent[]) => {
    for (const event of events) {
      for (const follower of followers) {
        try {
          follower(event);
        } catch (error) {
          log.error({ err: error, position: event.position }, 'a follower of the event log failed');
        }
      }
      seen = event.position;
    }
  };

  /** What this process has just moved needs no reading, unless another has moved something before it. */
  const show = async (moved: readonly LoggedEvent[]) => {
    if (moved[0]?.position === seen + 1) return tell(moved);
    for (;;) {
      const events = await readEvents(db, { after: seen, limit: BATCH });
      tell(events);
      if (events.length < BATCH) return;
    }
  };

  const tellOthers = () =>
    bus.publish(EVENTS_TOPIC).catch((error: unknown) => {
      if (!stopped) log.warn({ err: error }, 'the other processes will see the newest events by their polls');
    });

  const pass = async () => {
    try {
      let moved: readonly LoggedEvent[];
      do {
        const mayBeEmpty = !committed;
        committed = false;
        // An empty outbox is the common case of a poll and needs no transaction.
        const isEmpty = stopped || (mayBeEmpty && !(await db.maybe(sql('select from outbox limit 1'))));
        moved = isEmpty ? [] : await moveBatch();
        await Promise.all([moved.length > 0 ? tellOthers() : undefined, show(moved)]);
      } while (moved.length === BATCH);
    } catch (error) {
      if (!stopped) log.warn({ err: error }, 'the relay will try again');
    } finally {
      running = undefined;
    }
  };

  /** Looks for what is committed by now; done when that is moved and shown, or failed to be. */
  const wake = (): Promise<void> => {
    if (!running) {
      running = pass();
      return running;
    }
    due ??= running.then(() => {
      due = undefined;
      return running ?? wake();
    });
    return due;
  };

  return {
    async append(tx, event) {
      await tx.run(
        INSERT([
          newId(),
          event.type,
          clock.now(),
          event.actorId ?? null,
          event.subject.type,
          event.subject.id,
          JSON.stringify(event.changes ?? {}),
          JSON.stringify(event.data ?? {}),
          event.userId ?? null,
        ]),
      );
      await noteDone(tx);
      tx.afterCommit(() => {
        committed = true;
        if (!stopped) void wake();
      });
    },
    subscribe(subscriber) {
      if (subscribers.some(({ name }) => name === subscriber.name))
        throw new Error(`Two subscribers are called ${subscriber.name}.`);
      subscribers.push(subscriber);
    },
    follow(handler) {
      followers.push(handler);
    },
    position: () => seen,
    flush: wake,
    jobs: [deliver, expire],
    async start() {
      seen = (await readLogEnds(db)).head;
      stopped = false;
      unsubscribe = bus.subscribe(EVENTS_TOPIC, () => void wake());
      timer = setInterval(() => void wake(), POLL_MS);
      timer.unref();
      void wake();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      unsubscribe?.();
      await (due ?? running);
    },
  };
}
