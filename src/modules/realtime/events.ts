import Type, { type Static } from 'typebox';
import type { LoggedEvent } from '../../kernel/events.ts';

/** An event as clients see it: on sockets, in streams, in the audit trail and in webhooks. */

const strict = { additionalProperties: false } as const;
const Id = Type.String({ format: 'uuid' });
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const EventMessage = Type.Object(
  {
    cursor: Type.Integer({ description: 'Where the event stands in the log; later ones have greater cursors.' }),
    type: Type.String({ description: 'Such as `product.updated`.' }),
    occurred_at: Type.String({ format: 'date-time' }),
    actor: nullable(
      Type.Object(
        { id: Id, username: nullable(Type.String({ description: 'As it is now; null once the account is gone.' })) },
        strict,
      ),
    ),
    subject: Type.Object({ type: Type.String(), id: Type.String() }, { additionalProperties: true }),
    changes: Type.Record(Type.String(), Type.Object({ from: Type.Unknown(), to: Type.Unknown() })),
    product: Type.Optional(
      Type.Object({ id: Id, sku: Type.String(), slug: nullable(Type.String()), name: nullable(Type.String()) }, strict),
    ),
    order: Type.Optional(Type.Object({ id: Id, number: Type.String(), status: Type.String() }, strict)),
  },
  strict,
);
export type EventMessage = Static<typeof EventMessage>;

/** `usernames` holds those of the actors, by their ids: names are joined when an event is read, never stored in it. */
export function messageOf(event: Omit<LoggedEvent, 'event_id'>, usernames: ReadonlyMap<string, string>): EventMessage {
  const { actor_id, subject_type, subject_id, data } = event;
  return {
    cursor: event.position,
    type: event.type,
    occurred_at: event.occurred_at.toISOString(),
    actor: actor_id === null ? null : { id: actor_id, username: usernames.get(actor_id) ?? null },
    subject: { ...data, type: subject_type, id: subject_id },
    changes: event.changes,
    ...(subject_type === 'product' && {
      product: {
        id: subject_id,
        sku: String(data.sku),
        slug: textOrNull(data.slug),
        name: textOrNull(data.name),
      },
    }),
    ...(subject_type === 'order' && {
      order: { id: subject_id, number: String(data.number), status: String(data.status) },
    }),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
