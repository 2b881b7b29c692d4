-- Webhooks: who is told of which events, and how far each telling has come.

create table webhook_endpoints (
  id uuid primary key,
  url text not null,
  description text not null default '',
  types text[] not null,
  active boolean not null default true,
  secret bytea not null,
  previous_secret bytea,
  previous_secret_until timestamptz,
  after_position bigint not null,
  failures integer not null default 0,
  failing_since timestamptz,
  last_success_at timestamptz,
  retry_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('failing', 'gone')),
  drain_id uuid,
  drained_until timestamptz,
  created_by uuid not null references users,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
comment on column webhook_endpoints.types is 'Of the events it gets: as they stand, product.* for all that begin so, or * for every one.';
comment on column webhook_endpoints.secret is 'Encrypted, as is the one before it.';
comment on column webhook_endpoints.previous_secret_until is 'Until then requests are signed with both, so that its owner can change over at leisure.';
comment on column webhook_endpoints.after_position is 'Where the log stood when it was made or switched on again: it gets what came later.';
comment on column webhook_endpoints.failures is 'In a row; several requests that were under way at once count as one.';
comment on column webhook_endpoints.retry_at is 'After a failure: nothing is sent before this.';
comment on column webhook_endpoints.disabled_reason is 'Why the shop itself switched it off.';
comment on column webhook_endpoints.drain_id is 'Who is sending to it: one at a time, and a dead one''s turn ends by itself.';

create table webhook_deliveries (
  id uuid primary key,
  endpoint_id uuid not null references webhook_endpoints on delete cascade,
  event_id uuid not null,
  position bigint not null,
  type text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  give_up_at timestamptz,
  last_status integer,
  last_error text,
  last_response text,
  duration_ms integer,
  created_at timestamptz not null,
  delivered_at timestamptz,
  unique (endpoint_id, event_id),
  check ((state = 'pending') = (next_attempt_at is not null))
);
comment on column webhook_deliveries.event_id is 'Told to the receiver as webhook-id: one event comes to an endpoint under one id, however often.';
comment on column webhook_deliveries.position is 'Of the event in the log, which holds what is sent.';
comment on column webhook_deliveries.give_up_at is 'A day after its first try; what fails then has failed for good.';
comment on column webhook_deliveries.last_response is 'How the answer''s body began.';
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_attempt_at, position) where state = 'pending';
create index webhook_deliveries_of on webhook_deliveries (endpoint_id, id);
create index webhook_deliveries_failed on webhook_deliveries (endpoint_id, id) where state = 'failed';
