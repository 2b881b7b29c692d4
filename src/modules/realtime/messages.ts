import type { LoggedEvent } from '../../kernel/events.ts';
import { type EventMessage, messageOf } from './events.ts';
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
  const made = new Map<string, Message>();
  return {
    event,
    as(feed) {
      const isLog = feed.kind === 'log';
      const namesActor = isLog || feed.namesStaff || event.actor_id === null || event.actor_id === feed.userId;
      const tellsStock = isLog || feed.tellsStock || !('stock' in event.data);
      const key = `${namesActor} ${tellsStock}`;
      let message = made.get(key);
      if (!message) {
        const whole = messageOf(event, usernames);
        const named = namesActor ? whole : { ...whole, actor: null };
        message = makeMessage(tellsStock ? named : withoutStock(named));
        made.set(key, message);
      }
      return message;
    },
  };
}

/** What is on hand, also of what is hidden by now, is the shop's own business. */
function withoutStock(message: EventMessage): EventMessage {
  const { stock: _, ...subject } = message.subject as EventMessage['subject'] & { stock?: unknown };
  return { ...message, subject };
}
