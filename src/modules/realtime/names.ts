import { LRUCache } from 'lru-cache';
import type { LoggedEvent } from '../../kernel/events.ts';

/**
 * Usernames of those who did something, joined when an event is told. They are known for a short while, and not any
 * longer once something is told of the user themself: who is erased is named no more.
 */
export type Names = {
  /** To be told of every event, whether or not anybody follows. */
  forget(events: readonly LoggedEvent[]): void;
  /** Asks nobody when all are known. */
  of(events: readonly LoggedEvent[]): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;
};

const KNOWN_MS = 30_000;
const USERS_KNOWN = 10_000;

export function createNames(find: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>): Names {
  /** An empty name is that of nobody. */
  const known = new LRUCache<string, string>({ max: USERS_KNOWN, ttl: KNOWN_MS });

  const ask = async (names: Map<string, string>, ids: readonly string[]) => {
    const found = await find(ids);
    for (const id of ids) {
      const name = found.get(id) ?? '';
      known.set(id, name);
      if (name) names.set(id, name);
    }
    return names;
  };

  return {
    forget(events) {
      for (const { type, subject_id } of events) if (type.startsWith('user.')) known.delete(subject_id);
    },
    of(events) {
      const names = new Map<string, string>();
      const unknown: string[] = [];
      for (const id of new Set(events.map(({ actor_id }) => actor_id))) {
        if (id === null) continue;
        const name = known.get(id);
        if (name === undefined) unknown.push(id);
        else if (name) names.set(id, name);
      }
      return unknown.length === 0 ? names : ask(names, unknown);
    },
  };
}
