import { prepare, type Sql, sql } from '../../kernel/db.ts';

/** What an import came to in the catalogue besides the changes of products (import-changes.ts), for reports on it. */

export type Slice = { after: number; limit: number; offset?: number };

/** A product of which an import changed the stock and nothing else. */
export type CountedProduct = { n: number; sku: string; from: number; to: number };

// The order is that of the index on the movements of imports, so that no other is taken for it.
const MOVED = prepare<CountedProduct & { product_id: string }>(
  `select m.id as n, m.product_id, p.sku, m.on_hand - m.delta as from, m.on_hand as to
   from stock_movements m join products p on p.id = m.product_id
   where m.reason = 'import' and m.reference = $1 and m.id > $2 order by m.reference, m.id limit $3`,
);
// Product by product, and not by the index on imports: an import's new products all have a movement and a change, and
// as one query the two took minutes for 200,000 of them while the tables had no statistics.
const CHANGED = prepare<{ id: string }>(
  `select m.id from unnest($2::uuid[]) as m (id) cross join lateral (
     select from product_changes c where c.product_id = m.id and c.import_id is not distinct from $1 limit 1
   ) c`,
);
const AT_ONCE = 2_000;

export async function stockOfImport(
  target: Sql,
  importId: string,
  { after, limit, offset = 0 }: Slice,
): Promise<CountedProduct[]> {
  const found: CountedProduct[] = [];
  for (let from = after; ; ) {
    const moved = await target.many(MOVED([importId, from, AT_ONCE]));
    const ids = moved.map(({ product_id }) => product_id);
    const changed = new Set((await target.many(CHANGED([importId, ids]))).map(({ id }) => id));
    for (const { product_id, ...product } of moved) if (!changed.has(product_id)) found.push(product);
    if (moved.length < AT_ONCE || found.length >= offset + limit) return found.slice(offset, offset + limit);
    from = moved.at(-1)!.n;
  }
}

/** How many there are of each, counted no further than `most`. */
export async function countOfImport(
  target: Sql,
  importId: string,
  most: number,
): Promise<{ products: number; stock: number }> {
  const { products } = await target.one(
    sql<{ products: number }>(
      'select count(*) as products from (select from product_changes where import_id = $1 limit $2) c',
      [importId, most],
    ),
  );
  // Beyond that nobody counts on.
  if (products === most) return { products, stock: 0 };
  return { products, stock: (await stockOfImport(target, importId, { after: 0, limit: most })).length };
}

/** A product whose stock an import let fall to the threshold or below. */
export type FallenProduct = { name: string; sku: string; slug: string; stock: number };

/** Those that it let fall from above the threshold, the emptiest first, and how many there are. */
export async function fallenByImport(
  target: Sql,
  importId: string,
  { threshold, limit }: { threshold: number; limit: number },
): Promise<{ products: FallenProduct[]; total: number }> {
  const rows = await target.many(
    sql<FallenProduct & { total: number }>(
      `select p.name, p.sku, p.slug, m.on_hand as stock, count(*) over () as total
       from stock_movements m join products p on p.id = m.product_id
       where m.reason = 'import' and m.reference = $1 and m.on_hand <= $2 and m.on_hand - m.delta > $2
         and p.archived_at is null
       order by m.on_hand, m.id limit $3`,
      [importId, threshold, limit],
    ),
  );
  return { products: rows.map(({ total: _, ...product }) => product), total: rows[0]?.total ?? 0 };
}
