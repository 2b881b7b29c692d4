import { prepare, sql, type Tx } from '../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../kernel/http/preconditions.ts';
import { type Actor, forbidden, hasRole } from '../accounts/index.ts';
import { stockChanged } from './errors.ts';
import { addWords } from './merge.ts';
import {
  COLUMNS,
  demandConsistent,
  diffFields,
  FIELDS,
  type FieldChanges,
  type FieldName,
  type GivenFields,
  LEFT_OUT,
  type ProductFields,
  readFields,
  refuseField,
} from './product-fields.ts';
import { changeStock } from './stock.ts';
import {
  demandCategory,
  demandOwn,
  demandSlugNeverElsewhere,
  findProductId,
  type Locked,
  lockProducts,
  notThere,
  type StoredProduct,
  type ToLock,
  telling,
  type Writing,
  write,
} from './stored-product.ts';
import type { ProductEdit, StockGiven } from './write-schemas.ts';

/**
 * Changes a product, whoever asks for it in whatever way: replaced (PUT), in parts (PATCH), or as one of many.
 *
 * A change is compared with what is stored, under its lock, and only what differs counts: that is written, with its
 * version, its history and its event. What says what is there already changes nothing. Stock is no field: it moves in
 * its ledger, under an event of its own, and never changes the version.
 */

export type Change = {
  fields: Partial<ProductFields>;
  /** Whether what is not among the fields gets its default. */
  replace: boolean;
  stock: { target: number; expected: number | null } | null;
  version: ExpectedVersion | null;
};

/**
 * What a client sent, as a change. Throws validation_failed with all that is wrong with it.
 */
export function readChange(
  { stock, expected_stock: expected, ...given }: ProductEdit,
  currency: string,
  options: { replace: boolean; version: ExpectedVersion | null },
): Change {
  const fields = readFields(given as GivenFields, currency);
  const movement = readStock({ stock, expected_stock: expected } as StockGiven);
  return { fields, stock: movement, ...options };
}

function readStock({ stock, expected_stock: expected }: StockGiven): Change['stock'] {
  if (stock === undefined && expected === undefined) return null;
  if (stock === undefined) refuseField('stock', 'is required with expected_stock');
  if (expected === undefined) refuseField('expected_stock', 'is required with stock: what you have seen, or null');
  return { target: stock, expected };
}

/**
 * Changes one product, by its id or slug, and answers its id. Throws product_not_found (also for an archived one),
 * forbidden, version_mismatch, stock_changed, sku_taken, slug_taken, validation_failed.
 */
export async function changeProduct(shop: Writing, actor: Actor, key: string, change: Change): Promise<string> {
  const id = await findProductId(shop.db, key);
  await changeAlone(shop, actor, id, change);
  await shop.events.flush();
  return id;
}

/** The same in a transaction of its own, by id alone, and without waiting for its event to be seen. */
export async function changeAlone(
  shop: Writing,
  actor: Actor,
  id: string,
  change: Change,
  patienceMs?: number,
): Promise<void> {
  await write(
    shop.db,
    async (tx) => {
      const locked = await lockProducts(tx, [toLock(id, change)]);
      const { retitled } = await changeWithin(tx, shop, actor, id, change, locked);
      if (retitled) await addWordsOf(tx, [id]);
    },
    patienceMs,
  );
}

/** What a change of that product locks. */
export function toLock(id: string, change: Change): ToLock {
  return { id, texts: touchesTexts(change), stock: change.stock !== null, into: change.fields.category_id ?? null };
}

/** The last that a transaction does that gave products other titles. */
export async function addWordsOf(tx: Tx, productIds: readonly string[]): Promise<void> {
  await addWords(tx, 'select title from product_texts where product_id = any ($1::uuid[])', [productIds]);
}

/**
 * The change itself, in the caller's transaction, which has locked what toLock says, and adds the words of what was
 * retitled at its end. All that people can be refused for is found out before anything is written, but that the SKU or
 * the slug is another product's. `locked` then holds the product as it is now.
 */
export async function changeWithin(
  tx: Tx,
  shop: Writing,
  actor: Actor,
  id: string,
  change: Change,
  locked: Locked,
): Promise<{ retitled: boolean }> {
  const product = locked.products.get(id);
  if (!product || product.archived_at !== null) throw notThere();
  demandOwn(actor, product);
  demandVersion(change.version, product.version);
  demandCategory(change.fields.category_id, locked);
  const after = changedFields(product, change, actor);
  demandConsistent(after);
  if (change.stock && change.stock.expected !== product.on_hand) throw stockIsNow(product.on_hand);

  const changes = diffFields(product, after, shop.config.CURRENCY);
  const differs = Object.keys(changes).length > 0;
  if (differs) {
    await store(tx, shop, actor, product, after, changes);
    await shop.events.append(tx, {
      type: 'product.updated',
      subject: { type: 'product', id },
      actorId: actor.userId,
      changes,
      data: { sku: after.sku, slug: after.slug, name: after.name },
    });
  }
  if (change.stock) await setStock(tx, shop, actor, { ...product, ...after }, change.stock.target);
  locked.products.set(id, {
    ...product,
    ...after,
    version: product.version + (differs ? 1 : 0),
    on_hand: change.stock ? change.stock.target : product.on_hand,
  });
  return { retitled: isRetitled(changes) };
}

/** All fields as they will be. */
function changedFields(product: StoredProduct, { fields, replace, stock }: Change, actor: Actor): ProductFields {
  const after = { ...product, ...(replace ? LEFT_OUT : {}), ...fields };
  if (!hasRole(actor, 'staff')) {
    if (fields.featured !== undefined && fields.featured !== product.featured)
      throw forbidden('What is featured is chosen by staff: leave `featured` out.');
    after.featured = product.featured;
  }
  after.availability = storedAvailability(after.availability, product.on_hand !== null || stock !== null);
  return after;
}

/** Tracked stock says itself whether there is any; the column is kept for what can be ordered without (as imports do). */
export function storedAvailability(
  availability: ProductFields['availability'],
  tracked: boolean,
): ProductFields['availability'] {
  return tracked && availability === 'out_of_stock' ? 'in_stock' : availability;
}

/** Whether it may change what searches look at, which stands apart from the product's row: its words, or if it is seen. */
function touchesTexts({ fields, replace }: Change): boolean {
  return replace || 'active' in fields || isInTexts(fields);
}

function isInTexts(changed: object): boolean {
  return 'description' in changed || 'attributes' in changed || isRetitled(changed);
}

function isRetitled(changed: object): boolean {
  return Object.keys(changed).some((name) => FIELDS[name as FieldName].searched);
}

async function setStock(tx: Tx, shop: Writing, actor: Actor, product: StoredProduct, target: number): Promise<void> {
  const onHand = product.on_hand;
  if (target === onHand) return;
  await changeStock(tx, [{ productId: product.id, target }], {
    reason: 'adjustment',
    reference: null,
    actorId: actor.userId,
    at: shop.clock.now(),
  }).catch((error: { code?: string }) => {
    // Somebody else has begun to track it since: there was no row yet that could be locked.
    throw error.code === '23505' ? stockIsNow(null) : error;
  });
  await shop.events.append(tx, {
    type: 'stock.adjusted',
    subject: { type: 'product', id: product.id },
    actorId: actor.userId,
    changes: { stock: { from: onHand, to: target } },
    data: { sku: product.sku, slug: product.slug, name: product.name },
  });
}

function stockIsNow(onHand: number | null): Error {
  return stockChanged(
    onHand === null
      ? 'The stock is not tracked, or was not until just now. Send null as expected_stock to begin with it.'
      : `There are ${onHand} in stock now. Send your change again with that as expected_stock, if it is still right.`,
    { stock: onHand },
  );
}

/**
 * The row, its history and its price in one statement. All columns are set, so that there is one text to be planned:
 * PostgreSQL compares the values of keys and indexes itself and touches no index of what stayed. A price holds from now,
 * but never from before the one that it follows, should clocks differ.
 */
const STORE = prepare(
  `with changed as (
     update products p set version = p.version + 1, updated_at = $2,
       ${COLUMNS.map((column, i) => `${column} = $${i + 6}`).join(', ')}
     where p.id = $1 returning p.id, p.sku, p.version, p.price, p.sale_price
   ), priced as (
     insert into price_history (product_id, valid_from, price, sale_price, actor_id)
     select c.id, greatest($2, (select max(h.valid_from) from price_history h where h.product_id = $1)), c.price, c.sale_price, $3
     from changed c where $4
     on conflict (product_id, valid_from) do update
       set price = excluded.price, sale_price = excluded.sale_price, actor_id = excluded.actor_id, import_id = null
   )
   insert into product_changes (product_id, sku, at, action, version, changes, actor_id)
   select c.id, c.sku, $2, 'updated', c.version, $5, $3 from changed c`,
);

/** What searches look at; the title is made of the row as it is now. */
const STORE_TEXTS = prepare(
  `update product_texts t
   set title = search_title(p.name, p.sku, p.gtin, p.mpn, search_label(p.brand, path_names(p.category_id))),
       description = $2, attributes = $3
   from products p where p.id = $1 and t.product_id = $1`,
);

async function store(
  tx: Tx,
  shop: Writing,
  actor: Actor,
  product: StoredProduct,
  after: ProductFields,
  changes: FieldChanges,
): Promise<void> {
  const at = shop.clock.now();
  const { id } = product;
  const isPriced = 'price' in changes || 'sale_price' in changes;
  const values = COLUMNS.map((column) => after[column]);
  await telling(after, tx.run(STORE([id, at, actor.userId, isPriced, JSON.stringify(changes), ...values])));
  if ('slug' in changes) {
    await demandSlugNeverElsewhere(tx, after.slug, id);
    await tx.run(sql('delete from retired_product_slugs where slug = $1', [after.slug]));
    await tx.run(
      sql(
        `insert into retired_product_slugs (slug, product_id, retired_at) values ($1, $2, $3)
         on conflict (slug) do update set product_id = excluded.product_id, retired_at = excluded.retired_at`,
        [product.slug, id, at],
      ),
    );
  }
  if (isInTexts(changes)) await tx.run(STORE_TEXTS([id, after.description, JSON.stringify(after.attributes)]));
}
