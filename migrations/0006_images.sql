-- Uploaded and fetched images: each is three renditions in the blob store under its id, and one row of product_images (or
-- a category's `image`) whose key is that id. Drawings have keys with dots in them and are stored nowhere.

comment on column product_images.key is 'Its own id when it is stored, or the key of a drawing.';
comment on column product_images.source_url is 'The link of the feed that it was fetched by; null when people uploaded it.';
comment on column product_images.width is 'Of the rendition for details, in pixels.';
create unique index product_images_by_source on product_images (product_id, source_url) where source_url is not null;

-- Images whose blobs nothing shows, to be removed once they are due. An image stands here from before its blobs are
-- written until its row commits, and again from when its row goes: whatever dies in between, blobs may outlive their
-- row for a while, but never the other way round.
create table unused_images (
  id uuid primary key,
  due_at timestamptz not null
);
comment on column unused_images.due_at is 'By the database''s clock. An upload that takes longer than this is given up.';
create index unused_images_due on unused_images (due_at);

-- A drawing's key is no uuid and has nothing to be removed.
create function release_image(key text) returns void language plpgsql as $$
begin
  if key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    insert into unused_images (id, due_at) values (key::uuid, now())
    on conflict (id) do update set due_at = excluded.due_at;
  end if;
end
$$;

-- However a row goes, also by the erasure of its product.
create function release_product_image() returns trigger language plpgsql as $$
begin
  perform release_image(old.key);
  return null;
end
$$;
create trigger product_images_released after delete on product_images
  for each row execute function release_product_image();

create function release_category_image() returns trigger language plpgsql as $$
begin
  perform release_image(old.image);
  return null;
end
$$;
create trigger categories_image_replaced after update of image on categories
  for each row when (old.image is not null and old.image is distinct from new.image) execute function release_category_image();
create trigger categories_image_released after delete on categories
  for each row when (old.image is not null) execute function release_category_image();

-- The image links of feeds, and how far each has come.
create table image_fetches (
  product_id uuid not null references products on delete cascade,
  url text not null,
  position integer not null,
  host text not null,
  state text not null default 'queued' check (state in ('queued', 'done', 'failed', 'removed')),
  attempts integer not null default 0,
  next_at timestamptz not null,
  leased_until timestamptz,
  last_error text,
  primary key (product_id, url)
);
comment on column image_fetches.position is 'The link''s place in its feed.';
comment on column image_fetches.state is 'removed: people have deleted the image, so it is not fetched again.';
comment on column image_fetches.next_at is 'When it may be taken: after a failure later and later; while somebody has it, the end of the lease.';
create index image_fetches_due on image_fetches (host, next_at) where state = 'queued';
create index image_fetches_leased on image_fetches (leased_until) where state = 'queued' and leased_until is not null;

-- The links of a feed's item, the main one first, each once. More than 20 no product shows.
create function feed_image_links(attributes jsonb) returns table (url text, "position" integer, host text)
  language sql immutable parallel safe
as $$
  with given as (
    select btrim(l.value) as url, l.n
    from jsonb_array_elements_text(
      (case jsonb_typeof(attributes -> 'image_link')
         when 'string' then jsonb_build_array(attributes -> 'image_link')
         when 'array' then attributes -> 'image_link' else '[]' end)
      || (case jsonb_typeof(attributes -> 'additional_image_link')
         when 'string' then jsonb_build_array(attributes -> 'additional_image_link')
         when 'array' then attributes -> 'additional_image_link' else '[]' end)
    ) with ordinality as l (value, n)
  ),
  hosted as (
    select g.url, min(g.n) as first,
      lower(substring(g.url from '^[hH][tT][tT][pP][sS]?://(?:[^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^][/?#:@]+)')) as host
    from given g where octet_length(g.url) <= 2000
    group by g.url
  )
  select h.url, (row_number() over (order by h.first) - 1)::integer, h.host
  from hosted h where h.host is not null order by h.first limit 20
$$;

-- What was imported before there was this.
insert into image_fetches (product_id, url, position, host, next_at)
select t.product_id, l.url, l.position, l.host, now()
from product_texts t, feed_image_links(t.attributes) l
where t.attributes ?| array['image_link', 'additional_image_link'];
