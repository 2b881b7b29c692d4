import { prepare, type Tx } from '../../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../../kernel/http/preconditions.ts';
import type { Actor } from '../../accounts/index.ts';
import { categoryNotFound } from '../errors.ts';
import { imageUrl } from '../present.ts';
import type { Editing } from './edit-images.ts';
import { storeImage } from './storage.ts';

/** The picture of a category: one at most, replaced or taken away. The triggers give the old one's blobs free. */

type Shown = { image: string | null; version: number; slug: string; name: string };

const FIND = 'select image, version, slug, name from categories where id = $1';
const LOOK = prepare<Shown>(FIND);
const LOCK = prepare<Shown>(`${FIND} for no key update`);
const SHOW = prepare('update categories set image = $2, version = version + 1, updated_at = $3 where id = $1');

/** Judges before an image is read whether it has a place to go. Throws category_not_found. */
export async function demandCategoryThere({ db }: Pick<Editing, 'db'>, id: string): Promise<void> {
  demandThere(await db.maybe(LOOK([id])));
}

/** Throws category_not_found, version_mismatch, and what the renderer says of the bytes. */
export async function setCategoryImage(
  shop: Editing,
  actor: Actor,
  id: string,
  bytes: Buffer,
  version: ExpectedVersion | null,
): Promise<void> {
  const rendered = await shop.render(bytes);
  await storeImage(shop, rendered, (tx, image) => show(tx, shop, actor, id, image.id, version));
  await shop.events.flush();
}

/** A category without an image stays as it is. Throws category_not_found, version_mismatch. */
export async function deleteCategoryImage(
  shop: Editing,
  actor: Actor,
  id: string,
  version: ExpectedVersion | null,
): Promise<void> {
  await shop.db.transaction((tx) => show(tx, shop, actor, id, null, version));
  await shop.events.flush();
}

async function show(
  tx: Tx,
  { events, clock }: Editing,
  actor: Actor,
  id: string,
  image: string | null,
  expected: ExpectedVersion | null,
): Promise<void> {
  const before = demandThere(await tx.maybe(LOCK([id])));
  demandVersion(expected, before.version);
  if (before.image === image) return;
  await tx.run(SHOW([id, image, clock.now()]));
  const urlOf = (key: string | null) => (key === null ? null : imageUrl(key));
  await events.append(tx, {
    type: 'category.updated',
    subject: { type: 'category', id },
    actorId: actor.userId,
    changes: { image_url: { from: urlOf(before.image), to: urlOf(image) } },
    data: { slug: before.slug, name: before.name },
  });
}

function demandThere(category: Shown | undefined): Shown {
  if (!category) throw categoryNotFound('There is no category with this id.');
  return category;
}
