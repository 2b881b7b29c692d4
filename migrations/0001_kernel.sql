-- What the kernel keeps for every module: the shop's settings, and events on their way from the transaction that
-- caused them to whoever follows the log.

create table shop_settings (
  name text primary key,
  value text not null
);
comment on table shop_settings is 'What a later start must find unchanged: the currency that stored prices are in.';

-- Business transactions append here and do nothing else: no NOTIFY, no shared counter, so that they never queue for
-- one another at commit. Rows live for milliseconds; the relay moves them on.
create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null,
  type text not null,
  occurred_at timestamptz not null,
  actor_id uuid,
  subject_type text not null,
  subject_id text not null,
  changes jsonb not null default '{}',
  data jsonb not null default '{}'
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table events (
  position bigint primary key,
  event_id uuid not null unique,
  type text not null,
  occurred_at timestamptz not null,
  actor_id uuid,
  subject_type text not null,
  subject_id text not null,
  changes jsonb not null,
  data jsonb not null,
  lsn pg_lsn not null
);
comment on column events.position is 'Gapless, in the order in which the relay saw the commits. The cursor of every reader.';
comment on column events.lsn is 'At or after the commit of the change: a replica that replayed it has the change.';
create index events_by_time on events (occurred_at);

create table event_log_head (
  singleton boolean primary key default true check (singleton),
  position bigint not null
);
insert into event_log_head (position) values (0);

create table event_effects (
  event_id uuid not null,
  subscriber text not null,
  applied_at timestamptz not null default now(),
  primary key (event_id, subscriber)
);
comment on table event_effects is 'Written with a subscriber''s own effect, so that a delivery that is repeated does nothing.';
