import { type Database, prepare, type Sql, sql, type Tx } from '../../kernel/db.ts';
import { validationFailed } from '../../kernel/http/problem.ts';
import { isUuid } from '../../kernel/ids.ts';
import { type CategoryFields, MAX_LEVELS } from './category-fields.ts';
import { catalogueBusy, categoryNameTaken, categoryNotEmpty, categoryNotFound, slugTaken } from './errors.ts';
import { addWords } from './merge.ts';

/**
 * What every change of the category tree does.
 *
 * Changes take turns under one lock: two moves at once could make a cycle that neither sees. Imports, whose merge may
 * take minutes, stay out of that queue: they hold the rows of the categories instead (FOR KEY SHARE), and so does
 * whoever writes what a product is found by (`holdPath`). A category that is held can be neither renamed, moved nor
 * deleted before the holder commits, so that nobody writes titles from names that are no longer true.
 */

export type TreeNode = { id: string; parent_id: string | null; name: string; slug: string; position: number };
export type Tree = ReadonlyMap<string, TreeNode>;

const TREE_LOCK = 0x74726565;

/** How long a change waits for what it needs; a merge of an import may hold it much longer. */
const PATIENCE = '5s';

/**
 * Runs `work` alone among all changes of the tree, on the tree as it is then, in its order. No time-out: to write the titles
 * of a large branch takes as long as it takes. Throws catalogue_busy, and what `work` throws, with the refusals of the
 * database's constraints in our words.
 */
export async function changeTree<T>(db: Database, work: (tx: Tx, tree: Tree) => Promise<T>): Promise<T> {
  const inTurn = async (tx: Tx) => {
    await tx.run(sql(`set local lock_timeout = '${PATIENCE}'`));
    await tx.run(sql('select pg_advisory_xact_lock($1)', [TREE_LOCK]));
    const nodes = await tx.many(
      sql<TreeNode>('select id, parent_id, name, slug, position from categories order by position, name, id'),
    );
    return work(tx, new Map(nodes.map((node) => [node.id, node])));
  };
  return db.transaction(inTurn, { timeoutMs: 0 }).catch((error: unknown) => {
    throw inOurWords(error);
  });
}

function inOurWords(error: unknown): unknown {
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code === '23505' && constraint === 'categories_parent_id_name_key')
    return categoryNameTaken('There is a category of that name at the same place. Choose another name or place.');
  if (code === '23505') return slugTaken('Another category has this slug. Choose another, or leave it out.');
  if (code === '23503') return categoryNotEmpty('Something was put into the category just now.');
  // Waited too long for a lock, or for one another.
  if (code === '55P03' || code === '40P01')
    return catalogueBusy('An import is changing the catalogue. Try again when it is done.', {
      headers: { 'retry-after': '15' },
    });
  return error;
}

/** The children of a category, or the roots for null, in their order. */
export function childrenOf(tree: Tree, parentId: string | null): TreeNode[] {
  return [...tree.values()].filter((node) => node.parent_id === parentId);
}

/** The nodes from the root down to this one. */
export function pathTo(tree: Tree, id: string | null): TreeNode[] {
  const path: TreeNode[] = [];
  for (let at = id === null ? undefined : tree.get(id); at; at = at.parent_id ? tree.get(at.parent_id) : undefined)
    path.unshift(at);
  return path;
}

/** Refuses a parent that is not there, and one under which a branch of that height would reach too deep. */
export function demandPlace(tree: Tree, parentId: string | null, height: number): void {
  const refuse = (message: string) =>
    validationFailed('Some fields are not valid.', { errors: [{ path: 'parent_id', message }] });
  if (parentId !== null && !tree.has(parentId)) throw refuse('must be the id of a category');
  if (pathTo(tree, parentId).length + height > MAX_LEVELS)
    throw refuse(`must leave the tree at most ${MAX_LEVELS} levels deep`);
}

/** Its row by id or slug, locked. Throws category_not_found. */
export async function lockCategory(
  tx: Tx,
  key: string,
  { toDelete = false } = {},
): Promise<CategoryFields & { id: string; version: number }> {
  const row = await tx.maybe(
    sql<CategoryFields & { id: string; version: number }>(
      `select id, version, name, slug, description, parent_id, position, active from categories
       where ${isUuid(key) ? 'id' : 'slug'} = $1 for ${toDelete ? 'update' : 'no key update'}`,
      [key],
    ),
  );
  if (!row) throw categoryNotFound('There is no category with this id or slug.');
  return row;
}

/** A category and all below it. */
export function branchOf(tree: Tree, id: string): string[] {
  return [id, ...childrenOf(tree, id).flatMap((child) => branchOf(tree, child.id))];
}

/** How many levels a branch has, its top included. */
export function heightOf(tree: Tree, id: string): number {
  return 1 + Math.max(0, ...childrenOf(tree, id).map((child) => heightOf(tree, child.id)));
}

/**
 * Numbers categories of one parent by their place in the array, from 0 on. Those that only make room keep their version:
 * nobody's change to them becomes wrong by it.
 */
export async function arrange(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.run(
    sql(
      `update categories c set position = o.n - 1
       from unnest($1::uuid[]) with ordinality as o (id, n) where c.id = o.id and c.position <> o.n - 1`,
      [ids],
    ),
  );
}

const WAY_UP = `
  with recursive up as (
    select id, parent_id, name, 1 as level from categories where id = $1
    union all
    select c.id, c.parent_id, c.name, up.level + 1 from categories c join up on c.id = up.parent_id
  )`;
const HOLD = prepare<{ id: string }>(
  `select id from categories where id in (${WAY_UP} select id from up) order by id for key share`,
);
const WAY = prepare<{ id: string; name: string }>(`${WAY_UP} select id, name from up order by level desc`);

/**
 * The names from the root down to a category, as they are part of its products' titles; null when there is no such category.
 * They stay true until the transaction ends: neither it nor one above it can be renamed, moved or deleted before.
 *
 * To be called before a title is written (`product_texts`), for the category that the product is in and also for the one
 * that it leaves: a change of either rewrites the titles of all products that it finds there.
 */
export async function holdPath(tx: Tx, categoryId: string): Promise<string | null> {
  for (;;) {
    const held = new Set((await tx.many(HOLD([categoryId]))).map((row) => row.id));
    const way = await tx.many(WAY([categoryId]));
    // Moved while we waited for whoever moved it.
    if (way.every((step) => held.has(step.id))) return way.length === 0 ? null : way.map((step) => step.name).join(' ');
  }
}

/** The names from the root down to a category, shown or not; none when there is no such category. */
export async function namesOfCategory(target: Sql, id: string): Promise<string[]> {
  return (await target.many(WAY([id]))).map(({ name }) => name);
}

/** Named by their ids, so many at a time, so that each is looked up however little the planner knows of the tables. */
const TITLES_AT_ONCE = 1_000;

/**
 * Writes anew what the products of these categories are found by, after one above them was renamed or moved.
 *
 * 20,000 products with descriptions of 75 words take 3.5 s, half of it the words of the descriptions, which stand in one
 * column with those of the title. As one statement over a join it takes as long, but twenty minutes where the tables have
 * no statistics yet.
 */
export async function writeTitles(tx: Tx, categoryIds: readonly string[]): Promise<void> {
  const products = await tx.many(
    sql<{ id: string }>('select id from products where category_id = any ($1) order by id', [categoryIds]),
  );
  if (products.length === 0) return;
  const ids = products.map(({ id }) => id);
  for (let from = 0; from < ids.length; from += TITLES_AT_ONCE)
    await tx.run(
      sql(
        `with named as materialized (select id, path_names(id) as names from unnest($1::uuid[]) as n (id))
         update product_texts t
         set title = search_title(p.name, p.sku, p.gtin, p.mpn, search_label(p.brand, n.names))
         from products p join named n on n.id = p.category_id
         where t.product_id = any ($2) and p.id = any ($2) and p.id = t.product_id`,
        [categoryIds, ids.slice(from, from + TITLES_AT_ONCE)],
      ),
    );
  await addWords(tx, 'select search_label(null, path_names(id)) as title from unnest($1::uuid[]) as n (id)', [
    categoryIds,
  ]);
}
