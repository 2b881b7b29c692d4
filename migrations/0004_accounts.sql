-- Who people are, how they prove it, and what was promised to them: users, sessions, tokens, second factors, API keys.
-- Secrets are stored hashed (or encrypted, where they are needed again), so that a copy of this database lets nobody in.

create table users (
  id uuid primary key,
  email text,
  username text not null,
  password_hash text,
  role text not null default 'customer' check (role in ('customer', 'seller', 'staff', 'superuser')),
  first_name text not null default '',
  last_name text not null default '',
  phone text not null default '',
  address jsonb,
  date_of_birth date,
  notifications jsonb not null default '{}',
  email_verified_at timestamptz,
  email_ever_verified boolean not null default false,
  disabled_at timestamptz,
  erased_at timestamptz,
  otp_secret bytea,
  otp_confirmed_at timestamptz,
  otp_last_step bigint,
  token_epoch integer not null default 0,
  epoch_changed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_login_at timestamptz,
  check (erased_at is not null or (email is not null and password_hash is not null))
);
comment on column users.email is 'As the person wrote it; one account for each, whatever the case. Null once the account is erased.';
comment on column users.email_ever_verified is 'Whether any address of this account was ever proved. Before that, whoever set it up may be a stranger to it.';
comment on column users.otp_secret is 'Encrypted under a key made from SECRET_KEY; a second factor once otp_confirmed_at is set.';
comment on column users.otp_last_step is 'The last time step whose code was used: a code works once (RFC 6238, 5.2).';
comment on column users.token_epoch is 'Counts what makes older access tokens wrong: another role, disabled, erased.';
comment on column users.epoch_changed_at is 'By the database''s clock, since every node asks what changed lately.';
create unique index users_by_email on users (lower(email));
create unique index users_by_username on users (lower(username));
create index users_by_created on users (created_at, id);
create index users_changed_lately on users (epoch_changed_at) where epoch_changed_at is not null;

create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  kind text not null check (kind in ('cookie', 'token')),
  cookie_hash bytea unique,
  user_agent text not null default '',
  address_hash bytea not null,
  second_factor boolean not null default false,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  check ((kind = 'cookie') = (cookie_hash is not null))
);
comment on table sessions is 'Where somebody is logged in: a browser by its cookie, or a program by a family of refresh tokens.';
comment on column sessions.address_hash is 'Keyed hash of where the log-in came from: whoever logged in from there before is not locked out by others.';
comment on column sessions.revoked_at is 'By the database''s clock, since every node asks what was revoked lately.';
create index sessions_of on sessions (user_id, last_used_at);
create index sessions_revoked_lately on sessions (revoked_at) where revoked_at is not null;
create index sessions_expiring on sessions (expires_at);

create table refresh_tokens (
  hash bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  spent_at timestamptz
);
comment on column refresh_tokens.spent_at is 'Whoever shows a spent token again has stolen it, or was stolen from: its session ends.';
create index refresh_tokens_of on refresh_tokens (session_id);
create index refresh_tokens_expiring on refresh_tokens (expires_at);

-- Links in mails: each works once, and not for ever.
create table one_time_tokens (
  hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  purpose text not null check (purpose in ('verify_email', 'reset_password')),
  email text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
comment on column one_time_tokens.email is 'The address that it was sent to: it proves that one and no other.';
create index one_time_tokens_of on one_time_tokens (user_id);
create index one_time_tokens_expiring on one_time_tokens (expires_at);

create table recovery_codes (
  user_id uuid not null references users on delete cascade,
  hash bytea not null,
  primary key (user_id, hash)
);
comment on table recovery_codes is 'Each stands in for a code of the second factor once; a used one is deleted.';

create table api_keys (
  id uuid primary key,
  name text not null,
  hint text not null,
  hash bytea not null unique,
  scopes text[] not null,
  created_by uuid not null references users,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
comment on column api_keys.hint is 'How the key begins, to tell it from others.';
create index api_keys_revoked_lately on api_keys (revoked_at) where revoked_at is not null;
create index api_keys_of on api_keys (created_by);

-- Failed log-ins, counted in buckets: for an account from one address, from one known browser, and so on.
create table login_failures (
  bucket bytea primary key,
  failures integer not null,
  since timestamptz not null
);
comment on column login_failures.bucket is 'Keyed hash of what is counted: neither names nor addresses can be read from it.';
create index login_failures_by_age on login_failures (since);
