-- Requests that were sent with an Idempotency-Key, for a day: what the key was used for, and what was answered.

create table idempotency_keys (
  hash bytea primary key,
  request bytea not null,
  claim uuid not null,
  state text not null default 'running' check (state in ('running', 'applied', 'answered')),
  lease_until timestamptz not null,
  status integer,
  headers jsonb,
  body bytea,
  created_at timestamptz not null,
  check ((state = 'answered') = (status is not null))
);
comment on column idempotency_keys.hash is 'A keyed hash of the caller, the method, the path and the key.';
comment on column idempotency_keys.request is 'A keyed hash of what was asked: the same key never stands for something else.';
comment on column idempotency_keys.claim is 'The one request that may do it.';
comment on column idempotency_keys.state is 'running: nothing is committed yet; applied: what was asked is done, its answer is not known yet; answered.';
comment on column idempotency_keys.lease_until is 'Until then a running request is believed to be alive.';
comment on column idempotency_keys.body is 'Encrypted: answers may hold what is shown only once.';
create index idempotency_keys_old on idempotency_keys (created_at);

-- Claims a key for one request, or answers how it stands; nothing when that is just changing. Who claims it is to be read
-- from the answer. Nobody waits here for a transaction that may take long: a row that one holds is read without a lock, is
-- not taken over, and is met by no insert, which would wait for it even to do nothing; hence one at a time for each key.
-- Should the claim be lost in a crash of the database, everything that came after it is lost too.
create function claim_key(key_hash bytea, asked bytea, claimed_by uuid, at timestamptz, lease interval)
returns table (claim uuid, request bytea, state text, lapsed boolean, status integer, headers jsonb, body bytea)
  language plpgsql
as $$
#variable_conflict use_column
declare
  old timestamptz := at - interval '24 hours';
begin
  perform set_config('synchronous_commit', 'off', true);
  perform pg_advisory_xact_lock(1768187246, hashtext(encode(key_hash, 'hex')));
  return query
    select k.claim, k.request, k.state, k.lease_until < clock_timestamp(), k.status, k.headers, k.body
    from idempotency_keys k
    where k.hash = key_hash and k.created_at > old
      and not (k.state = 'running' and k.lease_until < clock_timestamp() and k.request = asked);
  if found then
    return;
  end if;

  update idempotency_keys k
  set request = asked, claim = claimed_by, state = 'running', lease_until = clock_timestamp() + lease,
    status = null, headers = null, body = null, created_at = at
  where k.hash = (
    select taken.hash from idempotency_keys taken
    where taken.hash = key_hash and (taken.created_at <= old
      or (taken.state = 'running' and taken.lease_until < clock_timestamp() and taken.request = asked))
    for update skip locked
  );
  if not found then
    insert into idempotency_keys (hash, request, claim, lease_until, created_at)
    select key_hash, asked, claimed_by, clock_timestamp() + lease, at
    where not exists (select from idempotency_keys k where k.hash = key_hash);
  end if;
  if found then
    return query select claimed_by, asked, 'running', false, null::integer, null::jsonb, null::bytea;
  end if;
end
$$;

-- Keeps the answer in the transaction of what it tells of. A request that has lost its claim to another one, which took it
-- for dead, must not commit: it fails here.
create function keep_answer(key_hash bytea, claimed_by uuid, status integer, headers jsonb, body bytea) returns void
  language plpgsql
as $$
#variable_conflict use_variable
begin
  update idempotency_keys k
  set state = 'answered', status = keep_answer.status, headers = keep_answer.headers, body = keep_answer.body
  where k.hash = key_hash and k.claim = claimed_by;
  if not found then
    raise exception 'The claim of an idempotency key was lost.' using errcode = 'VT002';
  end if;
end
$$;

-- Gives a key free that was refused. What is done stays done: of that it is said at once that its answer is lost.
create function free_key(key_hash bytea, claimed_by uuid) returns void
  language plpgsql
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from idempotency_keys k where k.hash = key_hash and k.claim = claimed_by and k.state = 'running';
  if not found then
    update idempotency_keys k set lease_until = clock_timestamp()
    where k.hash = key_hash and k.claim = claimed_by and k.state = 'applied';
  end if;
end
$$;
