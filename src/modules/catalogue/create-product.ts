import { prepare, sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { type Actor, forbidden, hasRole } from '../accounts/index.ts';
import { holdPath } from './category-tree.ts';
import { addWordsOf, storedAvailability } from './change-product.ts';
import { drawingFor, drawingKey } from './drawings/index.ts';
import {
  COLUMNS,
  demandConsistent,
  diffFields,
  LEFT_OUT,
  type ProductFields,
  readFields,
  refuseField,
} from './product-fields.ts';
import { productSlugBase, slugify } from './slug.ts';
import { changeStock } from './stock.ts';
import { demandSlugNeverElsewhere, skuIsTaken, slugIsTaken, type Writing, write } from './stored-product.ts';
import type { NewProduct } from './write-schemas.ts';

/**
 * Makes a product and answers its id: a seller's is its own, what staff make is nobody's. Throws validation_failed,
 * forbidden, sku_taken, slug_taken. `categoryNames` gives the names from the root down to a category, for the picture.
 */
export async function createProduct(
  shop: Writing,
  actor: Actor,
  { stock, ...given }: NewProduct,
  categoryNames: (id: string | null) => Promise<string[]>,
): Promise<string> {
  const isStaff = hasRole(actor, 'staff');
  const wanted = { ...LEFT_OUT, ...readFields(given, shop.config.CURRENCY) } as Wanted;
  demandConsistent(wanted);
  if (wanted.featured && !isStaff) throw forbidden('What is featured is chosen by staff: leave `featured` out.');
  wanted.availability = storedAvailability(wanted.availability, typeof stock === 'number');
  const names = await categoryNames(wanted.category_id);
  const id = newId();

  await write(shop.db, async (tx) => {
    const { category_id } = wanted;
    if (category_id !== null && (await holdPath(tx, category_id)) === null)
      refuseField('category_id', 'must be the id of a category');
    const at = shop.clock.now();
    const product = await insert(tx, id, wanted, {
      ownerId: isStaff ? null : actor.userId,
      at,
      draw: (sku) => drawingKey(drawingFor({ ...wanted, sku, categoryNames: names })),
    });
    const changes = diffFields({}, product, shop.config.CURRENCY);
    await tx.run(DESCRIBE([id, product.description, JSON.stringify(product.attributes)]));
    await tx.run(RECORD([id, at, actor.userId, JSON.stringify(changes)]));
    if (typeof stock === 'number')
      await changeStock(tx, [{ productId: id, target: stock }], {
        reason: 'adjustment',
        reference: null,
        actorId: actor.userId,
        at,
      });
    await shop.events.append(tx, {
      type: 'product.created',
      subject: { type: 'product', id },
      actorId: actor.userId,
      changes: typeof stock === 'number' ? { ...changes, stock: { from: null, to: stock } } : changes,
      data: { sku: product.sku, slug: product.slug, name: product.name },
    });
    await addWordsOf(tx, [id]);
  });
  await shop.events.flush();
  return id;
}

/** SKU and slug are there when they were given. */
type Wanted = Omit<ProductFields, 'sku' | 'slug'> & Partial<Pick<ProductFields, 'sku' | 'slug'>>;

const INSERT = prepare(
  `insert into products (id, owner_id, image, created_at, updated_at, ${COLUMNS.join(', ')})
   values ($1, $2, $3, $4, $4, ${COLUMNS.map((_, i) => `$${i + 5}`).join(', ')})
   on conflict do nothing`,
);

const DESCRIBE = prepare(
  `insert into product_texts (product_id, visible, title, description, attributes)
   select p.id, p.visible, search_title(p.name, p.sku, p.gtin, p.mpn, search_label(p.brand, path_names(p.category_id))), $2, $3
   from products p where p.id = $1`,
);

const RECORD = prepare(
  `with made as (select id, sku, price, sale_price from products where id = $1),
   priced as (
     insert into price_history (product_id, valid_from, price, sale_price, actor_id)
     select id, $2, price, sale_price, $3 from made
   )
   insert into product_changes (product_id, sku, at, action, version, changes, actor_id)
   select id, sku, $2, 'created', 1, $4, $3 from made`,
);

/** More tries than this only a fault of ours would need: what is added is random. */
const TRIES = 5;

/**
 * Inserts the row under a SKU and a slug of its own. Those that were given must be free; made ones get an addition until
 * they are. The unique indexes decide, so that of many who come at once each gets its own: a conflict waits for the other's
 * transaction, and raises nothing that would end this one.
 */
async function insert(
  tx: Tx,
  id: string,
  wanted: Wanted,
  { ownerId, at, draw }: { ownerId: string | null; at: Date; draw(sku: string): string },
): Promise<ProductFields> {
  let sku = wanted.sku ?? skuBase(wanted.name);
  let slug = wanted.slug ?? slugBase(wanted, sku);
  for (let tries = 0; tries < TRIES; tries++) {
    const product = { ...wanted, sku, slug };
    const values = COLUMNS.map((column) => product[column]);
    if ((await tx.run(INSERT([id, ownerId, draw(sku), at, ...values]))) === 1) {
      if (wanted.slug !== undefined) {
        await demandSlugNeverElsewhere(tx, slug, id);
        return product;
      }
      return { ...product, slug: await leaveToOthers(tx, id, slug) };
    }
    const taken = await tx.one(
      sql<{ sku: boolean; slug: boolean }>(
        'select exists (select from products where sku = $1) as sku, exists (select from products where slug = $2) as slug',
        [sku, slug],
      ),
    );
    if (taken.sku && wanted.sku !== undefined) throw skuIsTaken(sku);
    if (taken.slug && wanted.slug !== undefined) throw slugIsTaken(slug);
    if (taken.sku) sku = `${skuBase(wanted.name)}-${addition().slice(-6).toUpperCase()}`;
    if (taken.slug) slug = `${slugBase(wanted, sku)}-${addition()}`;
  }
  throw new Error('No free SKU and slug was found.');
}

/** The made slug, or, if another product once had it, one that nobody had. Looked up once it is ours: nobody retires it then. */
async function leaveToOthers(tx: Tx, id: string, slug: string): Promise<string> {
  const row = await tx.maybe(
    sql<{ slug: string }>(
      `update products set slug = $2 where id = $1 and exists (select from retired_product_slugs where slug = $3)
       returning slug`,
      [id, `${slug}-${addition()}`, slug],
    ),
  );
  return row?.slug ?? slug;
}

/** The random end of an id. */
function addition(): string {
  return newId().slice(-10);
}

/** A name as a SKU: its words in capitals, as far as they go; a product in another script just gets a number. */
function skuBase(name: string): string {
  const base = slugify(name).slice(0, 24).replace(/-+$/, '').toUpperCase();
  return base.length < 3 ? `P-${addition().toUpperCase()}` : base;
}

function slugBase({ name, color, size, group_id: groupId }: Wanted, sku: string): string {
  return productSlugBase({ name, sku, color, size, groupId });
}
