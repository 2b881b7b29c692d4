-- What changing products by hand needs beyond what imports do.

alter table products add column ordered_at timestamptz;
comment on column products.ordered_at is 'When it was first ordered. From then on it is archived instead of erased.';

-- A product's history calls each field as it is written.
update product_changes
set changes = (changes - 'category') || jsonb_build_object('category_id', changes -> 'category')
where changes ? 'category';
