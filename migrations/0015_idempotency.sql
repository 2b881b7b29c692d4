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
