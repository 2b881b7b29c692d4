-- Carts, orders, and what the catalogue knows of sales.

-- What was ever sold is archived, never erased. In a table of its own, because an import that merges holds the rows of
-- products for as long as a minute, and a first sale must not wait for it: it only refers to them.
create table sold_products (
  product_id uuid primary key references products,
  first_sold_at timestamptz not null
);
alter table products drop column ordered_at;

-- Takes what an order needs, all of it or nothing: callers reach it through place_order. Each product must still be at the
-- version at which it was read, visible, and tracked or not as it was then; otherwise it fails with VT001, and whoever
-- asked has to look again. The stock comes last, since everybody waits for a hot row for as long as it is held.
-- Answers what was on hand before and after, of the products that are tracked.
create function sell_products(
  product_ids uuid[], versions integer[], quantities integer[], tracked boolean[], reference text, actor_id uuid,
  at timestamptz
) returns jsonb
  language plpgsql
as $$
declare
  taken jsonb;
  refused boolean;
begin
  if (select count(*) from unnest(product_ids, versions) a (id, version)
      join products p on p.id = a.id and p.version = a.version and p.visible) <> cardinality(product_ids) then
    raise exception 'A product has changed.' using errcode = 'VT001';
  end if;

  insert into sold_products (product_id, first_sold_at)
  select s.id, at from unnest(product_ids) s (id)
  where not exists (select from sold_products known where known.product_id = s.id)
  order by s.id
  on conflict do nothing;

  select bool_or(m.moved <> a.tracked or (m.on_hand is not null) <> a.tracked),
    coalesce(jsonb_object_agg(a.id, jsonb_build_object('from', m.on_hand + a.quantity, 'to', m.on_hand))
      filter (where m.moved), '{}')
  into refused, taken
  from unnest(product_ids, quantities, tracked) a (id, quantity, tracked)
  join change_stock(product_ids, (select array_agg(-q order by n) from unnest(quantities) with ordinality u (q, n)),
    array_fill(null::integer, array[cardinality(product_ids)]), 'order', reference, actor_id, at) m on m.product_id = a.id;
  if refused then
    raise exception 'There is not enough in stock.' using errcode = 'VT001';
  end if;
  return taken;
end
$$;

create table carts (
  id uuid primary key,
  is_guest boolean not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
comment on column carts.id is 'Of a user''s cart the user''s own id; of a guest''s one that its token proves.';
comment on column carts.version is 'Goes up with every change of the lines: an order is placed from a cart that is as it was read.';
create index carts_of_guests on carts (updated_at) where is_guest;

-- A product may be gone while it still lies in carts, so a line keeps what it needs to say which one that was.
create table cart_items (
  id uuid primary key,
  cart_id uuid not null references carts on delete cascade,
  product_id uuid not null,
  quantity integer not null check (quantity between 1 and 999),
  sku text not null,
  name text not null,
  image text,
  unit_price bigint not null,
  added_at timestamptz not null,
  unique (cart_id, product_id)
);
comment on column cart_items.unit_price is 'What one cost when the line was last changed by whoever owns the cart.';

create table orders (
  id uuid primary key,
  number text collate "C" not null unique,
  user_id uuid not null references users,
  status text not null default 'pending' check (status in ('pending', 'shipped', 'delivered', 'cancelled')),
  subtotal bigint not null,
  discount_total bigint not null default 0,
  shipping_total bigint not null default 0,
  tax_total bigint not null default 0,
  total bigint not null,
  currency text not null,
  shipping_address jsonb,
  note text not null default '',
  version integer not null default 1,
  placed_at timestamptz not null,
  updated_at timestamptz not null,
  check (total = subtotal - discount_total + shipping_total + tax_total)
);
create index orders_of on orders (user_id, id);
create index orders_by_status on orders (status, id);
create index orders_by_time on orders (placed_at);

-- No reference to the product: sell_products sees to it that none is erased, and checking it here would have every buyer of
-- a hot product write to that product's row.
create table order_items (
  order_id uuid not null references orders,
  position integer not null,
  product_id uuid not null,
  sku text not null,
  name text not null,
  image text,
  unit_price bigint not null,
  quantity integer not null check (quantity > 0),
  line_total bigint not null check (line_total = unit_price * quantity),
  took_stock boolean not null,
  primary key (order_id, position)
);
create index order_items_of on order_items (product_id, order_id);
comment on column order_items.took_stock is 'Whether the product was tracked: what was taken comes back when the order is cancelled.';

-- What products were called when they were sold, by which orders are searched. An index of the words of every line would
-- cost every checkout some, and one in ten thousand half a second or more, when what is pending of the index is sorted in.
create table sold_names (
  product_id uuid not null,
  sku text not null,
  name text not null,
  words tsvector not null generated always as (to_tsvector('vitrine'::regconfig, search_plain(name || ' ' || sku))) stored,
  primary key (product_id, name, sku)
);
create index sold_names_words on sold_names using gin (words);

-- Orders are searched by how a customer's names begin, too.
create index users_by_username_start on users (lower(username) text_pattern_ops);
create index users_by_email_start on users (lower(email) text_pattern_ops);

-- What became of an order after it was placed.
create table order_status_changes (
  order_id uuid not null references orders,
  version integer not null,
  status text not null,
  at timestamptz not null,
  actor_id uuid,
  primary key (order_id, version)
);

-- Places an order in one statement. It was worked out by its caller from a cart and products that were read before, and
-- fails with VT001 when they are not as they were then. Answers what stock it has taken.
create function place_order(
  order_id uuid, order_number text, buyer_id uuid, from_cart uuid, cart_version integer, order_total bigint,
  order_currency text, address jsonb, buyers_note text, at timestamptz,
  product_ids uuid[], versions integer[], quantities integer[], tracked boolean[], prices bigint[], skus text[],
  names text[], images text[],
  event_id uuid, event_data jsonb,
  key_hash bytea, claimed_by uuid, answer_status integer, answer_headers jsonb, answer_body bytea
) returns jsonb
  language plpgsql
as $$
#variable_conflict use_column
declare
  taken jsonb;
begin
  -- Whoever holds what it needs for longer than this is stuck, and would have every buyer wait with a connection in hand.
  perform set_config('lock_timeout', '3000', true);

  -- Whoever erases an account holds this row, then empties its orders and drops its cart: in that order here too, and nothing
  -- comes after it.
  perform 1 from users u where u.id = buyer_id and u.erased_at is null for key share;
  if not found then
    raise exception 'The account is erased.' using errcode = 'VT001';
  end if;

  update carts set version = version + 1, updated_at = at where id = from_cart and version = cart_version;
  if not found then
    raise exception 'The cart has changed.' using errcode = 'VT001';
  end if;
  delete from cart_items where cart_id = from_cart;

  insert into orders (id, number, user_id, subtotal, total, currency, shipping_address, note, placed_at, updated_at)
  values (order_id, order_number, buyer_id, order_total, order_total, order_currency, address, buyers_note, at, at);

  insert into order_items (order_id, position, product_id, sku, name, image, unit_price, quantity, line_total, took_stock)
  select place_order.order_id, l.n, l.product_id, l.sku, l.name, l.image, l.price, l.quantity, l.price * l.quantity, l.tracked
  from unnest(product_ids, skus, names, images, prices, quantities, tracked) with ordinality
    as l (product_id, sku, name, image, price, quantity, tracked, n);

  insert into sold_names (product_id, sku, name)
  select l.id, l.sku, l.name from unnest(product_ids, skus, names) as l (id, sku, name)
  where not exists (select from sold_names s where s.product_id = l.id and s.name = l.name and s.sku = l.sku)
  order by l.id
  on conflict do nothing;

  if key_hash is not null then
    perform keep_answer(key_hash, claimed_by, answer_status, answer_headers, answer_body);
  end if;

  taken := sell_products(product_ids, versions, quantities, tracked, order_id::text, buyer_id, at);

  insert into outbox (event_id, type, occurred_at, actor_id, subject_type, subject_id, changes, data, user_id)
  values (event_id, 'order.placed', at, buyer_id, 'order', order_id::text, '{}',
    event_data || jsonb_build_object('stock', taken), buyer_id);
  return taken;
end
$$;

-- With arrays PostgreSQL would plan every call anew, which takes longer than the call: a third of the orders a second.
alter function sell_products set plan_cache_mode = force_generic_plan;
alter function change_stock set plan_cache_mode = force_generic_plan;

-- Whoever moves events asks each time which of the staff want mails: among all customers they are few.
create index users_of_staff on users (id) where role in ('staff', 'superuser');
