import { describe, expect, test } from 'vitest';
import { item, readAll, readOne, rss } from './testing.ts';

/** One item given as a whole. */
async function readItem(xml: string, currency = 'USD') {
  const { items, issues, error, summary } = await readAll(rss(xml), { currency });
  if (error) throw error;
  return { item: items[0] ?? null, issues, summary };
}

describe('rows are rejected with one reason', () => {
  test.each([
    ['no id', '<item><g:title>x</g:title><g:price>1 USD</g:price></item>', 'id', 'id_missing'],
    ['an empty id', '<item><g:id> </g:id><g:title>x</g:title><g:price>1 USD</g:price></item>', 'id', 'id_missing'],
    ['no title', '<item><g:id>a</g:id><g:price>1 USD</g:price></item>', 'title', 'title_missing'],
    ['no price', '<item><g:id>a</g:id><g:title>x</g:title></item>', 'price', 'price_missing'],
    [
      'a sale price alone',
      '<item><g:id>a</g:id><g:title>x</g:title><g:sale_price>1 USD</g:sale_price></item>',
      'price',
      'price_missing',
    ],
    ['nothing', '<item/>', 'id', 'id_missing'],
    ['another currency', item('<g:price>1.00 EUR</g:price>'), 'price', 'price_currency_mismatch'],
    ['an ambiguous price', item('<g:price>1.234</g:price>'), 'price', 'price_ambiguous'],
    ['a price of zero', item('<g:price>0.00 USD</g:price>'), 'price', 'price_not_usable'],
    ['a word for a price', item('<g:price>ask us</g:price>'), 'price', 'price_invalid'],
    ['a price in child elements', item('<g:price><g:value>5</g:value></g:price>'), 'price', 'price_missing'],
    ['half a piece', item('<g:quantity>1.5</g:quantity>'), 'quantity', 'quantity_invalid'],
    ['fewer than none', item('<g:quantity>-1</g:quantity>'), 'quantity', 'quantity_invalid'],
    ['more than can be counted', item('<g:quantity>1000000001</g:quantity>'), 'quantity', 'quantity_invalid'],
    [
      'a long id',
      `<item><g:id>${'a'.repeat(101)}</g:id><g:title>x</g:title><g:price>1 USD</g:price></item>`,
      'id',
      'value_too_long',
    ],
    [
      'a long title',
      `<item><g:id>a</g:id><g:title>${'x'.repeat(501)}</g:title><g:price>1 USD</g:price></item>`,
      'title',
      'value_too_long',
    ],
    ['too many elements', item('<g:x>1</g:x>'.repeat(2_001)), null, 'item_too_large'],
    ['too much text', item(`<g:x>${'y'.repeat(250_000)}</g:x>`.repeat(5)), null, 'item_too_large'],
  ])('%s', async (_name, xml, field, code) => {
    const good = '<item><g:id>good</g:id><g:title>Good</g:title><g:price>1 USD</g:price></item>';
    const { items, issues, summary } = await readAll(rss(xml + good));
    expect(issues.filter(({ rejected }) => rejected)).toMatchObject([{ line: 3, field, code }]);
    expect(items.map(({ sku }) => sku)).toEqual(['good']);
    expect(summary).toEqual({ read: 2, accepted: 1, rejected: 1 });
  });

  test('just within the bounds they pass', async () => {
    const name = 'x'.repeat(500);
    const { item: product } = await readItem(
      `<item><g:id>${'a'.repeat(100)}</g:id><g:title>${name}</g:title><g:price>1</g:price><g:quantity>1000000000</g:quantity></item>`,
    );
    expect(product).toMatchObject({ name, quantity: 1_000_000_000 });
  });
});

describe('fields', () => {
  test('all known ones go into columns, the others into attributes', async () => {
    const { item: product, codes } = await readOne(`
      <g:description>Text</g:description><g:price>10.00 USD</g:price><g:sale_price>8.00 USD</g:sale_price>
      <g:availability>preorder</g:availability><g:quantity>3</g:quantity><g:condition>used</g:condition>
      <g:brand>L&amp;#039;Atelier</g:brand><g:gender>female</g:gender><g:color>red</g:color><g:size>M</g:size>
      <g:age_group>adult</g:age_group><g:material>wool</g:material><g:gtin>4006381333931</g:gtin><g:mpn>M-1</g:mpn>
      <g:item_group_id>G-1</g:item_group_id><g:product_type>Home &gt; Lamps</g:product_type>
      <g:link>https://x.example/1</g:link><g:unit_pricing_measure>1 kg</g:unit_pricing_measure><x>plain</x>`);
    expect(codes).toEqual([]);
    expect(product).toEqual({
      line: 3,
      sku: 'a1',
      name: 'Thing',
      description: 'Text',
      price: 1000,
      salePrice: 800,
      quantity: 3,
      availability: 'preorder',
      categoryPath: ['Home', 'Lamps'],
      brand: "L'Atelier",
      gender: 'female',
      condition: 'used',
      color: 'red',
      size: 'M',
      ageGroup: 'adult',
      material: 'wool',
      gtin: '4006381333931',
      mpn: 'M-1',
      groupId: 'G-1',
      attributes: {
        link: 'https://x.example/1',
        unit_pricing_measure: '1 kg',
        x: 'plain',
      },
    });
  });

  test('plain elements do as well, and g: wins over them wherever it stands', async () => {
    const plain = '<item><id>p</id><title>Plain</title><price>5</price><brand>A</brand><x>1</x></item>';
    expect((await readItem(plain)).item).toMatchObject({ sku: 'p', name: 'Plain', price: 500, attributes: { x: '1' } });
    const { item: both, issues } = await readItem(
      '<item><id>p</id><g:id>g</g:id><g:title>G</g:title><title>P</title><g:price>1</g:price><price>2</price><g:brand/><brand>B</brand></item>',
    );
    expect(both).toMatchObject({ sku: 'g', name: 'G', price: 100, brand: 'B', attributes: {} });
    expect(issues).toEqual([]);
  });

  test('any prefix of Google’s namespace is g:, others are not product data', async () => {
    const feed = rss(
      '<item><x:id>1</x:id><c:fabric type="string">jersey</c:fabric><x:title>T</x:title><x:price>1</x:price><m:title>no</m:title><m:y><m:id>no</m:id></m:y></item>',
      'xmlns:x="https://base.google.com/ns/1.0/" xmlns:c="http://base.google.com/cns/1.0" xmlns:m="http://search.yahoo.com/mrss/"',
    );
    const { items, issues } = await readAll(feed);
    expect(items).toMatchObject([{ sku: '1', name: 'T', attributes: { fabric: 'jersey' } }]);
    expect(issues).toEqual([]);
  });

  test('repeated and nested attributes keep their shape', async () => {
    const { item: product } = await readOne(`
      <g:additional_image_link> https://x.example/1.jpg </g:additional_image_link>
      <g:shipping><g:country>US</g:country><g:price>4 USD</g:price></g:shipping>
      <g:product_highlight>One</g:product_highlight>
      <g:installment><g:months>6</g:months><g:amount>5 USD</g:amount></g:installment>
      <g:custom>1</g:custom><g:custom>2</g:custom>
      <g:deep><g:a><g:b>x</g:b><g:b>y</g:b></g:a></g:deep>
      <applink property="ios_url" content="app://1"/>
      <g:empty></g:empty><g:hollow><g:x> </g:x></g:hollow><enclosure url=""/>
      <g:two_lines> a
        b </g:two_lines>`);
    expect(product?.attributes).toEqual({
      additional_image_link: ['https://x.example/1.jpg'],
      shipping: [{ country: 'US', price: '4 USD' }],
      product_highlight: ['One'],
      installment: [{ months: '6', amount: '5 USD' }],
      custom: ['1', '2'],
      deep: { a: { b: ['x', 'y'] } },
      applink: [{ property: 'ios_url', content: 'app://1' }],
      two_lines: 'a b',
    });
  });

  test('names of JavaScript’s own are names like any other, but for __proto__', async () => {
    const { item: product } = await readOne(
      '<constructor>a</constructor><toString><valueOf>b</valueOf><__proto__>x</__proto__></toString><__proto__><polluted>1</polluted></__proto__>',
    );
    expect(Object.entries(product!.attributes)).toEqual([
      ['constructor', 'a'],
      ['toString', { valueOf: 'b' }],
    ]);
    expect('polluted' in product!.attributes).toBe(false);
  });

  test('further image_links are additional ones', async () => {
    const { item: product } = await readOne(
      '<g:image_link>1</g:image_link><g:additional_image_link>3</g:additional_image_link><g:image_link>2</g:image_link>',
    );
    expect(product?.attributes).toEqual({ image_link: '1', additional_image_link: ['2', '3'] });
  });

  test('HTML that stands unescaped in a description is text all the same', async () => {
    const { item: product } = await readOne(
      '<description><p>One &amp; <b>two</b></p><p>three<br/>four</p></description><g:color>red<i>dish</i></g:color>',
    );
    expect(product?.description).toBe('One & two\n\nthree\nfour');
  });

  test('several colours are joined, of other columns the first value counts', async () => {
    const { item: product, issues } = await readOne(
      '<g:color>red</g:color><g:color>green</g:color><g:color>red</g:color><g:brand>A</g:brand><g:brand>B</g:brand><g:mpn>1</g:mpn><g:mpn>1</g:mpn>',
    );
    expect(product).toMatchObject({ color: 'red/green', brand: 'A', mpn: '1' });
    expect(issues).toMatchObject([{ field: 'brand', code: 'value_repeated', rejected: false, sku: 'a1' }]);
  });

  test('long texts: a description is cut, never within a character; other columns become attributes', async () => {
    const { item: product, codes } = await readOne(
      `<g:description>${'x'.repeat(49_999)}😀😀</g:description><g:brand>${'b'.repeat(201)}</g:brand><g:color>${'c'.repeat(200)}</g:color>`,
    );
    expect(product?.description).toBe('x'.repeat(49_999));
    expect(product).toMatchObject({ brand: null, attributes: { brand: 'b'.repeat(201) }, color: 'c'.repeat(200) });
    expect(codes).toEqual(['description_cut', 'value_too_long']);
  });

  test.each([
    ['<g:availability>in stock</g:availability><g:quantity>0</g:quantity>', 'in_stock'],
    ['<g:quantity>0</g:quantity>', 'out_of_stock'],
    ['<g:quantity>4</g:quantity>', 'in_stock'],
    ['<g:sell_on_google_quantity>0</g:sell_on_google_quantity>', 'out_of_stock'],
    ['<g:inventory>0</g:inventory>', 'out_of_stock'],
    ['', 'in_stock'],
  ])('availability of %j', async (fields, availability) => {
    expect((await readOne(fields)).item?.availability).toBe(availability);
  });

  test('unknown words are told; where possible they stay attributes', async () => {
    const { item: product, issues } = await readOne(
      '<g:availability>soon?</g:availability><g:condition>mint</g:condition><g:gender>Cats</g:gender><g:age_group>teen</g:age_group><g:gtin>4006381333932</g:gtin>',
    );
    expect(product).toMatchObject({
      availability: 'out_of_stock',
      condition: null,
      gender: null,
      ageGroup: null,
      gtin: null,
    });
    expect(product?.attributes).toEqual({
      condition: 'mint',
      gender: 'Cats',
      age_group: 'teen',
      gtin: '4006381333932',
    });
    const codes = ['availability_unknown', 'condition_unknown', 'gender_unknown', 'age_group_unknown', 'gtin_invalid'];
    expect(issues.map(({ code, rejected }) => [code, rejected])).toEqual(codes.map((code) => [code, false]));
  });

  test('EAN, UPC and ISBN are GTINs', async () => {
    expect((await readOne('<ean>4006381333931</ean>')).item).toMatchObject({ gtin: '4006381333931', attributes: {} });
    expect((await readOne('<g:upc>036000291452</g:upc>')).item?.gtin).toBe('036000291452');
    expect((await readOne('<g:isbn>978-3-16-148410-0</g:isbn>')).item?.gtin).toBe('9783161484100');
    const nested = await readOne('<g:gtin><g:a>1</g:a></g:gtin><ean>4006381333931</ean>');
    expect(nested.item).toMatchObject({ gtin: '4006381333931' });
    expect(nested.item?.attributes).toEqual({});
  });

  test.each([
    ['<g:product_type>A &gt; B&gt;C</g:product_type>', ['A', 'B', 'C']],
    ['<g:product_type>A &amp;gt; B &amp;amp; C</g:product_type>', ['A', 'B & C']],
    ['<g:product_type>First</g:product_type><g:product_type>Second</g:product_type>', ['First']],
    ['<g:product_type> &gt; </g:product_type>', []],
    ['<g:google_product_category>A &gt; B</g:google_product_category>', ['A', 'B']],
    ['<g:google_product_category>A</g:google_product_category><g:product_type>Own</g:product_type>', ['Own']],
    ['<g:google_product_category>2271</g:google_product_category>', []],
    ['<g:google_product_category>2271 - A &gt; B</g:google_product_category>', ['A', 'B']],
  ])('category of %s', async (fields, path) => {
    const { item: product, codes } = await readOne(fields);
    expect(product?.categoryPath).toEqual(path);
    expect(codes).toEqual([]);
  });

  test('a category path too deep or too long is cut and told', async () => {
    const { item: deep, codes } = await readOne(`<g:product_type>${'a &gt; '.repeat(11)}</g:product_type>`);
    expect(deep?.categoryPath).toEqual(Array(10).fill('a'));
    expect(codes).toEqual(['category_cut']);
    const { item: long } = await readOne(`<g:product_type>${'n'.repeat(101)}</g:product_type>`);
    expect(long?.categoryPath).toEqual(['n'.repeat(100)]);
  });
});

describe('prices', () => {
  const price = (text: string) => `<g:price>${text}</g:price>`;
  const sale = (text: string) => `<g:sale_price>${text}</g:sale_price>`;
  const old = (text: string) => `<g:oldprice>${text}</g:oldprice>`;
  const final = (text: string) => `<g:finalprice>${text}</g:finalprice>`;
  const dates = (text: string) => `<g:sale_price_effective_date>${text}</g:sale_price_effective_date>`;

  test.each([
    // fields, price, sale price, codes
    [price('10') + sale('8'), 1000, 800, []],
    [price('10') + sale('10'), 1000, null, ['sale_price_not_lower']],
    [price('10') + sale('12'), 1000, null, ['sale_price_not_lower']],
    [price('10') + sale('cheap'), 1000, null, ['price_invalid']],
    [price('10') + sale('1.234'), 1000, null, ['price_ambiguous']],
    [price('10') + sale('8 EUR'), 1000, null, ['price_currency_mismatch']],
    [price('10') + sale('0'), 1000, null, ['price_not_usable']],
    // twice: the higher is the list price
    [price('2499') + sale('2499') + price('3999'), 399_900, 249_900, ['price_repeated']],
    [price('3999') + price('2499'), 399_900, null, ['price_repeated']],
    [price('10') + price('10'), 1000, null, []],
    [price('10 EUR') + price('12 USD'), 1200, null, ['price_repeated']],
    [price('1.234') + price('free'), null, null, ['price_ambiguous']],
    // before and after
    [old('12') + final('9'), 1200, 900, []],
    [old('12'), 1200, null, []],
    [final('9'), 900, null, []],
    [price('9') + old('12'), 1200, 900, []],
    [price('12') + final('9'), 1200, 900, []],
    [price('9') + old('12') + final('9'), 1200, 900, []],
    [price('12') + old('12') + final('9'), 1200, 900, []],
    [price('9') + sale('9') + old('12'), 1200, 900, []],
    [price('12') + sale('9') + old('12') + final('9'), 1200, 900, []],
    [price('9') + old('0.00'), 900, null, []],
    [price('9') + old('9'), 900, null, []],
    [price('9') + old('7') + final('9'), 900, null, ['old_price_not_higher']],
    [price('9') + old('n/a'), 900, null, []],
    [price('9') + old('about 12'), 900, null, ['price_invalid']],
    [price('10') + old('12') + final('9'), 1000, null, []],
  ])('%s', async (fields, amount, salePrice, codes) => {
    const result = await readOne(fields);
    expect(result.codes).toEqual(codes);
    if (amount === null) expect(result.item).toBeNull();
    else expect(result.item).toMatchObject({ price: amount, salePrice });
  });

  test('an old price beside a third price stays an attribute', async () => {
    const { item: product } = await readOne(price('10') + old('12') + final('9'));
    expect(product?.attributes).toEqual({ oldprice: '12', finalprice: '9' });
    expect((await readOne(old('12') + final('9'))).item?.attributes).toEqual({});
  });

  test.each([
    ['running', '2026-05-01T00:00Z/2026-06-30T00:00Z', 800, []],
    ['over', '2026-04-01T00:00Z/2026-05-01T00:00Z', null, []],
    ['to come', '2026-07-01T00:00Z/2026-08-01T00:00Z', null, []],
    ['ending today', '2026-05-01/2026-06-01', 800, []],
    ['ending before noon in another zone', '2026-05-01T00:00+0000/2026-06-01T13:59+0200', null, []],
    ['badly written', 'until Sunday', null, ['sale_price_date_invalid']],
  ])('a sale that is %s at noon of 1 June', async (_name, interval, salePrice, codes) => {
    const result = await readOne(price('10') + sale('8') + dates(interval), { now: '2026-06-01T12:00:00Z' });
    expect(result.item).toMatchObject({ price: 1000, salePrice, attributes: { sale_price_effective_date: interval } });
    expect(result.codes).toEqual(codes);
  });

  test('three decimals and none', async () => {
    expect((await readOne(price('19.900 KWD'), { currency: 'KWD' })).item?.price).toBe(19_900);
    expect((await readOne(price('1,234 JPY'), { currency: 'JPY' })).item?.price).toBe(1234);
  });
});
