import { type Database, prepare } from '../../kernel/db.ts';
import { STOCK_JOIN } from './conditions.ts';
import { LIST_COLUMNS, type ProductRow, VISIBLE } from './store-rows.ts';

/** The whole visible catalogue in the order of ids, some at a time: for feeds and the sitemap. */

export type ExportRow = ProductRow & { description: string; attributes: Record<string, unknown> };

const ROWS = prepare<ExportRow>(
  `select ${LIST_COLUMNS}, t.description, t.attributes
   from products p ${STOCK_JOIN} join product_texts t on t.product_id = p.id
   where ${VISIBLE} and p.id > $1 order by p.id limit $2`,
);
const FIRST = '00000000-0000-0000-0000-000000000000';

export async function* exportProducts(db: Database, batch = 500): AsyncGenerator<ExportRow[]> {
  for (let after = FIRST; ; ) {
    const rows = await db.many(ROWS([after, batch]));
    if (rows.length > 0) yield rows;
    if (rows.length < batch) return;
    after = rows.at(-1)!.id;
  }
}

const SLUGS = prepare<{ id: string; slug: string; updated_at: Date }>(
  `select p.id, p.slug, p.updated_at from products p where ${VISIBLE} and p.id > $1 order by p.id limit 10000`,
);

/** 10,000 slugs in the order of ids, after the one given. */
export async function sitemapPage(
  db: Database,
  after: string | null,
): Promise<{ id: string; slug: string; updated_at: string }[]> {
  return (await db.many(SLUGS([after ?? FIRST]))).map((row) => ({ ...row, updated_at: row.updated_at.toISOString() }));
}
