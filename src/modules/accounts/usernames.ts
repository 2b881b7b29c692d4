import { prepare, type Sql } from '../../kernel/db.ts';

const BY_IDS = prepare<{ id: string; username: string }>('select id, username from users where id = any ($1::uuid[])');

/** The usernames that people have now, by their ids; other modules store ids alone, so that erasing an account works. */
export async function usernamesOf(target: Sql, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  return new Map((await target.many(BY_IDS([[...new Set(ids)]]))).map(({ id, username }) => [id, username]));
}
