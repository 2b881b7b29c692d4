import pg from 'pg';
import type { Sql } from './db.ts';
import { sql } from './db.ts';
import type { Logger } from './log.ts';

/**
 * Short messages between the processes of one shop. A message may be lost (a connection drops, a process starts late),
 * never repeated to the same subscriber by design; so it only ever says "look now", and whoever subscribes also polls.
 */
export interface Bus {
  /** Tells every process, this one included. Never part of a business transaction: NOTIFY serialises commits. */
  publish(topic: string): Promise<void>;
  /** Calls `listener` on each message of the topic, and whenever messages may have been missed. */
  subscribe(topic: string, listener: () => void): () => void;
  close(): Promise<void>;
}

const CHANNEL = 'vitrine';
const RECONNECT_MS = 500;

/** The bus over PostgreSQL's LISTEN/NOTIFY, on a connection of its own that no pooler may stand in front of. */
export async function createPostgresBus(options: { url: string; db: Sql; log: Logger }): Promise<Bus> {
  const { url, db, log } = options;
  const listeners = new Map<string, Set<() => void>>();
  let client: pg.Client | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const tell = (topic: string) => {
    for (const listener of listeners.get(topic) ?? []) listener();
  };

  const connect = async () => {
    const next = new pg.Client({ connectionString: url, application_name: 'vitrine bus', keepAlive: true });
    const lost = (error?: Error) => {
      if (client !== next && client !== undefined) return;
      client = undefined;
      next.removeAllListeners();
      next.on('error', () => {});
      if (closed) return;
      if (error) log.warn({ err: error }, 'the bus lost its connection and will connect again');
      retry = setTimeout(() => void reconnect(), RECONNECT_MS);
    };
    next.on('error', lost);
    next.on('end', () => lost());
    next.on('notification', (message) => tell(message.payload ?? ''));
    await next.connect();
    await next.query(`listen ${CHANNEL}`);
    client = next;
  };

  const reconnect = async () => {
    try {
      await connect();
      for (const topic of listeners.keys()) tell(topic);
    } catch (error) {
      log.debug({ err: error }, 'the bus could not connect yet');
    }
  };

  await connect();

  return {
    async publish(topic) {
      await db.run(sql('select pg_notify($1, $2)', [CHANNEL, topic]));
    },
    subscribe(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => set.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.end();
    },
  };
}
