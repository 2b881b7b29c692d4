import { prepare, type Sql } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { CategorySnapshot } from './categories.ts';
import { STOCK_JOIN } from './conditions.ts';
import { productNotFound } from './errors.ts';
import { DEFAULT_DRAWING, imageUrl, isInStock, presentImage, presentListItem } from './present.ts';
import type { Product, Variant } from './schemas.ts';
import { ownerOf, type Sight } from './sight.ts';
import { LIST_COLUMNS, type ProductRow, VISIBLE } from './store-rows.ts';

/** One product, whole: its row, texts, images and the siblings of its group. */

type Image = { id: string; key: string; alt: string; position: number; width: number; height: number };
type WholeRow = ProductRow & {
  description: string;
  attributes: Record<string, unknown>;
  archived_at: Date | null;
  images: Image[];
};

const IMAGES = `coalesce((select json_agg(json_build_object('id', i.id, 'key', i.key, 'alt', i.alt, 'position', i.position,
    'width', i.width, 'height', i.height) order by i.position) from product_images i where i.product_id = p.id), '[]') as images`;

/** Beyond the public: $2 is the owner whose products are seen, or null for everyone's. */
const SEEN = `(${VISIBLE} or $2::uuid is null or p.owner_id = $2)`;

const whole = (by: 'id' | 'slug', seen: string) =>
  prepare<WholeRow>(
    `select ${LIST_COLUMNS}, p.archived_at, coalesce(t.description, '') as description, coalesce(t.attributes, '{}') as attributes, ${IMAGES}
     from products p ${STOCK_JOIN} left join product_texts t on t.product_id = p.id
     where p.${by} = $1 and ${seen}`,
  );
const retired = (seen: string) =>
  prepare<{ slug: string }>(
    `select p.slug from retired_product_slugs r join products p on p.id = r.product_id where r.slug = $1 and ${seen}`,
  );
const reading = (seen: string) => ({ id: whole('id', seen), slug: whole('slug', seen), retired: retired(seen) });
const PUBLIC = reading(VISIBLE);
const BEYOND = reading(SEEN);

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

export type FoundProduct = { product: Product } | { movedTo: string };

/** By id or slug; an old slug says where it went. Throws product_not_found, also for what lies beyond `sight`. */
export async function getProduct(
  db: Sql,
  key: string,
  categories: CategorySnapshot,
  currency: string,
  sight: Sight = 'public',
): Promise<FoundProduct> {
  const from = sight === 'public' ? PUBLIC : BEYOND;
  const values = sight === 'public' ? [key] : [key, ownerOf(sight)];
  const row = await db.maybe(isUuid(key) ? from.id(values) : from.slug(values));
  if (row) {
    const siblings = row.group_id === null ? [] : await db.many(SIBLINGS([row.group_id, row.id]));
    return { product: presentProduct(row, siblings, categories, currency) };
  }
  const moved = await db.maybe(from.retired(values));
  if (moved) return { movedTo: moved.slug };
  throw productNotFound('There is no product with this id or slug.');
}

function presentProduct(row: WholeRow, siblings: Sibling[], categories: CategorySnapshot, currency: string): Product {
  return {
    ...presentListItem(row, categories, currency),
    image_url: imageUrl(row.image),
    description: row.description,
    attributes: row.attributes,
    images: presentImages(row),
    variants: presentVariants(row, siblings, currency),
    archived_at: row.archived_at?.toISOString() ?? null,
  };
}

function presentImages(row: WholeRow): Product['images'] {
  if (row.images.length > 0) return row.images.map(presentImage);
  const drawn = { id: null, key: row.image ?? DEFAULT_DRAWING, alt: row.name, position: 0, width: 800, height: 1000 };
  return [presentImage(drawn)];
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
    image_url: imageUrl(sibling.image, 'list'),
    options: Object.fromEntries(differing.map((option) => [option, sibling[option]])),
  }));
}
