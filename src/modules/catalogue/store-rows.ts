/**
 * The columns that lists read, and the row that they make. An archived product counts as inactive, whatever it was
 * before and will be again.
 */
export const LIST_COLUMNS = `p.id, p.sku, p.slug, p.name, p.price, p.sale_price, p.effective_price, p.featured,
  p.visible as active,
  p.availability, p.category_id, p.brand, p.gender, p.condition, p.color, p.size, p.age_group, p.material, p.gtin, p.mpn,
  p.group_id, p.image, p.offers_count, p.lowest_offer, p.offers_in_stock, p.owner_id, p.version, p.created_at,
  p.updated_at, s.on_hand`;

export type ProductRow = {
  id: string;
  sku: string;
  slug: string;
  name: string;
  price: number;
  sale_price: number | null;
  effective_price: number;
  featured: boolean;
  active: boolean;
  availability: 'in_stock' | 'out_of_stock' | 'preorder' | 'backorder';
  category_id: string | null;
  brand: string | null;
  gender: string | null;
  condition: string | null;
  color: string | null;
  size: string | null;
  age_group: string | null;
  material: string | null;
  gtin: string | null;
  mpn: string | null;
  group_id: string | null;
  image: string | null;
  offers_count: number;
  lowest_offer: number | null;
  offers_in_stock: number;
  owner_id: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  on_hand: number | null;
};

/** What the public may see: active and not archived. */
export const VISIBLE = 'p.visible';
