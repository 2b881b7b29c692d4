import { prepare, type Sql } from '../../kernel/db.ts';

type Named = { name: string; sku: string; slug: string };

const NAMED = prepare<Named & { id: string }>(
  'select id, name, sku, slug from products where id = any ($1::uuid[]) and archived_at is null',
);

/** What products are called now, hidden ones included, by their ids; those that are archived or gone are missing. */
export async function namesOfProducts(target: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Named>> {
  if (ids.length === 0) return new Map();
  return new Map((await target.many(NAMED([ids]))).map(({ id, ...named }) => [id, named]));
}
