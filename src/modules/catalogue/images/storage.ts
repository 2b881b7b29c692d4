import { type Sql, sql, type Tx } from '../../../kernel/db.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Rendered } from './render.ts';
import { blobKey, blobKeys, RENDITION_NAMES, renditionFile } from './renditions.ts';

/**
 * Blobs and rows commit apart, so an image is noted as unused before its blobs are written, and taken off that list by
 * the transaction that shows it. Rows that go put it there again (triggers of 0006_images.sql). A job removes what is
 * due.
 */

export type StoredImage = { id: string; width: number; height: number };

/** Longer than any upload or fetch takes, tries of the blob store included. */
const GIVEN_UP_AFTER = '1 hour';
const REMOVED_AT_ONCE = 50;

/** Stores the renditions and runs `show`, which makes the row, in a transaction. What fails leaves neither. */
export async function storeImage<T>(
  { db, blobs }: Pick<Kernel, 'db' | 'blobs'>,
  { width, height, files }: Rendered,
  show: (tx: Tx, image: StoredImage) => Promise<T>,
): Promise<T> {
  const id = newId();
  await db.run(sql(`insert into unused_images (id, due_at) values ($1, now() + interval '${GIVEN_UP_AFTER}')`, [id]));
  try {
    const puts = await Promise.allSettled(
      RENDITION_NAMES.map((name) =>
        blobs.put(blobKey(renditionFile(id, name)), files[name], { contentType: 'image/webp' }),
      ),
    );
    for (const put of puts) if (put.status === 'rejected') throw put.reason;
    return await db.transaction(async (tx) => {
      const kept = await tx.run(sql('delete from unused_images where id = $1', [id]));
      if (kept !== 1) throw new Error('Storing an image took so long that its blobs were removed again.');
      return show(tx, { id, width, height });
    });
  } catch (error) {
    // If this fails too, it is removed when the hour is over.
    await db.run(sql('update unused_images set due_at = now() where id = $1', [id])).catch(() => {});
    throw error;
  }
}

/** Removes the blobs of images that are unused and due. Several at once share them. */
export async function removeUnusedImages({ db, blobs }: Pick<Kernel, 'db' | 'blobs'>): Promise<void> {
  for (;;) {
    const removed = await db.transaction(async (tx) => {
      const due = await dueImages(tx);
      await blobs.remove(due.flatMap(blobKeys));
      await tx.run(sql('delete from unused_images where id = any ($1::uuid[])', [due]));
      return due.length;
    });
    if (removed < REMOVED_AT_ONCE) return;
  }
}

async function dueImages(tx: Sql): Promise<string[]> {
  const rows = await tx.many(
    sql<{ id: string }>(
      'select id from unused_images where due_at <= now() order by due_at limit $1 for update skip locked',
      [REMOVED_AT_ONCE],
    ),
  );
  return rows.map((row) => row.id);
}
