import type { LoggedEvent } from '../../kernel/events.ts';
import { messageOf } from './events.ts';
import type { Feed } from './feeds.ts';

/** A message in the bytes of each kind of connection, made when the first of them needs it and shared by all. */
export type Message = {
  /** About how many bytes it has. */
  readonly size: number;
  readonly forSockets: Buffer;
  readonly forStreams: Buffer;
};

/**
 * In streams (HTML, "Server-sent events") what has a cursor is an unnamed event with it as its id, which browsers send
 * back as Last-Event-ID; anything else is named by its type and has no id.
 */
export function makeMessage(content: { type: string; cursor?: number }): Message {
  const json = JSON.stringify(content);
  let socket: Buffer | undefined;
  let stream: Buffer | undefined;
  return {
    size: json.length,
    get forSockets() {
      socket ??= Buffer.from(json);
      return socket;
    },
    get forStreams() {
      const { type, cursor } = content;
      stream ??= Buffer.from(`${cursor === undefined ? `event: ${type}` : `id: ${cursor}`}\ndata: ${json}\n\n`);
      return stream;
    },
  };
}

/** An event as its readers may see it, each way made at most once. */
export type Told = { readonly event: LoggedEvent; as(feed: Feed): Message };

export function tellEvent(event: LoggedEvent, usernames: ReadonlyMap<string, string>): Told {
  let whole: Message | undefined;
  let nameless: Message | undefined;
  return {
    event,
    as(feed) {
      if (feed.kind === 'log' || feed.namesStaff || event.actor_id === null || event.actor_id === feed.userId) {
        whole ??= makeMessage(messageOf(event, usernames));
        return whole;
      }
      nameless ??= makeMessage({ ...messageOf(event, usernames), actor: null } as { type: string; cursor: number });
      return nameless;
    },
  };
}
