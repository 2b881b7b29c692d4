import type { LoggedEvent } from '../../../kernel/events.ts';
import { messageOf } from '../../realtime/events.ts';

/** What is sent of an event: the same bytes in every attempt. */
export function bodyOf(event: LoggedEvent): string {
  const { actor, ...message } = messageOf(event, new Map());
  // What was sent can never be erased: people are told by their ids alone.
  const data = { ...message, actor: actor && { id: actor.id } };
  return JSON.stringify({ type: message.type, timestamp: message.occurred_at, data });
}
