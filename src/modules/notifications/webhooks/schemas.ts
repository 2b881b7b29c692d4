import Type, { type Static } from 'typebox';
import { PAGING } from '../../../kernel/paging.ts';

const strict = { additionalProperties: false } as const;
const nullable = <T extends Type.TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
const Id = Type.String({ format: 'uuid' });
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC.' });

export const IdParam = Type.Object({ id: Id }, strict);

const MOST_TYPES = 50;
const Url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  pattern: '^https?://[^\\s\\u0000-\\u001f\\u007f]+$',
  description: 'Begins with `http://` or `https://`, without a user name or a password.',
});
const Types = Type.Array(Type.String({ maxLength: 100, pattern: '^(\\*|[a-z][a-z_]*\\.(\\*|[a-z][a-z_]*))$' }), {
  minItems: 1,
  maxItems: MOST_TYPES,
  uniqueItems: true,
  description:
    'Of the events to be told of: such as `product.updated`, `product.*` for all that begin so, `*` for every one.',
});
const Description = Type.String({
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'For people: what it is for.',
});

export const NewWebhook = Type.Object(
  { url: Url, types: Type.Optional(Types), description: Type.Optional(Description) },
  strict,
);
export type NewWebhook = Static<typeof NewWebhook>;

export const WebhookChange = Type.Object(
  {
    url: Type.Optional(Url),
    types: Type.Optional(Types),
    description: Type.Optional(Description),
    active: Type.Optional(
      Type.Boolean({
        description:
          'False switches it off: what waits for it has failed, and what happens from then on is not told. True switches it ' +
          'on again and forgets its failures; it gets what happens from then on.',
      }),
    ),
    rotate_secret: Type.Optional(
      Type.Literal(true, {
        description: 'Makes a new secret. For 24 hours requests are signed with the one before it too.',
      }),
    ),
  },
  { ...strict, minProperties: 1 },
);
export type WebhookChange = Static<typeof WebhookChange>;

const webhook = {
  id: Id,
  url: Type.String(),
  types: Type.Array(Type.String()),
  description: Type.String(),
  active: Type.Boolean(),
  disabled_at: nullable(Time, 'When the shop switched it off by itself; null when people did, or when it is on.'),
  disabled_reason: nullable(
    Type.Enum(['failing', 'gone']),
    '`failing`: nothing could be delivered for a day. `gone`: it answered 410.',
  ),
  failing_since: nullable(Time, 'Since when every delivery has failed.'),
  failures: Type.Integer({ description: 'In a row; several requests at once count as one.' }),
  retry_at: nullable(Time, 'After a failure: nothing is sent before this.'),
  last_success_at: nullable(Time),
  pending_deliveries: Type.Integer({ description: 'Exact up to 10,000.' }),
  previous_secret_until: nullable(Time, 'Until then requests are signed with the secret before the last change too.'),
  created_by: Type.Object({ id: Id, username: Type.String() }, strict),
  created_at: Time,
  updated_at: Time,
};
export const Webhook = Type.Object(webhook, strict);
export type Webhook = Static<typeof Webhook>;

const Secret = Type.String({ description: '`whsec_…`. In this answer, and in no other.' });
export const MadeWebhook = Type.Object({ ...webhook, secret: Secret }, strict);
export const ChangedWebhook = Type.Object({ ...webhook, secret: Type.Optional(Secret) }, strict);

const STATES = ['pending', 'delivered', 'failed'] as const;

export const Delivery = Type.Object(
  {
    id: Id,
    webhook_id: Id,
    event_id: Type.String({ format: 'uuid', description: 'What the receiver sees as `webhook-id`.' }),
    cursor: Type.Integer({ description: 'Where the event stands in the log.' }),
    type: Type.String(),
    state: Type.Enum([...STATES]),
    attempts: Type.Integer(),
    next_attempt_at: nullable(Time),
    last_status: nullable(Type.Integer(), 'Null when there was no answer.'),
    last_error: nullable(Type.String()),
    last_response: nullable(Type.String(), 'How the answer’s body began.'),
    duration_ms: nullable(Type.Integer()),
    created_at: Time,
    delivered_at: nullable(Time),
  },
  strict,
);
export type Delivery = Static<typeof Delivery>;

export const DeliveryQuery = Type.Object({ ...PAGING, state: Type.Optional(Type.Enum([...STATES])) }, strict);
export type DeliveryQuery = Static<typeof DeliveryQuery>;
