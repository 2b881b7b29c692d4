import { type Database, prepare } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { CategorySnapshot } from './categories.ts';
import { STOCK_JOIN } from './conditions.ts';
import { productNotFound } from './errors.ts';
import { imageUrl, isInStock, presentListItem } from './present.ts';
import type { Product, Variant } from './schemas.ts';
import { LIST_COLUMNS, type ProductRow, VISIBLE } from './store-rows.ts';

/** One product, whole: its row, texts, images and the siblings of its group. */

type Image = { id: string; key: string; alt: string; position: number; width: number; height: number };
type WholeRow = ProductRow & {
  description: string;
  attributes: Record<string, unknown>;
  images: Image[];
};

const IMAGES = `coalesce((select json_agg(json_build_object('id', i.id, 'key', i.key, 'alt', i.alt, 'position', i.position,
    'width', i.width, 'height', i.height) order by i.position) from product_images i where i.product_id = p.id), '[]') as images`;

const whole = (by: 'id' | 'slug') =>
  prepare<WholeRow>(
    `select ${LIST_COLUMNS}, coalesce(t.description, '') as description, coalesce(t.attributes, '{}') as attributes, ${IMAGES}
     from products p ${STOCK_JOIN} left join product_texts t on t.product_id = p.id
     where p.${by} = $1 and ${VISIBLE}`,
  );
const BY_ID = whole('id');
const BY_SLUG = whole('slug');

/** The attributes in which members of a group can differ. */
const OPTIONS = ['color', 'size', 'material', 'gender', 'age_group', 'condition'] as const;

type Sibling = Pick<
  ProductRow,
  | 'id'
  | 'sku'
  | 'slug'
  | 'name'
  | 'price'
  | 'sale_price'
  | 'effective_price'
  | 'availability'
  | 'image'
  | 'on_hand'
  | (typeof OPTIONS)[number]
>;

/** More members than this are a catalogue's mistake, not a choice that anybody makes. */
const MAX_SIBLINGS = 200;
const SIBLINGS = prepare<Sibling>(
  `select p.id, p.sku, p.slug, p.name, p.price, p.sale_price, p.effective_price, p.availability, p.image, s.on_hand,
     ${OPTIONS.map((option) => `p.${option}`).join(', ')} from products p ${STOCK_JOIN}
   where p.group_id = $1 and p.id <> $2 and ${VISIBLE} order by p.id limit ${MAX_SIBLINGS}`,
);

const RETIRED = prepare<{ slug: string }>(
  `select p.slug from retired_product_slugs r join products p on p.id = r.product_id where r.slug = $1 and ${VISIBLE}`,
);

export type FoundProduct = { product: Product } | { movedTo: string };

/** By id or slug; an old slug says where it went. Throws product_not_found, also for what the public may not see. */
export async function getProduct(
  db: Database,
  key: string,
  categories: CategorySnapshot,
  currency: string,
): Promise<FoundProduct> {
  const row = isUuid(key) ? await db.maybe(BY_ID([key])) : await db.maybe(BY_SLUG([key]));
  if (row) {
    const siblings = row.group_id === null ? [] : await db.many(SIBLINGS([row.group_id, row.id]));
    return { product: presentProduct(row, siblings, categories, currency) };
  }
  const moved = await db.maybe(RETIRED([key]));
  if (moved) return { movedTo: moved.slug };
  throw productNotFound('There is no product with this id or slug.');
}

function presentProduct(row: WholeRow, siblings: Sibling[], categories: CategorySnapshot, currency: string): Product {
  return {
    ...presentListItem(row, categories, currency),
    description: row.description,
    attributes: row.attributes,
    images: presentImages(row),
    variants: presentVariants(row, siblings, currency),
  };
}

function presentImages(row: WholeRow): Product['images'] {
  if (row.images.length === 0)
    return [{ id: null, url: imageUrl(row.image), alt: row.name, position: 0, width: 800, height: 1000 }];
  return row.images.map(({ key, ...image }) => ({ ...image, url: imageUrl(key) }));
}

function presentVariants(row: ProductRow, siblings: Sibling[], currency: string): Variant[] {
  const differing = OPTIONS.filter((option) => siblings.some((sibling) => sibling[option] !== row[option]));
  return siblings.map((sibling) => ({
    id: sibling.id,
    sku: sibling.sku,
    slug: sibling.slug,
    name: sibling.name,
    price: formatMoney(sibling.price, currency),
    sale_price: sibling.sale_price === null ? null : formatMoney(sibling.sale_price, currency),
    effective_price: formatMoney(sibling.effective_price, currency),
    in_stock: isInStock(sibling),
    image_url: imageUrl(sibling.image),
    options: Object.fromEntries(differing.map((option) => [option, sibling[option]])),
  }));
}
