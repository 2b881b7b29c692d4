-- What the event log needs beside its rows: whom an event is a notice to, what readers may filter by, and how far it has been forgotten.

alter table outbox add column user_id uuid;
alter table events add column user_id uuid;
comment on column events.user_id is 'The user to whom the event is a notice: their own socket gets it.';

create index events_by_type on events (type, position);
create index events_of_user on events (user_id, position) where user_id is not null;

alter table event_log_head add column expired_through bigint not null default 0;
comment on column event_log_head.expired_through is 'Positions up to here are forgotten: a cursor before it can no longer be followed without a gap.';
