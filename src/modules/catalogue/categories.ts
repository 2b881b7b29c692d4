import { type Database, prepare } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { imageUrl } from './present.ts';
import type { Category } from './schemas.ts';

/**
 * The category tree, held in memory: a few thousand rows at most, asked for by every list. It is read again after a
 * change of categories; the counts of products are another matter (countByCategory).
 *
 * An inactive category takes its whole branch out of the tree that the public sees: no page, no filter, no place in the
 * facets. Its products are not hidden with it: they keep their own pages, are found by searches, and stand in the lists and
 * counts of the categories above. Goods are hidden by their own `active`; a shelf that is cleared away leaves them in
 * the shop.
 */

export type CategoryNode = {
  id: string;
  slug: string;
  name: string;
  description: string;
  image: string | null;
  parentId: string | null;
  position: number;
  active: boolean;
  /** Whether the public sees it: it is active, and all above it are. */
  shown: boolean;
  version: number;
  children: CategoryNode[];
  /** Its own id and those of all below it. */
  familyIds: string[];
};

export type CategorySnapshot = {
  byId: ReadonlyMap<string, CategoryNode>;
  bySlug: ReadonlyMap<string, CategoryNode>;
  roots: readonly CategoryNode[];
  /** About how many products there are: the planner's estimate, for choosing between ways of reading. */
  products: number;
};

const ALL = prepare<Omit<CategoryNode, 'children' | 'familyIds' | 'parentId' | 'shown'> & { parent_id: string | null }>(
  `select id, slug, name, description, image, parent_id, position, active, version
   from categories order by position, name, id`,
);
const ESTIMATE = prepare<{ products: number }>(
  "select reltuples::bigint as products from pg_class where oid = 'products'::regclass",
);
const COUNTS = prepare<{ category_id: string; products: number }>(
  `select category_id, count(*) as products from products p
   where category_id is not null and p.visible group by category_id`,
);
const RETIRED = prepare<{ slug: string }>(
  'select c.slug from retired_category_slugs r join categories c on c.id = r.category_id where r.slug = $1',
);

export async function loadCategories(db: Database): Promise<CategorySnapshot> {
  const [rows, { products }] = await Promise.all([db.many(ALL([])), db.one(ESTIMATE([]))]);
  const byId = new Map<string, CategoryNode>();
  for (const { parent_id, ...row } of rows)
    byId.set(row.id, { ...row, parentId: parent_id, shown: false, children: [], familyIds: [] });
  const roots: CategoryNode[] = [];
  for (const node of byId.values()) {
    const parent = node.parentId === null ? undefined : byId.get(node.parentId);
    (parent?.children ?? roots).push(node);
    for (let up: CategoryNode | undefined = node; up; up = up.parentId === null ? undefined : byId.get(up.parentId))
      up.familyIds.push(node.id);
  }
  show(roots);
  return {
    byId,
    bySlug: new Map([...byId.values()].map((node) => [node.slug, node])),
    roots,
    products: Math.max(0, products),
  };
}

function show(nodes: readonly CategoryNode[]): void {
  for (const node of nodes) {
    if (!node.active) continue;
    node.shown = true;
    show(node.children);
  }
}

/** By id or slug. */
export function findCategory({ byId, bySlug }: CategorySnapshot, key: string): CategoryNode | undefined {
  return isUuid(key) ? byId.get(key.toLowerCase()) : bySlug.get(key);
}

/** The nodes from the root down to this one. */
export function wayDown(node: CategoryNode, categories: CategorySnapshot): CategoryNode[] {
  const parent = node.parentId === null ? undefined : categories.byId.get(node.parentId);
  return parent ? [...wayDown(parent, categories), node] : [node];
}

/** How many active products stand in each category itself, by id. */
export async function countByCategory(db: Database): Promise<Map<string, number>> {
  return new Map((await db.many(COUNTS([]))).map((row) => [row.category_id, row.products]));
}

/** The slug that a category has now, by one that it had. */
export async function currentCategorySlug(db: Database, old: string): Promise<string | null> {
  return (await db.maybe(RETIRED([old])))?.slug ?? null;
}

/** A node with all below it as clients see it; inactive branches are left out unless `all` are asked for. */
export function presentCategory(node: CategoryNode, counts: ReadonlyMap<string, number>, all = false): Category {
  return {
    id: node.id,
    slug: node.slug,
    name: node.name,
    description: node.description,
    image_url: node.image === null ? null : imageUrl(node.image),
    parent_id: node.parentId,
    position: node.position,
    active: node.active,
    product_count: node.familyIds.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0),
    version: node.version,
    children: node.children.filter((child) => all || child.active).map((child) => presentCategory(child, counts, all)),
  };
}
