import { describe, expect, it } from 'vitest';
import { detailRows, highlights, sections, shippingLines } from './details.ts';
import { errorPage } from './error-page.ts';
import { compareSizes, money, products, saving } from './format.ts';
import { pageNumbers } from './pagination.ts';
import { mergeSizes, onePerFamily, productGrid, stockOf } from './product-card.ts';
import { productPage } from './product-page.ts';
import { breadcrumbData, productData } from './structured-data.ts';
import { exampleCategory, exampleItem, exampleProduct, exampleVariant } from './testing.ts';
import { blocks, excerpt } from './text.ts';
import { indistinct, optionGroups } from './variants.ts';

const FRAME = { shopName: 'Vitrine', categories: [exampleCategory()] };
const PUBLIC_URL = 'https://shop.example';
const HOSTILE = `"><script>alert('x')</script>`;

const pageOf = (product: ReturnType<typeof exampleProduct>) =>
  productPage(FRAME, { product, way: [exampleCategory()], related: null, publicUrl: PUBLIC_URL });
const dataOf = (page: string) =>
  [...page.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map((match) => JSON.parse(match[1]!));

describe('amounts', () => {
  it('are written with their symbol and all their digits, exactly', () => {
    expect(money('1299.00', 'USD')).toBe('$1,299.00');
    expect(money('1500', 'JPY')).toBe('¥1,500');
    expect(money('1.250', 'KWD')).toMatch(/^KWD\s1\.250$/);
    // One that a float cannot hold.
    expect(money('9007199254740993.01', 'USD')).toBe('$9,007,199,254,740,993.01');
  });

  it('say what is saved', () => {
    expect(saving('19.99', '14.99', 'USD')).toEqual({ amount: '$5.00', percent: 25 });
    expect(saving('1500', '1000', 'JPY')).toEqual({ amount: '¥500', percent: 33 });
  });

  it('of products are told as exactly as they are known', () => {
    expect([products(1), products(1204), products(12_345, true), products(1_000_481, true)]).toEqual([
      '1 product',
      '1,204 products',
      'about 12,000 products',
      'about 1,000,000 products',
    ]);
  });
});

describe('a product in a list', () => {
  it.each([
    [{ stock: 3 }, 'few', 'Only 3 left'],
    [{ stock: 0, in_stock: false }, 'gone', 'Sold out'],
    [{ stock: null }, 'available', 'In stock'],
    [{ availability: 'preorder' as const, in_stock: false }, 'later', 'Preorder'],
    [{ availability: 'backorder' as const, in_stock: false, stock: 0 }, 'later', 'On backorder'],
  ])('with %j is told as %s', (changes, state, text) => {
    expect(stockOf(exampleItem(changes))).toEqual({ state, text });
  });

  it('shows the price that it had, and that it is reduced', () => {
    const card = productGrid([exampleItem({ price: '25.00', sale_price: '20.00' })]).text;
    expect(card).toMatch(/\$20\.00.*<s>.*was.*\$25\.00<\/s>/s);
    expect(card).toContain('>Sale<');
    expect(productGrid([exampleItem()]).text).not.toContain('>Sale<');
  });

  it('holds its picture’s place, and loads it when it comes into view', () => {
    const grid = productGrid([exampleItem(), exampleItem()], 1).text;
    const [first, second] = grid.match(/<img[^>]*>/g)!;
    expect(first).toMatch(/width="800" height="1000"/);
    expect(first).not.toContain('lazy');
    expect(second).toContain('loading="lazy"');
  });

  it('is one card with its sizes, and apart from what looks or costs otherwise', () => {
    const shirt = { group_id: 'G', name: 'Shirt', color: 'Black' };
    const items = [
      exampleItem({ ...shirt, size: 'XL', slug: 'xl' }),
      exampleItem({ ...shirt, size: 'S', slug: 's', in_stock: false, stock: 0 }),
      exampleItem({ ...shirt, size: 'M', slug: 'm', color: 'White' }),
      exampleItem({ ...shirt, size: 'L', slug: 'l', price: '99.00' }),
      exampleItem({ group_id: null, size: 'M', slug: 'other' }),
    ];
    expect(mergeSizes(items).map(({ item, sizes }) => [item.slug, ...sizes.map((size) => size.size)])).toEqual([
      ['xl', 'S', 'XL'],
      ['m', 'M'],
      ['l', 'L'],
      ['other', 'M'],
    ]);
    const grid = productGrid(items).text;
    for (const { slug } of items) expect(grid).toContain(`href="/products/${slug}"`);
  });

  it('says what its name leaves open, once', () => {
    const about = (changes: Parameters<typeof exampleItem>[0]) =>
      /<p class="about"><bdi>(.*?)<\/bdi>/.exec(productGrid([exampleItem({ brand: 'Kobo', ...changes })]).text)?.[1];
    expect(about({ group_id: 'G', name: 'Linen Shirt, Pale Blue', color: 'Pale blue', size: 'S' })).toBe('Kobo · S');
    expect(about({ group_id: 'G', name: 'Linen Shirt', color: 'Blue', size: null })).toBe('Kobo · Blue');
    expect(about({ group_id: null, name: 'Linen Shirt', color: 'Blue', size: 'S' })).toBe('Kobo');
    expect(about({ brand: null })).toBeUndefined();
  });

  it('stands for its family where a row is short', () => {
    const [a, b, c] = [exampleItem({ group_id: 'G' }), exampleItem({ group_id: 'G' }), exampleItem()];
    expect(onePerFamily([a, b, c])).toEqual([a, c]);
    expect(onePerFamily([a, b, c], new Set(['G']))).toEqual([c]);
  });
});

describe('sizes', () => {
  it('stand as on a rack', () => {
    expect(['XL', '42', 'One size', 'S', '38.5', 'M', '38', 'XS', '10'].sort(compareSizes)).toEqual([
      'XS',
      'S',
      'M',
      'XL',
      '10',
      '38',
      '38.5',
      '42',
      'One size',
    ]);
  });
});

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
        images: [{ id: null, url: HOSTILE, alt: HOSTILE, position: 0, width: 800, height: 1000 }],
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

describe('texts', () => {
  it('become paragraphs and lists', () => {
    expect(blocks('One\ntwo\n\nThree\n- a\n• b\nFour')).toEqual([
      { text: 'One\ntwo' },
      { text: 'Three' },
      { list: ['a', 'b'] },
      { text: 'Four' },
    ]);
  });

  it('are cut between words, never through a character', () => {
    expect(excerpt('A mug for\nevery day', 40)).toBe('A mug for every day');
    expect(excerpt('A mug for every day', 12)).toBe('A mug for…');
    expect(excerpt('😀'.repeat(50), 12).isWellFormed()).toBe(true);
  });
});

describe('page numbers', () => {
  it.each([
    [1, 1, [1]],
    [1, 4, [1, 2, 3, 4]],
    [1, 20, [1, 2, 3, null, 20]],
    [10, 20, [1, null, 8, 9, 10, 11, 12, null, 20]],
    [5, 20, [1, 2, 3, 4, 5, 6, 7, null, 20]],
    [20, 20, [1, null, 18, 19, 20]],
  ])('at page %i of %i', (current, last, numbers) => {
    expect(pageNumbers(current, last)).toEqual(numbers);
  });
});

describe('an error', () => {
  const problem = {
    type: '/docs/errors#x',
    title: 'T',
    status: 404,
    detail: HOSTILE,
    code: 'not_found',
    request_id: 'r-12345678',
  };

  it('says what happened and what to do, and offers the search', () => {
    const page = errorPage('Vitrine')(problem);
    expect(page).toContain('There is nothing at this address');
    expect(page).toContain('<form class="search" action="/products">');
    expect(page).toContain('noindex');
  });

  it('of ours gives a reference, and nothing of the fault itself', () => {
    const page = errorPage('Vitrine')({ ...problem, status: 500, code: 'internal_error' });
    expect(page).toContain('r-12345678');
    expect(page).not.toContain('alert');
  });

  it('shows a refusal’s reason as text', () => {
    const page = errorPage('Vitrine')({ ...problem, status: 400, code: 'bad_request' });
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain('<script>alert');
  });
});
