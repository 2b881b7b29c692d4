-- Imports over HTTP: the feed is kept in the blob store, or fetched from an address, until its import has ended, so that
-- whoever finds it without an owner can run it again from the beginning.

alter table imports
  add column source_url text,
  add column blob_key text,
  add column sha256 text,
  add column attempts integer not null default 0;
comment on column imports.source_url is 'Where the feed is fetched from, when it was not uploaded.';
comment on column imports.blob_key is 'The stored feed; null before it is fetched, once it is dropped, and for a file on the importer''s own disk.';
comment on column imports.attempts is 'Counts the runs; a run writes to the row only while the count is the one that it began with.';

create index imports_unfinished on imports (id) where status in ('queued', 'running');
create index imports_with_file on imports (finished_at) where blob_key is not null;
