-- Messages are delivered: each row says how far it has come, and is what the next try goes by.

alter table emails
  drop constraint emails_state_check,
  add column html bytea,
  add column attachments jsonb not null default '[]',
  add column message_id text,
  add column tries integer not null default 0,
  add column next_try_at timestamptz,
  add column last_tried_at timestamptz,
  add column last_error text,
  add column sent_at timestamptz;

-- What was written before there was any delivery stays where it is, until somebody asks for it to be sent.
update emails set state = 'kept' where state = 'queued';

alter table emails
  add constraint emails_state_check check (state in ('queued', 'sending', 'sent', 'failed', 'kept')),
  add constraint emails_next_try_check check ((next_try_at is not null) = (state in ('queued', 'sending')));

comment on column emails.state is 'kept: written while no mail server was set, so it is only in the mailbox. sending: somebody is at it, or died at it.';
comment on column emails.html is 'Encrypted like body; null for messages from before there was HTML.';
comment on column emails.attachments is 'Files in the blob store: [{file_name, content_type, blob_key, bytes}].';
comment on column emails.message_id is 'The header Message-ID, given at the first try and kept over all others.';
comment on column emails.tries is 'Since it was written, or last asked to be sent again.';
comment on column emails.next_try_at is 'By the database''s clock: when it may be taken; while somebody is sending it, the end of their lease.';

create index emails_due on emails (next_try_at) where next_try_at is not null;
create index emails_with_files on emails using gin (attachments jsonb_path_ops) where attachments <> '[]';

-- Files of messages that are gone, to be removed from the blob store unless another message still has them.
create table unused_mail_files (
  blob_key text primary key
);
