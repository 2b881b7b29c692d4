import { type Database, prepare, type Sql, sql, type Tx } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type Actor, forbidden, hasRole } from '../accounts/index.ts';
import { holdPath } from './category-tree.ts';
import { STOCK_JOIN } from './conditions.ts';
import { catalogueBusy, productNotFound, skuTaken, slugTaken } from './errors.ts';
import { COLUMNS, type ProductFields, refuseField } from './product-fields.ts';

/**
 * A product as it is stored, locked for whoever is about to change it.
 *
 * Everything that people change takes its locks in one order: the categories that a product is or will be in, its
 * texts, the product itself, its stock where that is set, and the words of its title last. Imports go the same way
 * (merge.ts), and so do changes of categories, which hold a category and then write the texts of its products, and
 * orders, which refer to products and then take their stock. What only refers to a product waits for no change of its
 * fields, since the row is locked without its key.
 */

/** What changing products needs of the kernel. */
export type Writing = Pick<Kernel, 'db' | 'events' | 'clock' | 'config'>;

export type StoredProduct = ProductFields & {
  id: string;
  owner_id: string | null;
  version: number;
  archived_at: Date | null;
  /** Null where it is not tracked. */
  on_hand: number | null;
};

const BY_ID = prepare<{ id: string }>('select id from products where id = $1');
const BY_SLUG = prepare<{ id: string }>('select id from products where slug = $1');
const CATEGORIES_OF = prepare<{ category_id: string }>(
  'select distinct category_id from products where id = any ($1::uuid[]) and category_id is not null',
);
const LOCK_TEXTS = prepare(
  'select from product_texts where product_id = any ($1::uuid[]) order by product_id for update',
);
const LOCK_STOCK = prepare<{ product_id: string; on_hand: number }>(
  'select product_id, on_hand from stock where product_id = any ($1::uuid[]) order by product_id for update',
);
const LOCK_PRODUCTS = prepare<StoredProduct>(
  `select p.id, ${COLUMNS.map((column) => `p.${column}`).join(', ')}, p.owner_id, p.version, p.archived_at,
     coalesce(t.description, '') as description, coalesce(t.attributes, '{}') as attributes, s.on_hand
   from products p ${STOCK_JOIN} left join product_texts t on t.product_id = p.id
   where p.id = any ($1::uuid[]) order by p.id for no key update of p`,
);

/** The id of a product, archived ones included. Throws product_not_found. */
export async function findProductId(target: Sql, key: string): Promise<string> {
  const found = await target.maybe(isUuid(key) ? BY_ID([key]) : BY_SLUG([key]));
  if (!found) throw notThere();
  return found.id;
}

export function notThere(): Error {
  return productNotFound('There is no product with this id or slug.');
}

/** A product to be locked, and what of it beyond its row. */
export type ToLock = {
  id: string;
  /** What searches look at, and whether it is visible, which stands with that. */
  texts: boolean;
  stock: boolean;
  /** The category that it is put into. */
  into: string | null;
};

export type Locked = {
  /** Those that there are, by id. */
  products: Map<string, StoredProduct>;
  /** Those of `into` that there are, and the products' own. They stay as they are until the transaction ends. */
  categories: ReadonlySet<string>;
};

export async function lockProducts(tx: Tx, wanted: readonly ToLock[]): Promise<Locked> {
  const idsOf = (those: readonly ToLock[]) => [...new Set(those.map(({ id }) => id))];
  const withTexts = idsOf(wanted.filter(({ texts }) => texts));
  const withStock = idsOf(wanted.filter(({ stock }) => stock));
  const own = withTexts.length === 0 ? [] : (await tx.many(CATEGORIES_OF([withTexts]))).map((row) => row.category_id);
  const categories = new Set<string>();
  for (const id of new Set([...own, ...wanted.flatMap(({ into }) => into ?? [])].sort()))
    if ((await holdPath(tx, id)) !== null) categories.add(id);
  if (withTexts.length > 0) await tx.run(LOCK_TEXTS([withTexts]));
  const rows = await tx.many(LOCK_PRODUCTS([idsOf(wanted)]));
  if (withStock.length > 0) {
    // A product that was waited for has been read with the stock of before the wait.
    const stock = new Map((await tx.many(LOCK_STOCK([withStock]))).map((row) => [row.product_id, row.on_hand]));
    for (const row of rows) if (withStock.includes(row.id)) row.on_hand = stock.get(row.id) ?? null;
  }
  return { products: new Map(rows.map((row) => [row.id, row])), categories };
}

/** One product with its texts. Throws product_not_found. */
export async function lockProduct(tx: Tx, id: string): Promise<StoredProduct> {
  const { products } = await lockProducts(tx, [{ id, texts: true, stock: false, into: null }]);
  const product = products.get(id);
  if (!product) throw notThere();
  return product;
}

/** Throws validation_failed unless there is such a category. */
export function demandCategory(id: string | null | undefined, { categories }: Pick<Locked, 'categories'>): void {
  if (id && !categories.has(id)) refuseField('category_id', 'must be the id of a category');
}

/** Sellers have what they made themselves; staff have everything. */
export function demandOwn(actor: Actor, product: StoredProduct): void {
  if (!hasRole(actor, 'staff') && product.owner_id !== actor.userId)
    throw forbidden('This product belongs to somebody else: sellers change only their own.');
}

/** A slug leads on to its product for good, so one that another product once had is not free. */
export async function demandSlugNeverElsewhere(tx: Tx, slug: string, id: string): Promise<void> {
  const elsewhere = await tx.maybe(
    sql('select from retired_product_slugs where slug = $1 and product_id <> $2', [slug, id]),
  );
  if (elsewhere) throw slugIsTaken(slug);
}

export function slugIsTaken(slug: string): Error {
  return slugTaken(`Another product has, or had, the slug “${slug}”. Choose another one.`);
}

export function skuIsTaken(sku: string): Error {
  return skuTaken(`Another product has the SKU “${sku}”, maybe an archived one. Choose another one.`);
}

type DatabaseError = { code?: string; constraint?: string };

/** Runs a statement that may meet another product's SKU or slug at their unique indexes. */
export async function telling<T>(fields: Pick<ProductFields, 'sku' | 'slug'>, statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    const { code, constraint } = error as DatabaseError;
    if (code === '23505' && constraint === 'products_sku_key') throw skuIsTaken(fields.sku);
    if (code === '23505' && constraint === 'products_slug_key') throw slugIsTaken(fields.slug);
    throw error;
  }
}

const TRIES = 3;
/** How long a change waits for what another one holds; an import may hold what it merges much longer. */
export const PATIENCE_MS = 5_000;

/**
 * The transaction of a change. It goes again when PostgreSQL ended it as one of two that waited for each other: the order
 * of locks leaves that to an erasure, or a new SKU or slug with a new stock, that meets a movement of the same product's
 * stock. Throws catalogue_busy.
 */
export async function write<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await db.transaction(async (tx) => {
        await tx.run(sql(`set local lock_timeout = ${Math.trunc(patienceMs)}`));
        return work(tx);
      });
    } catch (error) {
      if (!isDeadlock(error) || tries === TRIES) throw inOurWords(error);
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return (error as DatabaseError).code === '40P01';
}

/** A lock waited for in vain, as what people are told about. */
function inOurWords(error: unknown): unknown {
  if (!isDeadlock(error) && (error as DatabaseError).code !== '55P03') return error;
  return catalogueBusy('Somebody else, or an import, is changing this just now. Try again when that is done.', {
    headers: { 'retry-after': '15' },
  });
}
