import { describe, expect, it } from 'vitest';
import { detailRows, highlights, sections, shippingLines } from './details.ts';
import { productPage } from './product-page.ts';
import { exampleCategory, exampleProduct, exampleVariant } from './testing.ts';
import { indistinct, optionGroups } from './variants.ts';

const FRAME = { shopName: 'Vitrine', categories: [exampleCategory()] };
const PUBLIC_URL = 'https://shop.example';
const HOSTILE = `"><script>alert('x')</script>`;

const pageOf = (product: ReturnType<typeof exampleProduct>) =>
  productPage(FRAME, { product, way: [exampleCategory()], related: null, publicUrl: PUBLIC_URL });
const dataOf = (page: string) =>
  [...page.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map((match) => JSON.parse(match[1]!));

describe('a product page', () => {
  it('shows hostile words as words, wherever they stand', () => {
    const page = pageOf(
      exampleProduct({
        name: HOSTILE,
        brand: HOSTILE,
        color: HOSTILE,
        description: `${HOSTILE}\n- ${HOSTILE}`,
        sku: HOSTILE,
        slug: 'a"b<c',
        image_url: HOSTILE,
        images: [
          {
            id: null,
            url: HOSTILE,
            list_url: HOSTILE,
            full_url: HOSTILE,
            alt: HOSTILE,
            position: 0,
            width: 800,
            height: 1000,
          },
        ],
        attributes: {
          [HOSTILE]: HOSTILE,
          pattern: HOSTILE,
          product_highlight: [HOSTILE],
          product_detail: [{ attribute_name: HOSTILE, attribute_value: HOSTILE }],
          shipping: [{ service: HOSTILE }],
        },
        variants: [exampleVariant({ name: HOSTILE, slug: HOSTILE, options: { color: 'Rust', [HOSTILE]: HOSTILE } })],
      }),
    );
    expect(page).not.toContain('<script>');
    expect(page).not.toMatch(/<[^>]*="[^"]*"><script/);
    expect(page).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;');
    expect(dataOf(page)[0].name).toBe(HOSTILE);
  });

  it('names its one address, as the shop is called from outside', () => {
    const page = pageOf(exampleProduct({ slug: 'žlutá konev' }));
    expect(page).toContain('<link rel="canonical" href="https://shop.example/products/%C5%BElut%C3%A1%20konev">');
    expect(page).toContain('<meta property="og:url" content="https://shop.example/products/%C5%BElut%C3%A1%20konev">');
    expect(page).toContain('<meta property="og:image" content="https://shop.example/media/mug.teal.1.svg">');
  });

  it('holds neither script nor style of its own, nor anything from elsewhere', () => {
    const page = pageOf(
      exampleProduct({
        attributes: { link: 'https://elsewhere.example/x', image_link: 'https://elsewhere.example/x.jpg' },
      }),
    );
    expect(page).not.toMatch(/\sstyle=|<style|\son\w+=|javascript:/);
    expect(
      page
        .replaceAll(PUBLIC_URL, '')
        .match(/https?:\/\/[^"\s\\]+/g)
        ?.filter((url) => !url.startsWith('https://schema.org')) ?? [],
    ).toEqual([]);
  });
});

describe('variants', () => {
  const shirt = (changes: Parameters<typeof exampleProduct>[0]) =>
    exampleProduct({ group_id: 'G', slug: 'black-m', color: 'Black', size: 'M', ...changes });
  const variant = (color: string, size: string | null, inStock = true) =>
    exampleVariant({ slug: `${color}-${size}`.toLowerCase(), in_stock: inStock, options: { color, size } });

  it('are chosen by what they differ in, each choice keeping the others', () => {
    const groups = optionGroups(
      shirt({
        variants: [variant('White', 'S'), variant('White', 'M'), variant('Black', 'XL'), variant('Black', 'S', false)],
      }),
    );
    expect(
      groups.map(({ name, choices }) => [
        name,
        ...choices.map(
          (choice) => `${choice.value}→${choice.slug}${choice.current ? '*' : ''}${choice.inStock ? '' : '!'}`,
        ),
      ]),
    ).toEqual([
      ['Colour', 'Black→black-m*', 'White→white-m'],
      ['Size', 'S→black-s!', 'M→black-m*', 'XL→black-xl'],
    ]);
  });

  it('lead to one in stock where none has all the choices', () => {
    const groups = optionGroups(shirt({ variants: [variant('Red', 'XS', false), variant('Red', 'L')] }));
    expect(groups[0]!.choices.find((choice) => choice.value === 'Red')?.slug).toBe('red-l');
  });

  it('that differ in nothing are listed by name', () => {
    const product = shirt({ variants: [exampleVariant({ slug: 'twin', options: {} })] });
    expect(optionGroups(product)).toEqual([]);
    expect(indistinct(product).map(({ slug }) => slug)).toEqual(['twin']);
  });

  it('without a value give no empty choice', () => {
    const groups = optionGroups(shirt({ size: null, variants: [variant('Black', 'S')] }));
    expect(groups.find(({ option }) => option === 'size')?.choices.map((choice) => choice.value)).toEqual(['S']);
  });
});

describe('details', () => {
  it('are told in people’s words, and what is for programs is not', () => {
    const rows = detailRows(
      exampleProduct({
        gender: 'female',
        age_group: 'adult',
        attributes: {
          link: 'https://elsewhere.example',
          additional_image_link: ['https://elsewhere.example/2.jpg'],
          ios_url: 'x://y',
          custom_label_0: 'clearance',
          gender_orig_value: 'ž',
          google_product_category: '123',
          shipping_weight: '0.6 kg',
          certification: [{ certification_authority: 'EC', certification_name: 'EPREL' }],
          manual: 'https://elsewhere.example/manual.pdf',
          seasons: ['Spring', 'Autumn'],
        },
      }),
    );
    expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
      Brand: 'Hearth & Field',
      Colour: 'Teal',
      Material: 'Stoneware',
      For: 'Women',
      'Weight when shipped': '0.6 kg',
      Certification: 'Certification authority: EC; Certification name: EPREL',
      Seasons: 'Spring, Autumn',
      'Article number': 'HF-1',
      GTIN: '4006381333931',
    });
  });

  it('come in sections, points and ways of delivery', () => {
    const product = exampleProduct({
      attributes: {
        product_highlight: ['Fired twice', '  '],
        product_detail: [
          { section_name: 'Size', attribute_name: 'Height', attribute_value: '9 cm' },
          { attribute_name: 'Origin', attribute_value: 'Portugal' },
          { section_name: 'Size', attribute_name: 'Width', attribute_value: '8 cm' },
          'not what it should be',
        ],
        shipping: [
          { country: 'DE', service: 'Standard', price: '0.00 EUR' },
          { country: 'US', price: '4.95 USD' },
          { country: '??', price: 'ask' },
        ],
      },
    });
    expect(highlights(product)).toEqual(['Fired twice']);
    expect(sections(product).map(({ name, rows }) => [name, ...rows.map((row) => row.name)])).toEqual([
      ['Size', 'Height', 'Width'],
      ['', 'Origin'],
    ]);
    expect(shippingLines(product)).toEqual([
      { name: 'Standard to Germany', value: 'Free' },
      { name: 'Delivery to United States', value: '$4.95' },
      { name: 'Delivery to ??', value: 'ask' },
    ]);
  });
});
