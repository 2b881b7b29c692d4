import { prepare, type Sql } from '../../kernel/db.ts';

type Options = { color: string | null; size: string | null };

const OPTIONS = prepare<Options & { id: string }>('select id, color, size from products where id = any ($1::uuid[])');

/** In what products differ that may share their name, by their ids. */
export async function optionsOfProducts(target: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Options>> {
  if (ids.length === 0) return new Map();
  return new Map((await target.many(OPTIONS([ids]))).map(({ id, ...options }) => [id, options]));
}
