// Generated from the migrated database by `npm run generate`; not to be edited.
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
// Read as what it holds, written as JSON text.
type Json = ColumnType<unknown, string, string>;

export type Tables = {
  api_keys: {
    id: string;
    name: string;
    hint: string;
    hash: Buffer;
    scopes: string[];
    created_by: string;
    created_at: Timestamp;
    expires_at: Timestamp | null;
    last_used_at: Timestamp | null;
    revoked_at: Timestamp | null;
  };
  cart_items: {
    id: string;
    cart_id: string;
    product_id: string;
    quantity: number;
    sku: string;
    name: string;
    image: string | null;
    unit_price: number;
    added_at: Timestamp;
  };
  carts: {
    id: string;
    is_guest: boolean;
    version: Generated<number>;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
  categories: {
    id: string;
    slug: string;
    name: string;
    description: Generated<string>;
    image: string | null;
    parent_id: string | null;
    position: Generated<number>;
    active: Generated<boolean>;
    version: Generated<number>;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
  emails: {
    id: string;
    template: string;
    recipient_id: string | null;
    recipient: string;
    subject: string;
    body: Buffer;
    state: Generated<string>;
    created_at: Timestamp;
    html: Buffer | null;
    attachments: Generated<Json>;
    message_id: string | null;
    tries: Generated<number>;
    next_try_at: Timestamp | null;
    last_tried_at: Timestamp | null;
    last_error: string | null;
    sent_at: Timestamp | null;
  };
  event_effects: {
    event_id: string;
    subscriber: string;
    applied_at: Generated<Timestamp>;
  };
  event_log_head: {
    singleton: Generated<boolean>;
    position: number;
    expired_through: Generated<number>;
  };
  events: {
    position: number;
    event_id: string;
    type: string;
    occurred_at: Timestamp;
    actor_id: string | null;
    subject_type: string;
    subject_id: string;
    changes: Json;
    data: Json;
    lsn: string;
    user_id: string | null;
  };
  finished_jobs: {
    id: number;
    task: string;
    payload: Json;
    outcome: string;
    attempts: number;
    max_attempts: number;
    queued_at: Timestamp;
    finished_at: Timestamp;
    duration_ms: number | null;
    last_error: string | null;
  };
  idempotency_keys: {
    hash: Buffer;
    request: Buffer;
    claim: string;
    state: Generated<string>;
    lease_until: Timestamp;
    status: number | null;
    headers: Json | null;
    body: Buffer | null;
    created_at: Timestamp;
  };
  image_fetches: {
    product_id: string;
    url: string;
    position: number;
    host: string;
    state: Generated<string>;
    attempts: Generated<number>;
    next_at: Timestamp;
    leased_until: Timestamp | null;
    last_error: string | null;
  };
  import_issues: {
    import_id: string;
    seq: number;
    line: number;
    sku: string | null;
    field: string | null;
    code: string;
    message: string;
    rejected: boolean;
  };
  import_quantities: {
    import_id: string;
    product_id: string;
    quantity: number;
  };
  imports: {
    id: string;
    status: string;
    mode: string;
    file_name: string;
    size_bytes: number | null;
    bytes_read: Generated<number>;
    count_read: Generated<number>;
    count_created: Generated<number>;
    count_updated: Generated<number>;
    count_unchanged: Generated<number>;
    count_existing: Generated<number>;
    count_rejected: Generated<number>;
    error: Json | null;
    created_by: string | null;
    created_at: Timestamp;
    started_at: Timestamp | null;
    merged_at: Timestamp | null;
    finished_at: Timestamp | null;
    source_url: string | null;
    blob_key: string | null;
    sha256: string | null;
    attempts: Generated<number>;
  };
  job_cancellations: {
    job_id: number;
    asked_at: Generated<Timestamp>;
  };
  job_failures_told: {
    job_id: number;
    run_at: Timestamp;
  };
  job_throughput: {
    task: string;
    minute: Timestamp;
    done: number;
    failed: number;
    total_ms: number;
  };
  job_workers: {
    pool_id: string;
    started_at: Generated<Timestamp>;
    beat_at: Generated<Timestamp>;
  };
  login_failures: {
    bucket: Buffer;
    failures: number;
    since: Timestamp;
  };
  mail_digests: {
    kind: string;
    actor_id: string;
    began_at: Timestamp;
    position: number;
  };
  mail_windows: {
    kind: string;
    actor_id: string;
    began_at: Timestamp;
    changes: number;
  };
  one_time_tokens: {
    hash: Buffer;
    user_id: string;
    purpose: string;
    email: string;
    created_at: Timestamp;
    expires_at: Timestamp;
  };
  order_items: {
    order_id: string;
    position: number;
    product_id: string;
    sku: string;
    name: string;
    image: string | null;
    unit_price: number;
    quantity: number;
    line_total: number;
    took_stock: boolean;
  };
  order_status_changes: {
    order_id: string;
    version: number;
    status: string;
    at: Timestamp;
    actor_id: string | null;
  };
  orders: {
    id: string;
    number: string;
    user_id: string;
    status: Generated<string>;
    subtotal: number;
    discount_total: Generated<number>;
    shipping_total: Generated<number>;
    tax_total: Generated<number>;
    total: number;
    currency: string;
    shipping_address: Json | null;
    note: Generated<string>;
    version: Generated<number>;
    placed_at: Timestamp;
    updated_at: Timestamp;
  };
  outbox: {
    id: GeneratedAlways<number>;
    event_id: string;
    type: string;
    occurred_at: Timestamp;
    actor_id: string | null;
    subject_type: string;
    subject_id: string;
    changes: Generated<Json>;
    data: Generated<Json>;
    user_id: string | null;
  };
  price_history: {
    product_id: string;
    valid_from: Timestamp;
    price: number;
    sale_price: number | null;
    import_id: string | null;
    actor_id: string | null;
  };
  product_changes: {
    id: GeneratedAlways<number>;
    product_id: string;
    sku: string;
    at: Timestamp;
    action: string;
    version: number;
    changes: Generated<Json>;
    import_id: string | null;
    actor_id: string | null;
  };
  product_images: {
    id: string;
    product_id: string;
    position: number;
    key: string;
    alt: Generated<string>;
    source_url: string | null;
    width: number;
    height: number;
    created_at: Timestamp;
  };
  product_texts: {
    product_id: string;
    visible: boolean;
    title: string;
    description: Generated<string>;
    attributes: Generated<Json>;
    document: GeneratedAlways<string>;
  };
  products: {
    id: string;
    sku: string;
    slug: string;
    name: string;
    price: number;
    sale_price: number | null;
    effective_price: GeneratedAlways<number>;
    featured: Generated<boolean>;
    active: Generated<boolean>;
    availability: string;
    category_id: string | null;
    brand: string | null;
    gender: string | null;
    condition: string | null;
    color: string | null;
    size: string | null;
    age_group: string | null;
    material: string | null;
    gtin: string | null;
    mpn: string | null;
    group_id: string | null;
    image: string | null;
    offers_count: Generated<number>;
    lowest_offer: number | null;
    offers_in_stock: Generated<number>;
    owner_id: string | null;
    archived_at: Timestamp | null;
    visible: GeneratedAlways<boolean>;
    version: Generated<number>;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
  recovery_codes: {
    user_id: string;
    hash: Buffer;
  };
  refresh_tokens: {
    hash: Buffer;
    session_id: string;
    created_at: Timestamp;
    expires_at: Timestamp;
    spent_at: Timestamp | null;
  };
  retired_category_slugs: {
    slug: string;
    category_id: string;
    retired_at: Timestamp;
  };
  retired_product_slugs: {
    slug: string;
    product_id: string;
    retired_at: Timestamp;
  };
  search_words: {
    word: string;
  };
  sessions: {
    id: string;
    user_id: string;
    kind: string;
    cookie_hash: Buffer | null;
    user_agent: Generated<string>;
    address_hash: Buffer;
    second_factor: Generated<boolean>;
    created_at: Timestamp;
    last_used_at: Timestamp;
    expires_at: Timestamp;
    revoked_at: Timestamp | null;
  };
  shop_settings: {
    name: string;
    value: string;
  };
  sold_names: {
    product_id: string;
    sku: string;
    name: string;
    words: GeneratedAlways<string>;
  };
  sold_products: {
    product_id: string;
    first_sold_at: Timestamp;
  };
  stock: {
    product_id: string;
    on_hand: number;
  };
  stock_movements: {
    id: GeneratedAlways<number>;
    product_id: string;
    delta: number;
    on_hand: number;
    reason: string;
    reference: string | null;
    actor_id: string | null;
    at: Timestamp;
  };
  unused_images: {
    id: string;
    due_at: Timestamp;
  };
  unused_mail_files: {
    blob_key: string;
  };
  users: {
    id: string;
    email: string | null;
    username: string;
    password_hash: string | null;
    role: Generated<string>;
    first_name: Generated<string>;
    last_name: Generated<string>;
    phone: Generated<string>;
    address: Json | null;
    date_of_birth: string | null;
    notifications: Generated<Json>;
    email_verified_at: Timestamp | null;
    email_ever_verified: Generated<boolean>;
    disabled_at: Timestamp | null;
    erased_at: Timestamp | null;
    otp_secret: Buffer | null;
    otp_confirmed_at: Timestamp | null;
    otp_last_step: number | null;
    token_epoch: Generated<number>;
    epoch_changed_at: Timestamp | null;
    created_at: Timestamp;
    updated_at: Timestamp;
    last_login_at: Timestamp | null;
  };
  webhook_deliveries: {
    id: string;
    endpoint_id: string;
    event_id: string;
    position: number;
    type: string;
    state: Generated<string>;
    attempts: Generated<number>;
    next_attempt_at: Timestamp | null;
    give_up_at: Timestamp | null;
    last_status: number | null;
    last_error: string | null;
    last_response: string | null;
    duration_ms: number | null;
    created_at: Timestamp;
    delivered_at: Timestamp | null;
  };
  webhook_endpoints: {
    id: string;
    url: string;
    description: Generated<string>;
    types: string[];
    active: Generated<boolean>;
    secret: Buffer;
    previous_secret: Buffer | null;
    previous_secret_until: Timestamp | null;
    after_position: number;
    failures: Generated<number>;
    failing_since: Timestamp | null;
    last_success_at: Timestamp | null;
    retry_at: Timestamp | null;
    disabled_at: Timestamp | null;
    disabled_reason: string | null;
    drain_id: string | null;
    drained_until: Timestamp | null;
    created_by: string;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
};
