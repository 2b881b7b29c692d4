create extension if not exists pg_trgm;
create extension if not exists unaccent;
create extension if not exists fuzzystrmatch;

-- Words are found without their accents and in English stems; nothing is a stop word, since shops sell "It" and "The
-- Ordinary". Other languages are stemmed by the same rules on both sides, which does them no harm.
create text search dictionary vitrine_stem (template = snowball, language = english);
create text search configuration vitrine (copy = simple);
alter text search configuration vitrine
  alter mapping for asciiword, asciihword, hword_asciipart, word, hword, hword_part, numword, numhword, hword_numpart
  with unaccent, vitrine_stem;

create table categories (
  id uuid primary key,
  slug text not null unique,
  name text collate "und-x-icu" not null,
  description text not null default '',
  image text,
  parent_id uuid references categories,
  position integer not null default 0,
  active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique nulls not distinct (parent_id, name)
);

create table retired_category_slugs (
  slug text primary key,
  category_id uuid not null references categories on delete cascade,
  retired_at timestamptz not null
);

create table products (
  id uuid primary key,
  sku text not null unique,
  slug text not null unique,
  name text collate "und-x-icu" not null,
  price bigint not null check (price >= 0),
  sale_price bigint check (sale_price >= 0 and sale_price < price),
  effective_price bigint not null generated always as (coalesce(sale_price, price)) stored,
  featured boolean not null default false,
  active boolean not null default true,
  availability text not null check (availability in ('in_stock', 'out_of_stock', 'preorder', 'backorder')),
  category_id uuid references categories,
  brand text,
  gender text,
  condition text,
  color text,
  size text,
  age_group text,
  material text,
  gtin text,
  mpn text,
  group_id text,
  image text,
  offers_count integer not null default 0,
  lowest_offer bigint,
  offers_in_stock integer not null default 0,
  owner_id uuid,
  archived_at timestamptz,
  visible boolean not null generated always as (active and archived_at is null) stored,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
comment on column products.price is 'In minor units of the shop''s currency, as all money here.';
comment on column products.group_id is 'The family of variants: products that share it differ in colour, size, material …';
comment on column products.image is 'Key of the first image: a blob or a drawing. Kept here so that lists need no join.';

-- Each ordering is walked by an index of what the public may see.
create index products_by_price on products (effective_price, id) where visible;
create index products_by_created on products (created_at, id) where visible;
create index products_by_name on products (name, id) where visible;
create index products_by_offer on products ((coalesce(lowest_offer, 9223372036854775807)), id) where visible;
create index products_by_offer_desc on products ((coalesce(lowest_offer, -1)), id) where visible;
create index products_featured on products (created_at, id) where featured and visible;

-- Filters are combined by their bitmaps, which the planner never does with two partial indexes of one predicate: so these
-- are whole, and carry along what single filters and the commonest pairs (colour and size; category, brand, stock) are
-- counted by without a look at the table. A brand and a category are walked by price, the commonest order.
create index products_by_category on products (category_id, effective_price, id) include (visible, availability, brand);
create index products_by_brand on products (brand, effective_price, id) include (visible);
create index products_by_color on products (color, size, visible);
create index products_by_size on products (size) include (visible);
create index products_by_gender on products (gender) include (visible);
create index products_by_condition on products (condition) include (visible);
create index products_by_group on products (group_id) where group_id is not null;

create table retired_product_slugs (
  slug text primary key,
  product_id uuid not null references products on delete cascade,
  retired_at timestamptz not null
);
create index retired_product_slugs_of on retired_product_slugs (product_id);

-- Punctuation separates words, an apostrophe joins them: SKUs and compounds are found by their parts however they are
-- written. The query side does the same in search-words.ts.
create function search_plain(text) returns text
  language sql immutable parallel safe strict
  return translate($1,
    $sep$-_/\.,:;|&+()[]{}<>"!?*#@%^~=$–—‐‑·•“”„«»…™®©×،؛؟、。'’‘`$sep$,
    repeat(' ', 51));

-- Weights: A the name and numbers, B the brand, C the category. Brand and category are a part of their own, since an
-- import makes it once for each pair of them and not for each product.
create function search_label(brand text, category text) returns tsvector
  language sql immutable parallel safe
  return setweight(to_tsvector('vitrine'::regconfig, search_plain(coalesce(brand, ''))), 'B')
    || setweight(to_tsvector('vitrine'::regconfig, search_plain(coalesce(category, ''))), 'C');

create function search_title(name text, sku text, gtin text, mpn text, label tsvector) returns tsvector
  language sql immutable parallel safe
  return setweight(to_tsvector('vitrine'::regconfig, search_plain(concat_ws(' ', name, sku, gtin, mpn))), 'A') || label;

create function search_document(title tsvector, description text) returns tsvector
  language sql immutable parallel safe
  return title || to_tsvector('vitrine'::regconfig, left(description, 20000));

-- What lists never show stays out of the rows that lists read, and a new price never touches a text index.
create table product_texts (
  product_id uuid primary key references products on delete cascade,
  visible boolean not null,
  title tsvector not null,
  description text not null default '',
  attributes jsonb not null default '{}',
  document tsvector not null generated always as (search_document(title, description)) stored
);
comment on column product_texts.visible is 'As the product''s, kept by a trigger: a search need not look at the product for it.';
-- Statistics over the words of a sample of 6,000 are good enough to choose a plan by, and a fifth of the work.
alter table product_texts
  alter column title set storage main,
  alter column title set statistics 20,
  alter column description set statistics 20,
  alter column attributes set statistics 20,
  alter column document set statistics 20;

create function keep_texts_visible() returns trigger language plpgsql as $$
begin
  update product_texts set visible = new.visible where product_id = new.id;
  return null;
end
$$;
create trigger products_visible after update of active, archived_at on products
  for each row when (old.visible is distinct from new.visible) execute function keep_texts_visible();

-- The names from the root down to a category: what its products are found by.
create function path_names(category uuid) returns text
  language sql stable parallel safe
as $$
  with recursive up as (
    select id, parent_id, name, 1 as level from categories where id = category
    union all
    select c.id, c.parent_id, c.name, up.level + 1 from categories c join up on c.id = up.parent_id
  )
  select string_agg(name, ' ' order by level desc) from up
$$;

create index product_texts_title on product_texts using gin (title);
create index product_texts_document on product_texts using gin (document);

-- The words of all titles: what a misspelt word is corrected to.
create table search_words (
  word text primary key
);
create index search_words_similar on search_words using gin (word gin_trgm_ops);

-- For each word asked for, the likeliest words of the titles: alike by trigrams, which the index finds, then near by the
-- number of slips. A slip in a short word makes another word, so those must match; longer ones may have one or two. The
-- threshold is low because two letters exchanged leave a word of five with a fifth of its trigrams.
create function search_corrections(words text[]) returns table (word text, near text[])
  language sql stable
  set pg_trgm.similarity_threshold = 0.15
as $$
  select a.word, array(
    select s.word from search_words s
    where s.word % a.stem and levenshtein_less_equal(s.word, a.stem, a.slips) <= a.slips
    order by levenshtein_less_equal(s.word, a.stem, a.slips), similarity(s.word, a.stem) desc, s.word
    limit 4)
  from (
    select w.word, w.n, b.stem, case when length(w.word) < 4 then 0 when length(w.word) < 5 then 1 else 2 end as slips
    from unnest(words) with ordinality as w (word, n),
      lateral (select coalesce((tsvector_to_array(to_tsvector('vitrine', w.word)))[1], w.word) as stem) b
  ) a
  order by a.n
$$;

create table product_images (
  id uuid primary key,
  product_id uuid not null references products on delete cascade,
  position integer not null,
  key text not null,
  alt text not null default '',
  source_url text,
  width integer not null,
  height integer not null,
  created_at timestamptz not null,
  unique (product_id, position) deferrable
);

-- A product without a row here is not counted: it is available or not, as its availability says.
create table stock (
  product_id uuid primary key references products on delete cascade,
  on_hand integer not null constraint stock_not_negative check (on_hand >= 0)
) with (fillfactor = 70);

create table stock_movements (
  id bigint generated always as identity primary key,
  product_id uuid not null references products on delete cascade,
  delta integer not null,
  on_hand integer not null,
  reason text not null,
  reference text,
  actor_id uuid,
  at timestamptz not null
);
comment on column stock_movements.on_hand is 'What was on hand after the movement; stock.on_hand is always the sum of the deltas.';
create index stock_movements_of on stock_movements (product_id, id);

-- The one writer of stock and its ledger; callers reach it through changeStock() in stock.ts.
--
-- Each product moves by a delta, or to a target (which starts counting a product that was not counted); a product
-- stands in the arrays at most once. Rows are locked in id order, so that two callers with the same products in
-- different orders never deadlock. A product whose delta would take it below zero, or that is not counted, does not
-- move and comes back with moved = false: the caller decides whether the others may stay.
create function change_stock(
  product_ids uuid[], deltas integer[], targets integer[], reason text, reference text, actor_id uuid, at timestamptz
) returns table (product_id uuid, on_hand integer, moved boolean)
  language plpgsql
as $$
#variable_conflict use_column
begin
  perform 1 from stock s where s.product_id = any (product_ids) order by s.product_id for update;

  return query
  with asked as (
    select a.id, a.delta, a.target from unnest(product_ids, deltas, targets) as a (id, delta, target)
  ),
  counted as (
    update stock s
    set on_hand = case when a.target is null then s.on_hand + a.delta else a.target end
    from asked a, stock before
    where s.product_id = a.id and before.product_id = a.id
      and (a.target is not null or s.on_hand + a.delta >= 0)
    returning s.product_id, s.on_hand, s.on_hand - before.on_hand as delta, false as first
  ),
  started as (
    insert into stock (product_id, on_hand)
    select a.id, a.target from asked a
    where a.target is not null and not exists (select from stock s where s.product_id = a.id)
    order by a.id
    returning stock.product_id, stock.on_hand, stock.on_hand as delta, true as first
  ),
  moves as (select * from counted union all select * from started),
  ledger as (
    insert into stock_movements (product_id, delta, on_hand, reason, reference, actor_id, at)
    select m.product_id, m.delta, m.on_hand, change_stock.reason, change_stock.reference, change_stock.actor_id, change_stock.at
    from moves m
    where m.delta <> 0 or m.first
    order by m.product_id
  )
  select a.id, coalesce(m.on_hand, s.on_hand), m.product_id is not null
  from asked a
  left join moves m on m.product_id = a.id
  left join stock s on s.product_id = a.id;
end
$$;

create table price_history (
  product_id uuid not null references products on delete cascade,
  valid_from timestamptz not null,
  price bigint not null,
  sale_price bigint,
  import_id uuid,
  actor_id uuid,
  primary key (product_id, valid_from)
);

create table product_changes (
  id bigint generated always as identity primary key,
  product_id uuid not null,
  sku text not null,
  at timestamptz not null,
  action text not null check (action in ('created', 'updated', 'archived', 'restored', 'deleted')),
  version integer not null,
  changes jsonb not null default '{}',
  import_id uuid,
  actor_id uuid
);
comment on table product_changes is 'Who changed what, field by field {from, to}; outlives its product, hence no foreign key.';
create index product_changes_of on product_changes (product_id, id);
create index product_changes_of_import on product_changes (import_id, id) where import_id is not null;
