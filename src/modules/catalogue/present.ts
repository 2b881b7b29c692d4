import { isUuid } from '../../kernel/ids.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { CategorySnapshot } from './categories.ts';
import { type Rendition, renditionFile } from './images/renditions.ts';
import type { ProductImage, ProductListItem } from './schemas.ts';
import type { ProductRow } from './store-rows.ts';

/** Stands for what no drawing was chosen for. */
export const DEFAULT_DRAWING = 'box.tan.1';

/** Where the picture of that key is served; a product always has one, drawn if need be. */
export function imageUrl(key: string | null, rendition: Rendition = 'detail'): string {
  if (key !== null && isUuid(key)) return `/media/${renditionFile(key, rendition)}`;
  return `/media/${key ?? DEFAULT_DRAWING}.svg`;
}

type ImageRow = Omit<ProductImage, 'url' | 'list_url' | 'full_url'> & { key: string };

/** An image of a product as clients see it. */
export function presentImage({ id, key, alt, position, width, height }: ImageRow): ProductImage {
  const at = (rendition: Rendition) => imageUrl(key, rendition);
  return { id, url: at('detail'), list_url: at('list'), full_url: at('full'), alt, position, width, height };
}

/** Whether it can be had now: counted products by what is on hand, others by their availability. */
export function isInStock(row: Pick<ProductRow, 'on_hand' | 'availability'>): boolean {
  return row.on_hand === null ? row.availability === 'in_stock' : row.on_hand > 0;
}

/** Counted stock decides between in and out of stock; the column then only says whether more can be ordered. */
export function availabilityOf(row: Pick<ProductRow, 'on_hand' | 'availability'>): ProductRow['availability'] {
  if (row.on_hand === null) return row.availability;
  if (row.on_hand > 0) return row.availability === 'out_of_stock' ? 'in_stock' : row.availability;
  return row.availability === 'in_stock' ? 'out_of_stock' : row.availability;
}

/** A row as clients see it in lists. */
export function presentListItem(row: ProductRow, categories: CategorySnapshot, currency: string): ProductListItem {
  const category = row.category_id === null ? undefined : categories.byId.get(row.category_id);
  return {
    id: row.id,
    sku: row.sku,
    slug: row.slug,
    name: row.name,
    price: formatMoney(row.price, currency),
    sale_price: row.sale_price === null ? null : formatMoney(row.sale_price, currency),
    effective_price: formatMoney(row.effective_price, currency),
    currency,
    stock: row.on_hand,
    in_stock: isInStock(row),
    featured: row.featured,
    active: row.active,
    availability: availabilityOf(row),
    category: category ? { id: category.id, slug: category.slug, name: category.name } : null,
    brand: row.brand,
    gender: row.gender,
    condition: row.condition,
    color: row.color,
    size: row.size,
    age_group: row.age_group,
    material: row.material,
    gtin: row.gtin,
    mpn: row.mpn,
    group_id: row.group_id,
    image_url: imageUrl(row.image, 'list'),
    offers: {
      count: row.offers_count,
      lowest_price: row.lowest_offer === null ? null : formatMoney(row.lowest_offer, currency),
      items_in_stock: row.offers_in_stock,
    },
    owner_id: row.owner_id,
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
