import { sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type CategoryFields, type CategoryInput, readCategory } from './category-fields.ts';
import { makeCategorySlug, takeBackSlug } from './category-slugs.ts';
import { arrange, changeTree, childrenOf, demandPlace, pathTo } from './category-tree.ts';
import { slugTaken } from './errors.ts';

/**
 * Makes a category and answers its id. Throws validation_failed, category_name_taken, slug_taken, catalogue_busy.
 */
export async function createCategory(
  { db, events, clock }: Pick<Kernel, 'db' | 'events' | 'clock'>,
  input: CategoryInput,
  actorId: string,
): Promise<string> {
  const given = readCategory(input);
  const id = newId();
  await changeTree(db, async (tx, tree) => {
    const parentId = given.parent_id ?? null;
    demandPlace(tree, parentId, 1);
    const siblings = childrenOf(tree, parentId).map((sibling) => sibling.id);
    const position = Math.min(given.position ?? siblings.length, siblings.length);
    const names = [...pathTo(tree, parentId).map((node) => node.name), given.name];
    if (given.slug !== undefined) await takeBackSlug(tx, given.slug, id);
    const fields: CategoryFields = {
      name: given.name,
      slug: given.slug ?? (await makeCategorySlug(tx, names)),
      description: given.description ?? '',
      parent_id: parentId,
      position,
      active: given.active ?? true,
    };
    while (!(await insert(tx, id, fields, clock.now()))) {
      if (given.slug !== undefined) throw slugTaken('Another category has this slug. Choose another, or leave it out.');
      // An import has made a category with this slug since we looked.
      fields.slug = await makeCategorySlug(tx, names);
    }
    await arrange(tx, siblings.toSpliced(position, 0, id));
    await events.append(tx, {
      type: 'category.created',
      subject: { type: 'category', id },
      actorId,
      changes: Object.fromEntries(Object.entries(fields).map(([field, to]) => [field, { from: null, to }])),
      data: { slug: fields.slug, name: fields.name },
    });
  });
  await events.flush();
  return id;
}

/** False when the slug is taken. */
async function insert(tx: Tx, id: string, fields: CategoryFields, at: Date): Promise<boolean> {
  const { name, slug, description, parent_id, position, active } = fields;
  const inserted = await tx.run(
    sql(
      `insert into categories (id, name, slug, description, parent_id, position, active, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (slug) do nothing`,
      [id, name, slug, description, parent_id, position, active, at],
    ),
  );
  return inserted === 1;
}
