import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney } from '../../../kernel/money.ts';
import type { Json, StagedItem } from '../../catalogue/index.ts';
import { BLOCK_BYTES } from './blocks.ts';
import { generateFeed } from './generate.ts';
import { FeedError, readFeed } from './read-feed.ts';
import { chunksOf, item, readAll, rss } from './testing.ts';

/** For what takes seconds on a busy machine. */
const SLOW = { timeout: 60_000 };
const fixture = (name: string) => readFileSync(new URL(`../../../../tests/fixtures/feeds/${name}`, import.meta.url));
const shop = { currency: 'USD', now: new Date('2026-06-01T12:00:00Z') };
const noSink = { item() {}, issue() {}, drained() {} };

describe('fixtures', () => {
  test('a feed with the peculiarities of real ones', async () => {
    const { items, issues, summary } = await readAll(fixture('rss-peculiar.xml'), { currency: 'EUR' });
    expect(summary).toEqual({ read: 7, accepted: 4, rejected: 3 });
    expect(issues.map(({ line, sku, code, rejected }) => [line, sku, code, rejected])).toEqual([
      [49, 'sari-3', 'price_repeated', false],
      [80, 'sans-prix', 'price_missing', true],
      [84, 'import-6', 'price_currency_mismatch', true],
      [89, null, 'id_missing', true],
    ]);
    expect(items).toMatchObject([
      {
        line: 8,
        sku: 'anneau-1',
        name: "Anneau « Marée » – l'original",
        description: "Anneau ajustable, résiste à l'eau. \nSans nickel, garanti deux ans.\nCouleur : doré",
        price: 1400,
        quantity: 7,
        gender: 'female',
        attributes: {
          link: 'https://atelier-brumeux.example/p/anneau-1?a=1&amp;lt=2'.replace('&amp;', '&'),
          additional_image_link: ['https://img.atelier-brumeux.example/anneau-1-b.jpg'],
          gender_orig_value: 'Femme, 18-35',
          shipping_weight: '0.1 kg',
        },
      },
      {
        sku: '2',
        name: 'SIROP DE THYM',
        description: 'Sirop artisanal.\n\n• sans sucre\n• 250\u00a0ml',
        price: 5800,
        salePrice: 5000,
        availability: 'in_stock',
        categoryPath: ['Health & Beauty', 'Health Care', 'Fitness & Nutrition'],
        gtin: '4006381333931',
        groupId: 'Sirops & tisanes',
        attributes: {
          custom_label_4: 'marge_82',
          shipping: [{ country: 'FR', service: 'Standard', price: '0.00 EUR' }],
        },
      },
      {
        sku: 'sari-3',
        name: 'Étole en soie — rouge & or',
        price: 399_900,
        salePrice: 249_900,
        categoryPath: ['Textiles', 'Étoles'],
        attributes: { product_type: ['Cadeaux'] },
      },
      {
        sku: 'pull-4',
        price: 8000,
        salePrice: 5990,
        availability: 'preorder',
        attributes: {
          applink: [
            { property: 'ios_url', content: 'brumeux://p/pull-4' },
            { property: 'android_package', content: 'example.brumeux' },
          ],
          loyalty_points: { name: 'Embruns', points_value: '60' },
          product_detail: [{ section_name: 'Général', attribute_name: 'Lavage', attribute_value: '30 °C' }],
        },
      },
    ]);
  });

  test('Atom, plain and as gzip of one and of two members', async () => {
    const atom = fixture('atom.xml');
    const plain = await readAll(atom, { now: '2026-03-15T00:00:00Z' });
    expect(plain.items).toMatchObject([
      {
        sku: 'stool',
        name: 'Oak Stool',
        description: 'A three-legged stool.',
        price: 12_050,
        salePrice: 9_900,
        categoryPath: [],
        attributes: { link: 'https://north-quay.example/stool', google_product_category: '443' },
      },
      {
        sku: 'apron',
        name: 'Linen Apron',
        description: 'Washed linen.\n\nTwo deep pockets.',
        availability: 'backorder',
        attributes: { link: 'https://north-quay.example/apron' },
      },
    ]);
    const members = Buffer.concat([gzipSync(atom.subarray(0, 700)), gzipSync(atom.subarray(700))]);
    for (const packed of [gzipSync(atom), members]) {
      for (const chunkSize of [1, 13, 100_000]) {
        expect(await readAll(packed, { now: '2026-03-15T00:00:00Z', chunkSize })).toEqual(plain);
      }
    }
  });

  test('Arabic text, CRLF, dinars', async () => {
    const { items, issues } = await readAll(fixture('rss-arabic-crlf.xml'), { currency: 'KWD' });
    expect(issues).toEqual([]);
    expect(items).toMatchObject([
      { line: 9, sku: 'DK-0001', name: 'مصباح مكتب بإضاءة دافئة', price: 19_900, condition: 'new' },
      { line: 27, sku: 'DK-0002', price: 3_250, gender: 'unisex' },
    ]);
  });

  test('a bare & is refused where it stands', async () => {
    const { error, items } = await readAll(fixture('rss-bare-ampersand.xml'), { currency: 'INR' });
    expect(error).toMatchObject({ code: 'not_well_formed', line: 6, column: 35 });
    expect(error?.message).toContain('&amp;');
    expect(items).toEqual([]);
  });
});

describe('files that are no feed', () => {
  test.each([
    ['nothing', '', 'empty_file'],
    ['white space', ' \n\n', 'empty_file'],
    ['a byte order mark only', '\ufeff', 'empty_file'],
    ['JSON', '{"products": []}', 'not_xml'],
    ['a web page', '<!DOCTYPE html>\n<html><body>Not found</body></html>', 'not_xml'],
    ['a web page in XML', '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', 'not_xml'],
    ['another XML', '<?xml version="1.0"?><products><product/></products>', 'not_a_feed'],
    [
      'a bomb of entities',
      '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>',
      'dtd_not_allowed',
    ],
    ['a foreign file', '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', 'dtd_not_allowed'],
    ['half a feed', rss(item('')).slice(0, 150), 'not_well_formed'],
  ])('%s', async (_name, file, code) => {
    for (const bytes of [Buffer.from(file), gzipSync(file)]) {
      const { error } = await readAll(bytes);
      expect(error).toMatchObject({ code });
      expect(error?.line).toBeGreaterThan(0);
      expect(error?.column).toBeGreaterThan(0);
    }
  });

  test('gzip that is cut off or damaged', async () => {
    const packed = gzipSync(rss(item('')));
    expect((await readAll(packed.subarray(0, packed.length - 10))).error?.message).toContain('cut off');
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 30, 60);
    expect((await readAll(damaged)).error?.code).toBe('gzip_corrupt');
    expect((await readAll(packed.subarray(0, 2))).error?.code).toBe('gzip_corrupt');
    expect((await readAll(gzipSync(packed))).error?.code).toBe('not_xml');
  });

  test('a feed without items is one', async () => {
    expect((await readAll(rss(''))).summary).toEqual({ read: 0, accepted: 0, rejected: 0 });
    expect((await readAll('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>')).error).toBeNull();
  });
});

describe('whatever the input', () => {
  const seeds = ['rss-peculiar.xml', 'atom.xml', 'rss-arabic-crlf.xml', 'rss-bare-ampersand.xml'].map(fixture);
  const cut = fc.record({
    file: fc.constantFrom(...seeds, ...seeds.map((seed) => gzipSync(seed))),
    from: fc.nat(4_000),
    to: fc.nat(4_000),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom('<', '&', ']]>', '<!--', '<![CDATA[', '</item>', '\u0000', '&#1;', '<!DOCTYPE')
        .map((text) => new Uint8Array(Buffer.from(text))),
    ),
  });

  test('random bytes give an error or a summary', SLOW, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { error, summary } = await readAll(bytes);
        expect((error === null) !== (summary === null)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test(
    'so do feeds with something cut out and something put in, and the cuts between chunks never matter',
    SLOW,
    async () => {
      await fc.assert(
        fc.asyncProperty(cut, fc.integer({ min: 1, max: 500 }), async ({ file, from, to, insert }, chunkSize) => {
          const bytes = Buffer.concat([file.subarray(0, from), insert, file.subarray(Math.min(from + 20, to))]);
          const whole = await readAll(bytes);
          const { items, issues } = whole;
          expect((whole.error === null) !== (whole.summary === null)).toBe(true);
          const pieces = await readAll(bytes, { chunkSize });
          expect(pieces.error).toEqual(whole.error);
          // Of packed files that turn out to be damaged, more or less may have been read by then.
          if (whole.error?.code !== 'gzip_corrupt')
            expect(pieces).toMatchObject({ items, issues, summary: whole.summary });
        }),
        { numRuns: 300 },
      );
    },
  );

  test('a feed cut in two at any byte is the same feed', SLOW, async () => {
    for (const [name, currency] of [
      ['rss-arabic-crlf.xml', 'KWD'],
      ['rss-bare-ampersand.xml', 'INR'],
    ] as const) {
      const bytes = fixture(name);
      const whole = await readAll(bytes, { currency });
      for (let at = 1; at < bytes.length; at += at < 200 ? 1 : 3) {
        const halves = async function* () {
          yield bytes.subarray(0, at);
          yield bytes.subarray(at);
        };
        const items: StagedItem[] = [];
        const reading = readFeed(halves(), { ...shop, currency }, { ...noSink, item: (one) => void items.push(one) });
        const error = await reading.then(
          () => null,
          (caught: FeedError) => caught,
        );
        expect([items, error]).toEqual([whole.items, whole.error]);
      }
    }
  });

  test('of a feed of many blocks, too', SLOW, async () => {
    const bytes = Buffer.from(
      [...generateFeed(300, { seed: 5, currency: 'USD' })].join('').replaceAll('Standard', '😀 &amp; €\r\n'),
    );
    expect(bytes.length).toBeGreaterThan(5 * BLOCK_BYTES);
    const whole = await readAll(bytes);
    expect(whole.summary).toEqual({ read: 300, accepted: 300, rejected: 0 });
    for (const chunkSize of [1_009, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1]) {
      expect(await readAll(bytes, { chunkSize })).toEqual(whole);
    }
    expect(await readAll(gzipSync(bytes), { chunkSize: 777 })).toEqual(whole);
  });
});

describe('an export imports again without a difference', () => {
  const escaped = (text: string) =>
    text.replace(/[&<>"\r]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? '&#13;');
  const element = (name: string, value: Json): string => {
    if (Array.isArray(value)) return value.map((one) => element(name, one)).join('');
    const content =
      value !== null && typeof value === 'object'
        ? Object.entries(value)
            .map(([child, one]) => element(child, one))
            .join('')
        : escaped(String(value));
    return `<g:${name}>${content}</g:${name}>`;
  };
  /** As this shop exports: columns under Google's names, attributes back under theirs. */
  const exported = (product: StagedItem) => {
    const money = (minor: number | null) => (minor === null ? null : `${formatMoney(minor, 'USD')} USD`);
    const columns = {
      id: product.sku,
      title: product.name,
      description: product.description,
      price: money(product.price),
      sale_price: money(product.salePrice),
      quantity: product.quantity,
      availability: product.availability,
      brand: product.brand,
      gender: product.gender,
      condition: product.condition,
      color: product.color,
      size: product.size,
      age_group: product.ageGroup,
      material: product.material,
      gtin: product.gtin,
      mpn: product.mpn,
      item_group_id: product.groupId,
      ...product.attributes,
      product_type: [
        ...(product.categoryPath.length > 0 ? [product.categoryPath.join(' > ')] : []),
        ...[product.attributes.product_type ?? []].flat(),
      ],
    };
    const fields = Object.entries(columns).filter(([, value]) => value !== null);
    return `<item>${fields.map(([name, value]) => element(name, value)).join('')}</item>`;
  };
  const again = async (products: StagedItem[]) => (await readAll(rss(products.map(exported).join('\n')))).items;
  const withoutLine = (products: StagedItem[]) => products.map((product) => ({ ...product, line: 0 }));

  test('a generated feed', async () => {
    const first = (await readAll([...generateFeed(200, { seed: 3, currency: 'USD' })].join(''))).items;
    expect(first).toHaveLength(200);
    expect(withoutLine(await again(first))).toEqual(withoutLine(first));
  });

  test('anything that was imported', SLOW, async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom(
        'A &amp; B',
        '<b>bold</b>',
        '&lt;br&gt;',
        'L&#039;eau',
        ' two  words\n',
        'Men',
        'mint',
        '4006381333932',
        '10.00 USD',
        '8.00',
        '1.234',
        '3',
        'a > b > c',
      ),
    );
    const name = fc.constantFrom(
      ...[
        'title',
        'description',
        'summary',
        'content',
        'sale_price',
        'oldprice',
        'finalprice',
        'quantity',
        'availability',
      ],
      ...['condition', 'gender', 'age_group', 'brand', 'color', 'size', 'gtin', 'ean', 'mpn', 'item_group_id'],
      ...[
        'product_type',
        'google_product_category',
        'image_link',
        'additional_image_link',
        'link',
        'shipping',
        'custom',
      ],
    );
    const value: fc.Arbitrary<string> = fc.oneof(
      { weight: 5, arbitrary: text.map((one) => escaped(one).replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '')) },
      {
        weight: 1,
        arbitrary: text.map((one) => `<g:a>1</g:a><g:b>${escaped(one).replace(/\p{Cc}|[\ufffe\uffff]/gu, '')}</g:b>`),
      },
    );
    const fields = fc.array(fc.tuple(name, value), { maxLength: 12 });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fields, async (list) => {
        const source = list.map(([tag, content]) => `<g:${tag}>${content}</g:${tag}>`).join('');
        const { items, error } = await readAll(
          rss(`<item><g:id>a1</g:id><g:title>Thing</g:title><g:price>10</g:price>${source}</item>`),
        );
        expect(error).toBeNull();
        accepted += items.length;
        expect(withoutLine(await again(items))).toEqual(withoutLine(items));
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

describe('streaming', () => {
  /** `head`, then `piece` over and over up to 2 GiB, counting what was taken. */
  const endless = (head: string, piece: string) => {
    const source = { taken: 0, closed: false, chunks };
    const bytes = Buffer.from(piece.repeat(Math.ceil(BLOCK_BYTES / piece.length)));
    async function* chunks() {
      try {
        yield Buffer.from(head);
        for (; source.taken < 2 ** 31; source.taken += bytes.length) yield bytes;
      } finally {
        source.closed = true;
      }
    }
    return source;
  };

  test.each([
    ['a text node', '<rss><channel><item><g:title>', 'endless text '],
    ['a text node outside of items', '<rss><channel><title>', 'endless text '],
    ['a CDATA section', '<rss><channel><item><description><![CDATA[', 'endless text '],
    ['a text node broken by comments', '<rss><channel><item><g:title>', 'endless text <!-- --> '],
    ['a comment', '<rss><!-- ', 'endless text '],
    ['an attribute', '<rss version="', 'endless text '],
    ['a DOCTYPE', '<!DOCTYPE rss [', '<!ENTITY a "b">'],
    ['an entity', '<rss>&', 'abc'],
    ['text behind a bare &', '<rss><channel><title>a & b ', 'endless text '],
    ['nesting', '<rss>', '<a>'],
    ['no XML', '', 'endless text '],
  ])('%s of 2 GiB is refused within a megabyte, and the source is closed', async (_name, head, piece) => {
    const source = endless(head, piece);
    await expect(readFeed(source.chunks(), shop, noSink)).rejects.toBeInstanceOf(FeedError);
    expect(source.taken).toBeLessThan(2 ** 20);
    expect(source.closed).toBe(true);
  });

  test('so is a small gzip file that unpacks to it', async () => {
    const packed = gzipSync(Buffer.concat([Buffer.from('<rss><channel><title>'), Buffer.alloc(64 * 2 ** 20, 'x')]));
    expect(packed.length).toBeLessThan(100_000);
    expect((await readAll(packed, { chunkSize: 1_000 })).error?.code).toBe('text_too_long');
  });

  test('a heap of 32 MB is enough for an item of 75 MB and 30,000 others', SLOW, () => {
    const script = `
      import { generateFeed } from '${new URL('./generate.ts', import.meta.url)}';
      import { readFeed } from '${new URL('./read-feed.ts', import.meta.url)}';
      async function* feed() {
        const chunks = generateFeed(30_000, { seed: 1, currency: 'USD' });
        yield Buffer.from(chunks.next().value + '<item>');
        for (let i = 0; i < 1_500; i++) yield Buffer.from('<x>' + 'y'.repeat(50_000) + '</x>');
        yield Buffer.from('</item>');
        for (const chunk of chunks) yield Buffer.from(chunk);
      }
      const sink = { item() {}, issue() {}, drained() {} };
      const summary = await readFeed(feed(), { currency: 'USD', now: new Date() }, sink);
      console.log(JSON.stringify(summary));`;
    const flags = ['--max-old-space-size=32', '--input-type=module', '--eval', script];
    const child = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    expect(child.stderr).toBe('');
    expect(JSON.parse(child.stdout)).toEqual({ read: 30_001, accepted: 30_000, rejected: 1 });
  });

  test('waits for the sink, and tells bytes as stored', async () => {
    const packed = gzipSync([...generateFeed(2_000, { seed: 2, currency: 'USD' })].join(''));
    let taken = 0;
    async function* source() {
      for await (const chunk of chunksOf(packed, 4_096)) {
        taken += chunk.length;
        yield chunk;
      }
    }
    const seen: { bytesRead: number; read: number }[] = [];
    let waiting = 0;
    let ahead = 0;
    await readFeed(source(), shop, {
      ...noSink,
      async drained(progress) {
        expect(waiting).toBe(0);
        waiting += 1;
        seen.push(progress);
        if (seen.length === 3) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          ahead = taken;
        }
        waiting -= 1;
      },
    });
    expect(ahead).toBeLessThan(packed.length / 2);
    expect(seen.at(-1)).toEqual({ bytesRead: packed.length, read: 2_000 });
    expect(seen.every(({ bytesRead }, i) => bytesRead >= (seen[i - 1]?.bytesRead ?? 0))).toBe(true);
  });

  test('stops when told to, and closes the source', async () => {
    const reason = new Error('cancelled');
    const controller = new AbortController();
    const source = endless('<rss><channel>', '<item><g:id>1</g:id></item>');
    const drained = () => source.taken > 500_000 && controller.abort(reason);
    const reading = readFeed(source.chunks(), shop, { ...noSink, drained: () => void drained() }, controller.signal);
    await expect(reading).rejects.toBe(reason);
    expect(source.taken).toBeLessThan(2 ** 20);
    expect(source.closed).toBe(true);
  });

  test.each(['plain', 'gzip'])('errors of source and sink pass through as they are (%s)', async (kind) => {
    const text = [...generateFeed(500, { seed: 2, currency: 'USD' })].join('');
    const file = kind === 'gzip' ? gzipSync(text) : Buffer.from(text);
    const fault = new Error('disk gone');
    let closed = false;
    async function* broken() {
      yield file.subarray(0, 20_000);
      throw fault;
    }
    async function* whole() {
      try {
        yield* chunksOf(file, 10_000);
      } finally {
        closed = true;
      }
    }
    await expect(readFeed(broken(), shop, noSink)).rejects.toBe(fault);
    const item = () => {
      throw fault;
    };
    await expect(readFeed(whole(), shop, { ...noSink, item })).rejects.toBe(fault);
    expect(closed).toBe(true);
  });
});
