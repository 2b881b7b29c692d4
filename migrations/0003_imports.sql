create table imports (
  id uuid primary key,
  status text not null check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  mode text not null check (mode in ('create', 'upsert')),
  file_name text not null,
  size_bytes bigint,
  bytes_read bigint not null default 0,
  count_read integer not null default 0,
  count_created integer not null default 0,
  count_updated integer not null default 0,
  count_unchanged integer not null default 0,
  count_existing integer not null default 0,
  count_rejected integer not null default 0,
  error jsonb,
  created_by uuid,
  created_at timestamptz not null,
  started_at timestamptz,
  merged_at timestamptz,
  finished_at timestamptz
);
comment on column imports.merged_at is 'Set by the merge''s own transaction: what is running and merged has only its quantities to follow.';

create table import_issues (
  import_id uuid not null references imports on delete cascade,
  seq integer not null,
  line integer not null,
  sku text,
  field text,
  code text not null,
  message text not null,
  rejected boolean not null,
  primary key (import_id, seq)
);

-- Quantities that a committed merge has still to apply to products that were there before, in chunks, so that no
-- checkout waits for the merge. What is left here after a crash is applied by the next process that looks.
create table import_quantities (
  import_id uuid not null references imports on delete cascade,
  product_id uuid not null references products on delete cascade,
  quantity integer not null check (quantity >= 0),
  primary key (import_id, product_id)
);
