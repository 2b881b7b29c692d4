import { sql, type Tx } from '../../kernel/db.ts';
import { slugTaken } from './errors.ts';
import { freeSlug } from './merge.ts';

/** A slug for a category of that path (names from the root down) that no category has or has had. */
export async function makeCategorySlug(tx: Tx, names: readonly string[]): Promise<string> {
  const rows = await tx.many(
    sql<{ slug: string }>('select slug from categories union all select slug from retired_category_slugs'),
  );
  return freeSlug(names, new Set(rows.map((row) => row.slug)));
}

/** Refuses a slug that has belonged to another category, which it still leads to; one's own is taken back. */
export async function takeBackSlug(tx: Tx, slug: string, categoryId: string): Promise<void> {
  const retired = await tx.maybe(
    sql<{ category_id: string }>('select category_id from retired_category_slugs where slug = $1', [slug]),
  );
  if (!retired) return;
  if (retired.category_id !== categoryId)
    throw slugTaken('The slug was that of another category, to which it still leads.');
  await tx.run(sql('delete from retired_category_slugs where slug = $1', [slug]));
}

/** Lets a slug that a category gives up lead to it from now on. */
export async function retireSlug(tx: Tx, slug: string, categoryId: string, at: Date): Promise<void> {
  await tx.run(
    sql('insert into retired_category_slugs (slug, category_id, retired_at) values ($1, $2, $3)', [
      slug,
      categoryId,
      at,
    ]),
  );
}
