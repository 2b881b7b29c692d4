import { sql } from '../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../kernel/http/preconditions.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { arrange, changeTree, childrenOf, lockCategory } from './category-tree.ts';
import { categoryNotEmpty } from './errors.ts';

/**
 * Deletes a category (by id or slug) in which nothing stands: no category, and no product, hidden or archived ones
 * included. Throws category_not_found, version_mismatch, category_not_empty, catalogue_busy.
 */
export async function deleteCategory(
  { db, events }: Pick<Kernel, 'db' | 'events'>,
  key: string,
  { expected, actorId }: { expected: ExpectedVersion | null; actorId: string },
): Promise<void> {
  await changeTree(db, async (tx, tree) => {
    // Nothing can be put into it from here on; what was being put into it has been.
    const { id, version, ...fields } = await lockCategory(tx, key, { toDelete: true });
    demandVersion(expected, version);
    const { products } = await tx.one(
      sql<{ products: number }>('select count(*) as products from products where category_id = $1', [id]),
    );
    const categories = childrenOf(tree, id).length;
    if (products + categories > 0)
      throw categoryNotEmpty(
        `There are ${count(products, 'product', 'products')} and ${count(categories, 'category', 'categories')} in it. Move or delete them first.`,
        { products, categories },
      );
    await tx.run(sql('delete from categories where id = $1', [id]));
    const left = childrenOf(tree, fields.parent_id).filter((sibling) => sibling.id !== id);
    await arrange(
      tx,
      left.map((sibling) => sibling.id),
    );
    await events.append(tx, {
      type: 'category.deleted',
      subject: { type: 'category', id },
      actorId,
      changes: Object.fromEntries(Object.entries(fields).map(([field, from]) => [field, { from, to: null }])),
      data: { slug: fields.slug, name: fields.name },
    });
  });
  await events.flush();
}

function count(n: number, one: string, many: string): string {
  return `${n === 0 ? 'no' : n} ${n === 1 ? one : many}`;
}
