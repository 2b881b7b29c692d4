-- Messages to people, written in the transaction of what they tell of. Until mail is delivered, this is the mailbox.
create table emails (
  id uuid primary key,
  template text not null,
  recipient_id uuid,
  recipient text not null,
  subject text not null,
  body bytea not null,
  state text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
  created_at timestamptz not null
);
comment on column emails.body is 'The text, encrypted under a key made from SECRET_KEY: links in it let whoever has them in.';
comment on column emails.recipient_id is 'The user it is for; their erasure takes their messages along.';
create index emails_by_created on emails (created_at, id);
create index emails_of on emails (recipient_id);
