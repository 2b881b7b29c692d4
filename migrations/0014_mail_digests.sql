-- What one actor does within five minutes, of each kind that is told of one by one: three are, the further ones in a digest.
create table mail_windows (
  kind text not null,
  actor_id uuid not null,
  began_at timestamptz not null,
  changes integer not null,
  primary key (kind, actor_id)
);
comment on table mail_windows is 'Its row lets the deliveries of one kind and actor go one after another.';
comment on column mail_windows.actor_id is 'The nil UUID for what nobody did.';

create table mail_digests (
  kind text not null,
  actor_id uuid not null,
  began_at timestamptz not null,
  position bigint not null,
  primary key (kind, actor_id, began_at, position)
);
comment on table mail_digests is 'Events, by their position in the log, that wait for the end of the window that began then.';

-- What became of an import's rows is told in parts: what was rejected, the others with the remarks on each, and the products
-- of which it changed the stock alone.
create index import_issues_rejected on import_issues (import_id, seq) where rejected;
create index import_issues_of_sku on import_issues (import_id, sku) where code <> 'already_exists';
create index stock_movements_of_import on stock_movements (reference, id) where reason = 'import';
