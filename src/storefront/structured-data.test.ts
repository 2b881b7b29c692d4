import { describe, expect, it } from 'vitest';
import { breadcrumbData, productData } from './structured-data.ts';
import { exampleProduct, exampleVariant } from './testing.ts';

const PUBLIC_URL = 'https://shop.example';

describe('structured data', () => {
  it('is a product with its offer', () => {
    const product = exampleProduct({ price: '25.00', sale_price: '20.00', stock: 0, in_stock: false });
    expect(productData(product, PUBLIC_URL)).toMatchObject({
      '@context': 'https://schema.org',
      '@type': 'Product',
      name: 'Stoneware Mug',
      url: 'https://shop.example/products/stoneware-mug',
      image: ['https://shop.example/media/mug.teal.1.svg'],
      sku: 'HF-1',
      gtin: '4006381333931',
      brand: { '@type': 'Brand', name: 'Hearth & Field' },
      offers: {
        '@type': 'Offer',
        price: '20.00',
        priceCurrency: 'USD',
        availability: 'https://schema.org/OutOfStock',
        itemCondition: 'https://schema.org/NewCondition',
      },
    });
  });

  it('leaves out what is not known', () => {
    const data = productData(
      exampleProduct({
        brand: null,
        gtin: null,
        color: null,
        material: null,
        condition: null,
        category: null,
        description: '',
      }),
      PUBLIC_URL,
    );
    for (const absent of ['brand', 'gtin', 'mpn', 'color', 'material', 'category', 'description'])
      expect(data).not.toHaveProperty(absent);
    expect(JSON.stringify(data)).not.toContain('null');
  });

  it('is a group with every member where there are variants', () => {
    const product = exampleProduct({ group_id: 'G1', variants: [exampleVariant({ in_stock: false })] });
    expect(productData(product, PUBLIC_URL)).toMatchObject({
      '@type': 'ProductGroup',
      productGroupID: 'G1',
      variesBy: ['https://schema.org/color'],
      hasVariant: [
        { '@type': 'Product', color: 'Teal', offers: { price: '24.00' } },
        {
          '@type': 'Product',
          color: 'Rust',
          url: 'https://shop.example/products/stoneware-mug-rust',
          offers: { availability: 'https://schema.org/OutOfStock' },
        },
      ],
    });
  });

  it('shows the way down', () => {
    expect(
      breadcrumbData(
        [
          { name: 'Shop', path: '/' },
          { name: 'Mugs', path: '/categories/mugs' },
        ],
        PUBLIC_URL,
      ).itemListElement,
    ).toEqual([
      { '@type': 'ListItem', position: 1, name: 'Shop', item: 'https://shop.example/' },
      { '@type': 'ListItem', position: 2, name: 'Mugs', item: 'https://shop.example/categories/mugs' },
    ]);
  });
});
