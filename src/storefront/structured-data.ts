import type { Category, Product } from '../modules/catalogue/schemas.ts';
import { productPath } from './product-card.ts';
import { excerpt } from './text.ts';

/**
 * What pages tell search engines, in schema.org's words (JSON-LD). A family of variants is a ProductGroup with every
 * member in it, as Google asks of shops whose variants have pages of their own
 * (developers.google.com/search/docs/appearance/structured-data/product-variants).
 */

type Data = Record<string, unknown>;

const AVAILABILITY = {
  in_stock: 'InStock',
  out_of_stock: 'OutOfStock',
  preorder: 'PreOrder',
  backorder: 'BackOrder',
} as const;
const CONDITION: Readonly<Record<string, string>> = {
  new: 'NewCondition',
  refurbished: 'RefurbishedCondition',
  used: 'UsedCondition',
};
const VARIES_BY: Readonly<Record<string, string>> = {
  color: 'https://schema.org/color',
  size: 'https://schema.org/size',
  material: 'https://schema.org/material',
  gender: 'https://schema.org/suggestedGender',
  age_group: 'https://schema.org/suggestedAge',
};
const MAX_VARIANTS = 50;

const present = (data: Data): Data =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined && value !== ''));

function availabilityOf({ availability, in_stock }: Pick<Product, 'availability' | 'in_stock'>): string {
  const said =
    in_stock && availability === 'out_of_stock'
      ? 'in_stock'
      : !in_stock && availability === 'in_stock'
        ? 'out_of_stock'
        : availability;
  return `https://schema.org/${AVAILABILITY[said]}`;
}

export function productData(product: Product, publicUrl: string): Data {
  const url = publicUrl + productPath(product.slug);
  const brand = product.brand === null ? undefined : { '@type': 'Brand', name: product.brand };
  const description = excerpt(product.description, 4000);
  const itemCondition = product.condition === null ? undefined : CONDITION[product.condition];
  const own = present({
    '@type': 'Product',
    name: product.name,
    description,
    url,
    image: product.images.map((image) => publicUrl + image.url),
    sku: product.sku,
    gtin: product.gtin,
    mpn: product.mpn,
    brand,
    category: product.category?.name,
    color: product.color,
    size: product.size,
    material: product.material,
    offers: present({
      '@type': 'Offer',
      url,
      price: product.effective_price,
      priceCurrency: product.currency,
      availability: availabilityOf(product),
      itemCondition: itemCondition && `https://schema.org/${itemCondition}`,
    }),
  });
  if (product.variants.length === 0) return { '@context': 'https://schema.org', ...own };
  const variants = product.variants.slice(0, MAX_VARIANTS);
  const differing = [...new Set(variants.flatMap((variant) => Object.keys(variant.options)))];
  return present({
    '@context': 'https://schema.org',
    '@type': 'ProductGroup',
    name: product.name,
    description,
    url,
    brand,
    productGroupID: product.group_id,
    variesBy: differing.flatMap((option) => VARIES_BY[option] ?? []),
    hasVariant: [
      own,
      ...variants.map((variant) => {
        const { color, size, material } = variant.options;
        return present({
          '@type': 'Product',
          name: variant.name,
          url: publicUrl + productPath(variant.slug),
          image: publicUrl + variant.image_url,
          sku: variant.sku,
          color,
          size,
          material,
          offers: {
            '@type': 'Offer',
            url: publicUrl + productPath(variant.slug),
            price: variant.effective_price,
            priceCurrency: product.currency,
            availability: `https://schema.org/${variant.in_stock ? 'InStock' : 'OutOfStock'}`,
          },
        });
      }),
    ],
  });
}

/** The way down to a page; its last step is the page itself. */
export function breadcrumbData(steps: readonly { name: string; path: string }[], publicUrl: string): Data {
  return {
    '@context': 'https://schema.org',
    '@type': 'BreadcrumbList',
    itemListElement: steps.map(({ name, path }, index) => ({
      '@type': 'ListItem',
      position: index + 1,
      name,
      item: publicUrl + path,
    })),
  };
}

export function categorySteps(path: readonly Category[]): { name: string; path: string }[] {
  return [
    { name: 'Shop', path: '/' },
    ...path.map(({ name, slug }) => ({ name, path: `/categories/${encodeURIComponent(slug)}` })),
  ];
}

export function shopData(shopName: string, publicUrl: string): Data {
  return {
    '@context': 'https://schema.org',
    '@type': 'WebSite',
    name: shopName,
    url: `${publicUrl}/`,
    potentialAction: {
      '@type': 'SearchAction',
      target: { '@type': 'EntryPoint', urlTemplate: `${publicUrl}/products?search={search_term_string}` },
      'query-input': 'required name=search_term_string',
    },
  };
}
