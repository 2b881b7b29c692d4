import type { Category, Product, ProductListItem, Variant } from '../modules/catalogue/schemas.ts';

/** Things to render in tests: each believable as it stands, and changed in what the test is about. */

let made = 0;
const nextId = () => `0190a000-0000-7000-8000-${String(++made).padStart(12, '0')}`;

export function exampleCategory(changes: Partial<Category> = {}): Category {
  return {
    id: nextId(),
    slug: 'mugs',
    name: 'Mugs',
    description: '',
    image_url: null,
    parent_id: null,
    position: 0,
    active: true,
    product_count: 3,
    version: 1,
    children: [],
    ...changes,
  };
}

export function exampleItem(changes: Partial<ProductListItem> = {}): ProductListItem {
  const price = changes.price ?? '24.00';
  return {
    id: nextId(),
    sku: 'HF-1',
    slug: 'stoneware-mug',
    name: 'Stoneware Mug',
    price,
    sale_price: null,
    effective_price: changes.sale_price ?? price,
    currency: 'USD',
    stock: 40,
    in_stock: true,
    featured: false,
    active: true,
    availability: 'in_stock',
    category: { id: nextId(), slug: 'mugs', name: 'Mugs' },
    brand: 'Hearth & Field',
    gender: null,
    condition: 'new',
    color: 'Teal',
    size: null,
    age_group: null,
    material: 'Stoneware',
    gtin: '4006381333931',
    mpn: null,
    group_id: null,
    image_url: '/media/mug.teal.1.svg',
    offers: { count: 0, lowest_price: null, items_in_stock: 0 },
    owner_id: null,
    version: 1,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-02T00:00:00.000Z',
    ...changes,
  };
}

export function exampleProduct(changes: Partial<Product> = {}): Product {
  return {
    ...exampleItem(changes),
    description: 'A mug for every day.',
    attributes: {},
    images: [
      {
        id: null,
        url: '/media/mug.teal.1.svg',
        list_url: '/media/mug.teal.1.svg',
        full_url: '/media/mug.teal.1.svg',
        alt: 'Stoneware Mug',
        position: 0,
        width: 800,
        height: 1000,
      },
    ],
    variants: [],
    archived_at: null,
    ...changes,
  };
}

export function exampleVariant(changes: Partial<Variant> = {}): Variant {
  return {
    id: nextId(),
    sku: 'HF-2',
    slug: 'stoneware-mug-rust',
    name: 'Stoneware Mug',
    price: '24.00',
    sale_price: null,
    effective_price: '24.00',
    in_stock: true,
    image_url: '/media/mug.rust.1.svg',
    options: { color: 'Rust' },
    ...changes,
  };
}
