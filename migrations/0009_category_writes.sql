-- What staff and sellers list beyond the public: products that are not visible, few beside the others, are gathered by an
-- index of their own; those of one owner, who has many of his and few of all, by another.
create index products_not_visible on products (created_at, id) where not visible;
create index products_by_owner on products (owner_id, created_at, id) where owner_id is not null;

-- Positions count the siblings from 0 on, without gaps; imports used to count all categories.
update categories c set position = o.n - 1
from (
  select id, row_number() over (partition by parent_id order by position, name, id) as n from categories
) o
where o.id = c.id and c.position <> o.n - 1;
