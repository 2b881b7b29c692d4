-- Generated from the migrated database by `npm run generate`; read it, do not run it.

create table api_keys (
  id uuid not null,
  name text not null,
  hint text not null,
  hash bytea not null,
  scopes text[] not null,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_hash_key UNIQUE (hash),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id)
);
CREATE INDEX api_keys_of ON public.api_keys USING btree (created_by);
CREATE INDEX api_keys_revoked_lately ON public.api_keys USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

create table cart_items (
  id uuid not null,
  cart_id uuid not null,
  product_id uuid not null,
  quantity integer not null,
  sku text not null,
  name text not null,
  image text,
  unit_price bigint not null,
  added_at timestamp with time zone not null,
  constraint cart_items_cart_id_product_id_key UNIQUE (cart_id, product_id),
  constraint cart_items_pkey PRIMARY KEY (id),
  constraint cart_items_cart_id_fkey FOREIGN KEY (cart_id) REFERENCES carts(id) ON DELETE CASCADE,
  constraint cart_items_quantity_check CHECK (((quantity >= 1) AND (quantity <= 999)))
);

create table carts (
  id uuid not null,
  is_guest boolean not null,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint carts_pkey PRIMARY KEY (id)
);
CREATE INDEX carts_of_guests ON public.carts USING btree (updated_at) WHERE is_guest;

create table categories (
  id uuid not null,
  slug text not null,
  name text collate "und-x-icu" not null,
  description text not null default ''::text,
  image text,
  parent_id uuid,
  position integer not null default 0,
  active boolean not null default true,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint categories_parent_id_name_key UNIQUE NULLS NOT DISTINCT (parent_id, name),
  constraint categories_slug_key UNIQUE (slug),
  constraint categories_pkey PRIMARY KEY (id),
  constraint categories_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES categories(id)
);

create table emails (
  id uuid not null,
  template text not null,
  recipient_id uuid,
  recipient text not null,
  subject text not null,
  body bytea not null,
  state text not null default 'queued'::text,
  created_at timestamp with time zone not null,
  html bytea,
  attachments jsonb not null default '[]'::jsonb,
  message_id text,
  tries integer not null default 0,
  next_try_at timestamp with time zone,
  last_tried_at timestamp with time zone,
  last_error text,
  sent_at timestamp with time zone,
  constraint emails_pkey PRIMARY KEY (id),
  constraint emails_next_try_check CHECK (((next_try_at IS NOT NULL) = (state = ANY (ARRAY['queued'::text, 'sending'::text])))),
  constraint emails_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'kept'::text])))
);
CREATE INDEX emails_by_created ON public.emails USING btree (created_at, id);
CREATE INDEX emails_due ON public.emails USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);
CREATE INDEX emails_of ON public.emails USING btree (recipient_id);
CREATE INDEX emails_with_files ON public.emails USING gin (attachments jsonb_path_ops) WHERE (attachments <> '[]'::jsonb);

create table event_effects (
  event_id uuid not null,
  subscriber text not null,
  applied_at timestamp with time zone not null default now(),
  constraint event_effects_pkey PRIMARY KEY (event_id, subscriber)
);

create table event_log_head (
  singleton boolean not null default true,
  position bigint not null,
  expired_through bigint not null default 0,
  constraint event_log_head_pkey PRIMARY KEY (singleton),
  constraint event_log_head_singleton_check CHECK (singleton)
);

create table events (
  position bigint not null,
  event_id uuid not null,
  type text not null,
  occurred_at timestamp with time zone not null,
  actor_id uuid,
  subject_type text not null,
  subject_id text not null,
  changes jsonb not null,
  data jsonb not null,
  lsn pg_lsn not null,
  user_id uuid,
  constraint events_event_id_key UNIQUE (event_id),
  constraint events_pkey PRIMARY KEY ("position")
);
CREATE INDEX events_by_time ON public.events USING btree (occurred_at);
CREATE INDEX events_by_type ON public.events USING btree (type, "position");
CREATE INDEX events_of_user ON public.events USING btree (user_id, "position") WHERE (user_id IS NOT NULL);

create table finished_jobs (
  id bigint not null,
  task text not null,
  payload jsonb not null,
  outcome text not null,
  attempts integer not null,
  max_attempts integer not null,
  queued_at timestamp with time zone not null,
  finished_at timestamp with time zone not null,
  duration_ms integer,
  last_error text,
  constraint finished_jobs_pkey PRIMARY KEY (id),
  constraint finished_jobs_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'cancelled'::text])))
);
CREATE INDEX finished_jobs_by_time ON public.finished_jobs USING btree (finished_at);

create table idempotency_keys (
  hash bytea not null,
  request bytea not null,
  claim uuid not null,
  state text not null default 'running'::text,
  lease_until timestamp with time zone not null,
  status integer,
  headers jsonb,
  body bytea,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (hash),
  constraint idempotency_keys_check CHECK (((state = 'answered'::text) = (status IS NOT NULL))),
  constraint idempotency_keys_state_check CHECK ((state = ANY (ARRAY['running'::text, 'applied'::text, 'answered'::text])))
);
CREATE INDEX idempotency_keys_old ON public.idempotency_keys USING btree (created_at);

create table image_fetches (
  product_id uuid not null,
  url text not null,
  position integer not null,
  host text not null,
  state text not null default 'queued'::text,
  attempts integer not null default 0,
  next_at timestamp with time zone not null,
  leased_until timestamp with time zone,
  last_error text,
  constraint image_fetches_pkey PRIMARY KEY (product_id, url),
  constraint image_fetches_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE,
  constraint image_fetches_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'done'::text, 'failed'::text, 'removed'::text])))
);
CREATE INDEX image_fetches_due ON public.image_fetches USING btree (host, next_at) WHERE (state = 'queued'::text);
CREATE INDEX image_fetches_leased ON public.image_fetches USING btree (leased_until) WHERE ((state = 'queued'::text) AND (leased_until IS NOT NULL));

create table import_issues (
  import_id uuid not null,
  seq integer not null,
  line integer not null,
  sku text,
  field text,
  code text not null,
  message text not null,
  rejected boolean not null,
  constraint import_issues_pkey PRIMARY KEY (import_id, seq),
  constraint import_issues_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);
CREATE INDEX import_issues_of_sku ON public.import_issues USING btree (import_id, sku) WHERE (code <> 'already_exists'::text);
CREATE INDEX import_issues_rejected ON public.import_issues USING btree (import_id, seq) WHERE rejected;

create table import_quantities (
  import_id uuid not null,
  product_id uuid not null,
  quantity integer not null,
  constraint import_quantities_pkey PRIMARY KEY (import_id, product_id),
  constraint import_quantities_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE,
  constraint import_quantities_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE,
  constraint import_quantities_quantity_check CHECK ((quantity >= 0))
);

create table imports (
  id uuid not null,
  status text not null,
  mode text not null,
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
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  merged_at timestamp with time zone,
  finished_at timestamp with time zone,
  source_url text,
  blob_key text,
  sha256 text,
  attempts integer not null default 0,
  constraint imports_pkey PRIMARY KEY (id),
  constraint imports_mode_check CHECK ((mode = ANY (ARRAY['create'::text, 'upsert'::text]))),
  constraint imports_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX imports_unfinished ON public.imports USING btree (id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX imports_with_file ON public.imports USING btree (finished_at) WHERE (blob_key IS NOT NULL);

create table job_cancellations (
  job_id bigint not null,
  asked_at timestamp with time zone not null default now(),
  constraint job_cancellations_pkey PRIMARY KEY (job_id)
);

create table job_failures_told (
  job_id bigint not null,
  run_at timestamp with time zone not null,
  constraint job_failures_told_pkey PRIMARY KEY (job_id)
);

create table job_throughput (
  task text not null,
  minute timestamp with time zone not null,
  done bigint not null,
  failed bigint not null,
  total_ms bigint not null,
  constraint job_throughput_pkey PRIMARY KEY (minute, task)
);

create table job_workers (
  pool_id text not null,
  started_at timestamp with time zone not null default now(),
  beat_at timestamp with time zone not null default now(),
  constraint job_workers_pkey PRIMARY KEY (pool_id)
);

create table login_failures (
  bucket bytea not null,
  failures integer not null,
  since timestamp with time zone not null,
  constraint login_failures_pkey PRIMARY KEY (bucket)
);
CREATE INDEX login_failures_by_age ON public.login_failures USING btree (since);

create table mail_digests (
  kind text not null,
  actor_id uuid not null,
  began_at timestamp with time zone not null,
  position bigint not null,
  constraint mail_digests_pkey PRIMARY KEY (kind, actor_id, began_at, "position")
);

create table mail_windows (
  kind text not null,
  actor_id uuid not null,
  began_at timestamp with time zone not null,
  changes integer not null,
  constraint mail_windows_pkey PRIMARY KEY (kind, actor_id)
);

create table one_time_tokens (
  hash bytea not null,
  user_id uuid not null,
  purpose text not null,
  email text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint one_time_tokens_pkey PRIMARY KEY (hash),
  constraint one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint one_time_tokens_purpose_check CHECK ((purpose = ANY (ARRAY['verify_email'::text, 'reset_password'::text])))
);
CREATE INDEX one_time_tokens_expiring ON public.one_time_tokens USING btree (expires_at);
CREATE INDEX one_time_tokens_of ON public.one_time_tokens USING btree (user_id);

create table order_items (
  order_id uuid not null,
  position integer not null,
  product_id uuid not null,
  sku text not null,
  name text not null,
  image text,
  unit_price bigint not null,
  quantity integer not null,
  line_total bigint not null,
  took_stock boolean not null,
  constraint order_items_pkey PRIMARY KEY (order_id, "position"),
  constraint order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint order_items_check CHECK ((line_total = (unit_price * quantity))),
  constraint order_items_quantity_check CHECK ((quantity > 0))
);
CREATE INDEX order_items_of ON public.order_items USING btree (product_id, order_id);

create table order_status_changes (
  order_id uuid not null,
  version integer not null,
  status text not null,
  at timestamp with time zone not null,
  actor_id uuid,
  constraint order_status_changes_pkey PRIMARY KEY (order_id, version),
  constraint order_status_changes_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
);

create table orders (
  id uuid not null,
  number text collate "C" not null,
  user_id uuid not null,
  status text not null default 'pending'::text,
  subtotal bigint not null,
  discount_total bigint not null default 0,
  shipping_total bigint not null default 0,
  tax_total bigint not null default 0,
  total bigint not null,
  currency text not null,
  shipping_address jsonb,
  note text not null default ''::text,
  version integer not null default 1,
  placed_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint orders_number_key UNIQUE (number),
  constraint orders_pkey PRIMARY KEY (id),
  constraint orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint orders_check CHECK ((total = (((subtotal - discount_total) + shipping_total) + tax_total))),
  constraint orders_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'shipped'::text, 'delivered'::text, 'cancelled'::text])))
);
CREATE INDEX orders_by_status ON public.orders USING btree (status, id);
CREATE INDEX orders_by_time ON public.orders USING btree (placed_at);
CREATE INDEX orders_of ON public.orders USING btree (user_id, id);

create table outbox (
  id bigint not null generated always as identity,
  event_id uuid not null,
  type text not null,
  occurred_at timestamp with time zone not null,
  actor_id uuid,
  subject_type text not null,
  subject_id text not null,
  changes jsonb not null default '{}'::jsonb,
  data jsonb not null default '{}'::jsonb,
  user_id uuid,
  constraint outbox_pkey PRIMARY KEY (id)
);

create table price_history (
  product_id uuid not null,
  valid_from timestamp with time zone not null,
  price bigint not null,
  sale_price bigint,
  import_id uuid,
  actor_id uuid,
  constraint price_history_pkey PRIMARY KEY (product_id, valid_from),
  constraint price_history_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE
);

create table product_changes (
  id bigint not null generated always as identity,
  product_id uuid not null,
  sku text not null,
  at timestamp with time zone not null,
  action text not null,
  version integer not null,
  changes jsonb not null default '{}'::jsonb,
  import_id uuid,
  actor_id uuid,
  constraint product_changes_pkey PRIMARY KEY (id),
  constraint product_changes_action_check CHECK ((action = ANY (ARRAY['created'::text, 'updated'::text, 'archived'::text, 'restored'::text, 'deleted'::text])))
);
CREATE INDEX product_changes_of ON public.product_changes USING btree (product_id, id);
CREATE INDEX product_changes_of_import ON public.product_changes USING btree (import_id, id) WHERE (import_id IS NOT NULL);

create table product_images (
  id uuid not null,
  product_id uuid not null,
  position integer not null,
  key text not null,
  alt text not null default ''::text,
  source_url text,
  width integer not null,
  height integer not null,
  created_at timestamp with time zone not null,
  constraint product_images_product_id_position_key UNIQUE (product_id, "position") DEFERRABLE,
  constraint product_images_pkey PRIMARY KEY (id),
  constraint product_images_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX product_images_by_source ON public.product_images USING btree (product_id, source_url) WHERE (source_url IS NOT NULL);

create table product_texts (
  product_id uuid not null,
  visible boolean not null,
  title tsvector not null,
  description text not null default ''::text,
  attributes jsonb not null default '{}'::jsonb,
  document tsvector not null generated always as search_document(title, description) stored,
  constraint product_texts_pkey PRIMARY KEY (product_id),
  constraint product_texts_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE
);
CREATE INDEX product_texts_document ON public.product_texts USING gin (document);
CREATE INDEX product_texts_title ON public.product_texts USING gin (title);

create table products (
  id uuid not null,
  sku text not null,
  slug text not null,
  name text collate "und-x-icu" not null,
  price bigint not null,
  sale_price bigint,
  effective_price bigint not null generated always as COALESCE(sale_price, price) stored,
  featured boolean not null default false,
  active boolean not null default true,
  availability text not null,
  category_id uuid,
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
  archived_at timestamp with time zone,
  visible boolean not null generated always as (active AND (archived_at IS NULL)) stored,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint products_sku_key UNIQUE (sku),
  constraint products_slug_key UNIQUE (slug),
  constraint products_pkey PRIMARY KEY (id),
  constraint products_category_id_fkey FOREIGN KEY (category_id) REFERENCES categories(id),
  constraint products_availability_check CHECK ((availability = ANY (ARRAY['in_stock'::text, 'out_of_stock'::text, 'preorder'::text, 'backorder'::text]))),
  constraint products_check CHECK (((sale_price >= 0) AND (sale_price < price))),
  constraint products_price_check CHECK ((price >= 0))
);
CREATE INDEX products_by_brand ON public.products USING btree (brand, effective_price, id) INCLUDE (visible);
CREATE INDEX products_by_category ON public.products USING btree (category_id, effective_price, id) INCLUDE (visible, availability, brand);
CREATE INDEX products_by_color ON public.products USING btree (color, size, visible);
CREATE INDEX products_by_condition ON public.products USING btree (condition) INCLUDE (visible);
CREATE INDEX products_by_created ON public.products USING btree (created_at, id) WHERE visible;
CREATE INDEX products_by_gender ON public.products USING btree (gender) INCLUDE (visible);
CREATE INDEX products_by_group ON public.products USING btree (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX products_by_name ON public.products USING btree (name, id) WHERE visible;
CREATE INDEX products_by_offer ON public.products USING btree (COALESCE(lowest_offer, '9223372036854775807'::bigint), id) WHERE visible;
CREATE INDEX products_by_offer_desc ON public.products USING btree (COALESCE(lowest_offer, ('-1'::integer)::bigint), id) WHERE visible;
CREATE INDEX products_by_owner ON public.products USING btree (owner_id, created_at, id) WHERE (owner_id IS NOT NULL);
CREATE INDEX products_by_price ON public.products USING btree (effective_price, id) WHERE visible;
CREATE INDEX products_by_size ON public.products USING btree (size) INCLUDE (visible);
CREATE INDEX products_featured ON public.products USING btree (created_at, id) WHERE (featured AND visible);
CREATE INDEX products_not_visible ON public.products USING btree (created_at, id) WHERE (NOT visible);

create table recovery_codes (
  user_id uuid not null,
  hash bytea not null,
  constraint recovery_codes_pkey PRIMARY KEY (user_id, hash),
  constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);

create table refresh_tokens (
  hash bytea not null,
  session_id uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  spent_at timestamp with time zone,
  constraint refresh_tokens_pkey PRIMARY KEY (hash),
  constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_expiring ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX refresh_tokens_of ON public.refresh_tokens USING btree (session_id);

create table retired_category_slugs (
  slug text not null,
  category_id uuid not null,
  retired_at timestamp with time zone not null,
  constraint retired_category_slugs_pkey PRIMARY KEY (slug),
  constraint retired_category_slugs_category_id_fkey FOREIGN KEY (category_id) REFERENCES categories(id) ON DELETE CASCADE
);

create table retired_product_slugs (
  slug text not null,
  product_id uuid not null,
  retired_at timestamp with time zone not null,
  constraint retired_product_slugs_pkey PRIMARY KEY (slug),
  constraint retired_product_slugs_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE
);
CREATE INDEX retired_product_slugs_of ON public.retired_product_slugs USING btree (product_id);

create table search_words (
  word text not null,
  constraint search_words_pkey PRIMARY KEY (word)
);
CREATE INDEX search_words_similar ON public.search_words USING gin (word gin_trgm_ops);

create table sessions (
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  cookie_hash bytea,
  user_agent text not null default ''::text,
  address_hash bytea not null,
  second_factor boolean not null default false,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  constraint sessions_cookie_hash_key UNIQUE (cookie_hash),
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint sessions_check CHECK (((kind = 'cookie'::text) = (cookie_hash IS NOT NULL))),
  constraint sessions_kind_check CHECK ((kind = ANY (ARRAY['cookie'::text, 'token'::text])))
);
CREATE INDEX sessions_expiring ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_of ON public.sessions USING btree (user_id, last_used_at);
CREATE INDEX sessions_revoked_lately ON public.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

create table shop_settings (
  name text not null,
  value text not null,
  constraint shop_settings_pkey PRIMARY KEY (name)
);

create table sold_names (
  product_id uuid not null,
  sku text not null,
  name text not null,
  words tsvector not null generated always as to_tsvector('vitrine'::regconfig, search_plain(((name || ' '::text) || sku))) stored,
  constraint sold_names_pkey PRIMARY KEY (product_id, name, sku)
);
CREATE INDEX sold_names_words ON public.sold_names USING gin (words);

create table sold_products (
  product_id uuid not null,
  first_sold_at timestamp with time zone not null,
  constraint sold_products_pkey PRIMARY KEY (product_id),
  constraint sold_products_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id)
);

create table stock (
  product_id uuid not null,
  on_hand integer not null,
  constraint stock_pkey PRIMARY KEY (product_id),
  constraint stock_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE,
  constraint stock_not_negative CHECK ((on_hand >= 0))
);

create table stock_movements (
  id bigint not null generated always as identity,
  product_id uuid not null,
  delta integer not null,
  on_hand integer not null,
  reason text not null,
  reference text,
  actor_id uuid,
  at timestamp with time zone not null,
  constraint stock_movements_pkey PRIMARY KEY (id),
  constraint stock_movements_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id) ON DELETE CASCADE
);
CREATE INDEX stock_movements_of ON public.stock_movements USING btree (product_id, id);
CREATE INDEX stock_movements_of_import ON public.stock_movements USING btree (reference, id) WHERE (reason = 'import'::text);

create table unused_images (
  id uuid not null,
  due_at timestamp with time zone not null,
  constraint unused_images_pkey PRIMARY KEY (id)
);
CREATE INDEX unused_images_due ON public.unused_images USING btree (due_at);

create table unused_mail_files (
  blob_key text not null,
  constraint unused_mail_files_pkey PRIMARY KEY (blob_key)
);

create table users (
  id uuid not null,
  email text,
  username text not null,
  password_hash text,
  role text not null default 'customer'::text,
  first_name text not null default ''::text,
  last_name text not null default ''::text,
  phone text not null default ''::text,
  address jsonb,
  date_of_birth date,
  notifications jsonb not null default '{}'::jsonb,
  email_verified_at timestamp with time zone,
  email_ever_verified boolean not null default false,
  disabled_at timestamp with time zone,
  erased_at timestamp with time zone,
  otp_secret bytea,
  otp_confirmed_at timestamp with time zone,
  otp_last_step bigint,
  token_epoch integer not null default 0,
  epoch_changed_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  last_login_at timestamp with time zone,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_check CHECK (((erased_at IS NOT NULL) OR ((email IS NOT NULL) AND (password_hash IS NOT NULL)))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'seller'::text, 'staff'::text, 'superuser'::text])))
);
CREATE INDEX users_by_created ON public.users USING btree (created_at, id);
CREATE UNIQUE INDEX users_by_email ON public.users USING btree (lower(email));
CREATE INDEX users_by_email_start ON public.users USING btree (lower(email) text_pattern_ops);
CREATE UNIQUE INDEX users_by_username ON public.users USING btree (lower(username));
CREATE INDEX users_by_username_start ON public.users USING btree (lower(username) text_pattern_ops);
CREATE INDEX users_changed_lately ON public.users USING btree (epoch_changed_at) WHERE (epoch_changed_at IS NOT NULL);
CREATE INDEX users_of_staff ON public.users USING btree (id) WHERE (role = ANY (ARRAY['staff'::text, 'superuser'::text]));

create table webhook_deliveries (
  id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  position bigint not null,
  type text not null,
  state text not null default 'pending'::text,
  attempts integer not null default 0,
  next_attempt_at timestamp with time zone,
  give_up_at timestamp with time zone,
  last_status integer,
  last_error text,
  last_response text,
  duration_ms integer,
  created_at timestamp with time zone not null,
  delivered_at timestamp with time zone,
  constraint webhook_deliveries_endpoint_id_event_id_key UNIQUE (endpoint_id, event_id),
  constraint webhook_deliveries_pkey PRIMARY KEY (id),
  constraint webhook_deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(id) ON DELETE CASCADE,
  constraint webhook_deliveries_check CHECK (((state = 'pending'::text) = (next_attempt_at IS NOT NULL))),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (endpoint_id, next_attempt_at, "position") WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_failed ON public.webhook_deliveries USING btree (endpoint_id, id) WHERE (state = 'failed'::text);
CREATE INDEX webhook_deliveries_of ON public.webhook_deliveries USING btree (endpoint_id, id);

create table webhook_endpoints (
  id uuid not null,
  url text not null,
  description text not null default ''::text,
  types text[] not null,
  active boolean not null default true,
  secret bytea not null,
  previous_secret bytea,
  previous_secret_until timestamp with time zone,
  after_position bigint not null,
  failures integer not null default 0,
  failing_since timestamp with time zone,
  last_success_at timestamp with time zone,
  retry_at timestamp with time zone,
  disabled_at timestamp with time zone,
  disabled_reason text,
  drain_id uuid,
  drained_until timestamp with time zone,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint webhook_endpoints_pkey PRIMARY KEY (id),
  constraint webhook_endpoints_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
  constraint webhook_endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['failing'::text, 'gone'::text])))
);

CREATE OR REPLACE FUNCTION public.change_stock(product_ids uuid[], deltas integer[], targets integer[], reason text, reference text, actor_id uuid, at timestamp with time zone)
 RETURNS TABLE(product_id uuid, on_hand integer, moved boolean)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.claim_key(key_hash bytea, asked bytea, claimed_by uuid, at timestamp with time zone, lease interval)
 RETURNS TABLE(claim uuid, request bytea, state text, lapsed boolean, status integer, headers jsonb, body bytea)
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.feed_image_links(attributes jsonb)
 RETURNS TABLE(url text, "position" integer, host text)
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.free_key(key_hash bytea, claimed_by uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from idempotency_keys k where k.hash = key_hash and k.claim = claimed_by and k.state = 'running';
  if not found then
    update idempotency_keys k set lease_until = clock_timestamp()
    where k.hash = key_hash and k.claim = claimed_by and k.state = 'applied';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION public.keep_answer(key_hash bytea, claimed_by uuid, status integer, headers jsonb, body bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_variable
begin
  update idempotency_keys k
  set state = 'answered', status = keep_answer.status, headers = keep_answer.headers, body = keep_answer.body
  where k.hash = key_hash and k.claim = claimed_by;
  if not found then
    raise exception 'The claim of an idempotency key was lost.' using errcode = 'VT002';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION public.keep_texts_visible()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update product_texts set visible = new.visible where product_id = new.id;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.path_names(category uuid)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with recursive up as (
    select id, parent_id, name, 1 as level from categories where id = category
    union all
    select c.id, c.parent_id, c.name, up.level + 1 from categories c join up on c.id = up.parent_id
  )
  select string_agg(name, ' ' order by level desc) from up
$function$;

CREATE OR REPLACE FUNCTION public.place_order(order_id uuid, order_number text, buyer_id uuid, from_cart uuid, cart_version integer, order_total bigint, order_currency text, address jsonb, buyers_note text, at timestamp with time zone, product_ids uuid[], versions integer[], quantities integer[], tracked boolean[], prices bigint[], skus text[], names text[], images text[], event_id uuid, event_data jsonb, key_hash bytea, claimed_by uuid, answer_status integer, answer_headers jsonb, answer_body bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.release_category_image()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform release_image(old.image);
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.release_image(key text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    insert into unused_images (id, due_at) values (key::uuid, now())
    on conflict (id) do update set due_at = excluded.due_at;
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION public.release_product_image()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform release_image(old.key);
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.search_corrections(words text[])
 RETURNS TABLE(word text, near text[])
 LANGUAGE sql
 STABLE
 SET "pg_trgm.similarity_threshold" TO '0.15'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.search_document(title tsvector, description text)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (title || to_tsvector('vitrine'::regconfig, "left"(description, 20000)));

CREATE OR REPLACE FUNCTION public.search_label(brand text, category text)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (setweight(to_tsvector('vitrine'::regconfig, search_plain(COALESCE(brand, ''::text))), 'B'::"char") || setweight(to_tsvector('vitrine'::regconfig, search_plain(COALESCE(category, ''::text))), 'C'::"char"));

CREATE OR REPLACE FUNCTION public.search_plain(text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
RETURN translate($1, '-_/\.,:;|&+()[]{}<>"!?*#@%^~=$–—‐‑·•“”„«»…™®©×،؛؟、。''’‘`'::text, repeat(' '::text, 51));

CREATE OR REPLACE FUNCTION public.search_title(name text, sku text, gtin text, mpn text, label tsvector)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (setweight(to_tsvector('vitrine'::regconfig, search_plain(concat_ws(' '::text, name, sku, gtin, mpn))), 'A'::"char") || label);

CREATE OR REPLACE FUNCTION public.sell_products(product_ids uuid[], versions integer[], quantities integer[], tracked boolean[], reference text, actor_id uuid, at timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$;
