import { sql } from '../../kernel/db.ts';
import type { FieldChange } from '../../kernel/events.ts';
import { demandVersion, type ExpectedVersion } from '../../kernel/http/preconditions.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type CategoryChanges, type CategoryFields, type CategoryInput, readCategory } from './category-fields.ts';
import { retireSlug, takeBackSlug } from './category-slugs.ts';
import {
  arrange,
  branchOf,
  changeTree,
  childrenOf,
  demandPlace,
  heightOf,
  lockCategory,
  pathTo,
  type Tree,
  writeTitles,
} from './category-tree.ts';
import { categoryCycle } from './errors.ts';

/** What a PUT means for what it leaves out. Address and place are not of its content, and stay. */
export function replacementOf({
  name,
  slug,
  description,
  parent_id,
  position,
  active,
}: CategoryInput): CategoryChanges {
  return {
    name,
    description: description ?? '',
    parent_id: parent_id ?? null,
    active: active ?? true,
    ...(slug === undefined ? {} : { slug }),
    ...(position === undefined ? {} : { position }),
  };
}

/**
 * Changes a category (by id or slug) and answers its id; what stays as it was makes no new version. A new name or place
 * rewrites what the products of the whole branch are found by, in the same transaction. Throws category_not_found,
 * version_mismatch, validation_failed, category_name_taken, slug_taken, category_cycle, catalogue_busy.
 */
export async function changeCategory(
  { db, events, clock }: Pick<Kernel, 'db' | 'events' | 'clock'>,
  key: string,
  changes: CategoryChanges,
  { expected, actorId }: { expected: ExpectedVersion | null; actorId: string },
): Promise<string> {
  const given = readCategory(changes);
  const changed = await changeTree(db, async (tx, tree) => {
    const before = await lockCategory(tx, key);
    const { id } = before;
    demandVersion(expected, before.version);
    const { siblings, ...place } = placeOf(tree, before, given);
    const after: CategoryFields = {
      name: given.name ?? before.name,
      slug: given.slug ?? before.slug,
      description: given.description ?? before.description,
      active: given.active ?? before.active,
      ...place,
    };
    const diff = differences(before, after);
    if (Object.keys(diff).length === 0) return id;
    const at = clock.now();
    if (diff.slug) {
      await takeBackSlug(tx, after.slug, id);
      await retireSlug(tx, before.slug, id, at);
    }
    await tx.run(
      sql(
        `update categories set name = $2, slug = $3, description = $4, parent_id = $5, position = $6, active = $7,
           version = version + 1, updated_at = $8 where id = $1`,
        [id, after.name, after.slug, after.description, after.parent_id, after.position, after.active, at],
      ),
    );
    if (diff.parent_id || diff.position) await arrange(tx, siblings);
    if (diff.parent_id) await arrange(tx, idsUnder(tree, before.parent_id, id));
    await events.append(tx, {
      type: 'category.updated',
      subject: { type: 'category', id },
      actorId,
      changes: diff,
      data: { slug: after.slug, name: after.name },
    });
    if (diff.name || diff.parent_id) await writeTitles(tx, branchOf(tree, id));
    return id;
  });
  await events.flush();
  return changed;
}

type Before = CategoryFields & { id: string };

/** Where it will stand, and who stands there in which order. Without a word about it, where it stands or else last. */
function placeOf(tree: Tree, before: Before, given: CategoryChanges): Place {
  const parentId = given.parent_id === undefined ? before.parent_id : given.parent_id;
  const moves = parentId !== before.parent_id;
  if (moves) {
    demandPlace(tree, parentId, heightOf(tree, before.id));
    if (pathTo(tree, parentId).some((node) => node.id === before.id))
      throw categoryCycle('A category cannot be moved below itself. Move what stands between out of it first.');
  }
  const others = idsUnder(tree, parentId, before.id);
  const stands = childrenOf(tree, before.parent_id).findIndex((node) => node.id === before.id);
  const wanted = Math.min(given.position ?? (moves ? others.length : stands), others.length);
  return {
    parent_id: parentId,
    // A gap that an import left is no change of place.
    position: !moves && wanted === stands ? before.position : wanted,
    siblings: others.toSpliced(wanted, 0, before.id),
  };
}
type Place = Pick<CategoryFields, 'parent_id' | 'position'> & { siblings: string[] };

function idsUnder(tree: Tree, parentId: string | null, without: string): string[] {
  return childrenOf(tree, parentId)
    .map((node) => node.id)
    .filter((id) => id !== without);
}

function differences(before: CategoryFields, after: CategoryFields): Record<string, FieldChange> {
  const fields = Object.keys(after) as (keyof CategoryFields)[];
  const changed = fields.filter((field) => before[field] !== after[field]);
  return Object.fromEntries(changed.map((field) => [field, { from: before[field], to: after[field] }]));
}
