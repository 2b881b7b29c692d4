import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';
import { sql } from '../src/kernel/db.ts';
import { eventually, testKernel } from '../src/kernel/testing/index.ts';
import { generateFeed } from '../src/modules/imports/feed/generate.ts';
import type { ImportMode, ImportReport } from '../src/modules/imports/index.ts';
import { feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** Files that are wrong, processes that die, and imports that meet: nothing is ever half done. */

// biome-ignore lint/suspicious/noExplicitAny: rows that the tests look into
type Row = Record<string, any>;

let shop: TestShop;
let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-faults-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rows = (text: string, values: unknown[] = []) => shop.db.many<Row>(sql(text, values));

function save(content: string | Buffer): string {
  const path = join(folder, `feed-${files++}.xml`);
  writeFileSync(path, content);
  return path;
}

const load = (content: string | Buffer, mode: ImportMode = 'upsert') => shop.importFeed(save(content), mode);

const HEAD = '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>';
const TAIL = '</channel></rss>';
const ITEM = '<item><g:id>new</g:id><g:title>New</g:title><g:price>1 USD</g:price></item>';

/** Tables that tell of imports; every other one must stand still when an import is refused. */
const OF_IMPORTS = /^(imports|import_issues|events|event_log_head|outbox)$/;

async function catalogue(): Promise<Record<string, string>> {
  const tables = await rows("select tablename as name from pg_tables where schemaname = 'public' order by 1");
  const read = async (name: string) => {
    const text = `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${name} t`;
    return [name, (await rows(text))[0]!.digest] as const;
  };
  return Object.fromEntries(
    await Promise.all(tables.filter(({ name }) => !OF_IMPORTS.test(name)).map(({ name }) => read(name))),
  );
}

type Wrong = [content: string | Buffer, code: RegExp];

/** The import is refused as a whole, says where and why, and nothing but its own record is there afterwards. */
async function expectRefused(...files: Wrong[]): Promise<NonNullable<ImportReport['error']>[]> {
  const before = await catalogue();
  const waiting = files.map((file, i) => ({ file, i }));
  const errors: NonNullable<ImportReport['error']>[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) errors[next.i] = await refuse(...next.file);
  };
  await Promise.all([work(), work(), work()]);
  expect(await catalogue()).toEqual(before);
  return errors;
}

async function refuse(content: string | Buffer, code: RegExp): Promise<NonNullable<ImportReport['error']>> {
  const report = await shop.importFeed(save(content), 'upsert');
  const shown = `${content.slice(0, 60)} … ${content.slice(-60)}`;
  expect(report.status, shown).toBe('failed');
  const error = report.error!;
  expect(error.code, shown).toMatch(code);
  expect(error.message).toMatch(/^.{15,}\.$/s);
  expect(error.message).not.toMatch(/undefined|null|\[object|Error:|node_modules|\bat /);
  expect(report.counts).toEqual({ read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0 });
  if (error.code !== 'gzip_corrupt') {
    expect(error.line, shown).toBeGreaterThanOrEqual(1);
    expect(error.column, shown).toBeGreaterThanOrEqual(1);
  }
  const [stored] = await rows('select status, error, finished_at from imports where id = $1', [report.id]);
  expect(stored).toEqual({ status: 'failed', error, finished_at: expect.any(Date) });
  await shop.events.flush();
  expect(await rows('select type from events where subject_id = $1', [report.id])).toEqual([{ type: 'import.failed' }]);
  return error;
}

async function checkStock(): Promise<void> {
  const wrong = await rows(
    `select s.product_id from stock s full join (select product_id, sum(delta) as total from stock_movements group by product_id) m
     on m.product_id = s.product_id where s.on_hand is distinct from m.total`,
  );
  expect(wrong).toEqual([]);
}

/** What the job does that runs every five minutes. */
async function finishQuantities(): Promise<void> {
  const job = shop.jobs.find(({ name }) => name === 'imports.take_up')!;
  await job.run({} as never, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
  await shop.events.flush();
}

describe('files that are no feed', () => {
  beforeAll(async () => {
    shop = await startTestShop();
    await load(
      feedOf([{ id: 'old', title: 'Here before', price: '5 USD', quantity: '3', product_type: 'Some > Where' }]),
    );
  });
  afterAll(() => shop.stop());

  it('a fault in the last bytes of twenty thousand items takes them all back, and says where it is', async () => {
    const feed = [...generateFeed(20_000, { seed: 4, currency: 'USD' })].join('');
    const lines = feed.split('\n').length;
    const [error] = await expectRefused([feed.replace(/<\/rss>\n$/, '</rsx>\n'), /^not_well_formed$/]);
    expect([error!.line, error!.column]).toEqual([lines - 1, 6]);
    expect(await rows('select count(*) as issues from import_issues')).toEqual([{ issues: 0 }]);
  }, 60_000);

  it('a file that was cut off, anywhere', async () => {
    const feed = feedOf([
      { id: 'a', title: 'Žluťoučký & co', price: '1 USD' },
      { id: 'b', title: 'B', price: '1 USD' },
    ]);
    const whole = Buffer.from(feed);
    const shares = [0.3, 0.62, 0.999];
    const errors = await expectRefused(
      ...shares.map(
        (share): Wrong => [whole.subarray(0, Math.floor(whole.length * share)), /not_well_formed|encoding_invalid/],
      ),
    );
    for (const error of errors) expect(error.message).toMatch(/cut off|ends|not closed/);
    const packed = gzipSync(whole);
    const damaged = Buffer.from(packed);
    damaged[Math.floor(damaged.length / 2)]! ^= 0xff;
    await expectRefused(
      ...[3, packed.length - 1].map((length): Wrong => [packed.subarray(0, length), /^gzip_corrupt$/]),
      [damaged, /gzip_corrupt|not_well_formed|encoding_invalid/],
    );
  });

  it('a file that is something else', async () => {
    await expectRefused(
      ['', /^empty_file$/],
      ['{"products": []}', /^not_xml$/],
      ['<!doctype html><html><body>Not found</body></html>', /^not_xml$/],
      ['<products><product/></products>', /^not_a_feed$/],
      ['<rss></rss><rss></rss>', /^not_well_formed$/],
      [Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /^not_xml$/],
      [Buffer.alloc(5_000), /^(not_xml|encoding_unknown|not_well_formed|empty_file)$/],
      [gzipSync(gzipSync(HEAD + TAIL)), /^(not_xml|gzip_corrupt|encoding_invalid)$/],
    );
  });

  it('entities and documents from elsewhere', async () => {
    const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const outside = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    const item = (title: string) =>
      `<rss><channel><item><id>x</id><title>${title}</title><price>1</price></item></channel></rss>`;
    const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
    await expectRefused(
      [`<!DOCTYPE rss [<!ENTITY l0 "lol">${laughs}]>${item('&l9;')}`, /^dtd_not_allowed$/],
      [`${XML}${outside}${item('&x;')}`, /^dtd_not_allowed$/],
      [`${XML}<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/evil.dtd">${item('x')}`, /^dtd_not_allowed$/],
      [`<!DOCTYPE rss [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>${item('x')}`, /^dtd_not_allowed$/],
      [
        `${XML}<!-- c -->\n<!DOCTYPE rss [<!ENTITY a "${'a'.repeat(50_000)}">]>${item('&a;'.repeat(1_000))}`,
        /^dtd_not_allowed$/,
      ],
      [
        Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${outside}${item('&x;')}`, 'utf16le'),
        /^dtd_not_allowed$/,
      ],
      [item('&undeclared;'), /^not_well_formed$/],
    );
    // Included by nobody: another namespace is not read.
    const included =
      '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>New';
    await load(`${HEAD}${ITEM.replace('New', included)}${TAIL}`, 'create');
    expect((await rows("select name from products where sku = 'new'"))[0]?.name).not.toMatch(/root:/);
  });

  it('characters that no XML holds, written or referred to', async () => {
    const titled = (title: string) => `${HEAD}\n${ITEM.replace('New', title)}${TAIL}`;
    const around = (bytes: number[]) =>
      Buffer.concat([
        Buffer.from(`${HEAD}\n${ITEM.slice(0, 40)}`),
        Buffer.from(bytes),
        Buffer.from(`${ITEM.slice(40)}${TAIL}`),
      ]);
    const lone = Buffer.concat([
      Buffer.from(`\ufeff${HEAD}${ITEM}`, 'utf16le'),
      Buffer.from([0x00, 0xd8]),
      Buffer.from(TAIL, 'utf16le'),
    ]);
    const errors = await expectRefused(
      ...['&#0;', '&#xD800;', '& b', '\0'].map((text): Wrong => [titled(text), /^not_well_formed$/]),
      ...[[0xff], [0xed, 0xa0, 0x80]].map((bytes): Wrong => [around(bytes), /^encoding_invalid$/]),
      [lone, /^encoding_invalid$/],
      [`<?xml version="1.0" encoding="EBCDIC-XX"?><rss/>`, /^encoding_unknown$/],
    );
    expect(errors.slice(0, 6).map((error) => error.line)).toEqual([2, 2, 2, 2, 2, 2]);
  });
});

describe('files that are too much', () => {
  beforeAll(async () => {
    shop = await startTestShop();
    // What is loaded once by the first import is not counted below.
    await load(`${HEAD}${TAIL}`);
  });
  afterAll(() => shop.stop());

  const TWO_GIB = 2 ** 31;
  /** gzip members may follow one another: two gigabytes of one text are a hundred times the same small member. */
  function packed(before: string, repeated: string, bytes: number, after: string): Buffer {
    const unit = repeated.repeat(Math.ceil(Math.min(bytes, 2 ** 24) / Buffer.byteLength(repeated)));
    const member = gzipSync(unit);
    const times = Math.ceil(bytes / Buffer.byteLength(unit));
    return Buffer.concat([gzipSync(before), ...Array.from({ length: times }, () => member), gzipSync(after)]);
  }

  /** What this process and those that read feeds for it have resident, in bytes; Node itself, which they share, once. */
  function resident(): number {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').match(/\d+/g) ?? [];
    return children.reduce((sum, pid) => {
      try {
        return sum + Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      } catch {
        return sum; // It has just ended.
      }
    }, process.memoryUsage.rss());
  }

  /** How much that grew while the import ran. */
  async function growth(run: () => Promise<unknown>): Promise<{ megabytes: number; seconds: number }> {
    const before = resident();
    const began = performance.now();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, resident());
    }, 20);
    try {
      await run();
    } finally {
      clearInterval(timer);
    }
    return { megabytes: (peak - before) / 2 ** 20, seconds: (performance.now() - began) / 1_000 };
  }

  const item = (inside: string) => `${HEAD}${ITEM.replace('</item>', inside)}`;
  const HUGE: [string, string, string, string][] = [
    ['a title', `${HEAD}<item><g:title>`, 'a', `</g:title></item>${TAIL}`],
    ['white space between items', `${HEAD}${ITEM}`, ' \n', TAIL],
    ['a comment', `${HEAD}<!--`, 'a', `-->${TAIL}`],
    ['an attribute', `${HEAD}<item a="`, 'a', `"/>${TAIL}`],
    ['an entity', `${HEAD}<title>&`, 'a', `;</title>${TAIL}`],
    [
      'CDATA sections of one field',
      item('<g:description>'),
      `<![CDATA[${'a'.repeat(1_000)}]]>`,
      `</g:description></item>${TAIL}`,
    ],
    ['references in one field', item('<g:description>'), '&amp;', `</g:description></item>${TAIL}`],
  ];

  for (const [name, before, repeated, after] of HUGE)
    it(`two gigabytes of ${name} are refused at once, in little memory`, async () => {
      const content = packed(before, repeated, TWO_GIB, after);
      const { megabytes, seconds } = await growth(() =>
        expectRefused([content, /^(text_too_long|not_well_formed|too_deep)$/]),
      );
      expect(megabytes).toBeLessThan(150);
      expect(seconds).toBeLessThan(10);
    });

  it('tags without end are refused: deep, or with many attributes', async () => {
    const attributes = (count: number) => Array.from({ length: count }, (_, i) => `a${i}="1"`).join(' ');
    const { megabytes } = await growth(() =>
      expectRefused(
        [`${HEAD}<item>${'<g:x>'.repeat(100_000)}${'</g:x>'.repeat(100_000)}</item>${TAIL}`, /^too_deep$/],
        [`${HEAD}<item ${attributes(65)}/>${TAIL}`, /^too_many_attributes$/],
        [`${HEAD}<item ${attributes(1_000_000)}/>${TAIL}`, /^(too_many_attributes|text_too_long)$/],
        [`${HEAD}<item ${'a="1" '.repeat(10)}/>${TAIL}`, /^not_well_formed$/],
      ),
    );
    expect(megabytes).toBeLessThan(250); // three processes at a time
  });

  it('an item without end is rejected as a row, and its neighbours go in', async () => {
    const kinds = [
      '<g:product_highlight>words</g:product_highlight>',
      '<g:x a="1"><g:y/></g:x>',
      `<g:long>${'x'.repeat(200_000)}</g:long>`,
    ];
    for (const [n, inside] of kinds.entries()) {
      const sku = (name: string) => ITEM.replace('>new<', `>${name}-${n}<`);
      const content = packed(
        `${HEAD}${sku('first')}${sku('endless').replace('</item>', '')}`,
        inside,
        2 ** 23,
        `</item>${sku('last')}${TAIL}`,
      );
      const { megabytes } = await growth(async () => {
        const report = await shop.importFeed(save(content), 'create');
        expect(report.counts).toMatchObject({ read: 3, created: 2, rejected: 1 });
        expect(await rows('select sku, code from import_issues where import_id = $1', [report.id])).toEqual([
          { sku: `endless-${n}`, code: 'item_too_large' },
        ]);
      });
      expect(megabytes).toBeLessThan(150);
    }
  }, 60_000);

  it('what unpacks to a thousand times its size is read in little memory, however it ends', async () => {
    const content = packed(`${HEAD}${ITEM}`, '<x/><y>text</y>', 2 ** 25, '</channel></rsx>');
    const { megabytes } = await growth(() => expectRefused([content, /^not_well_formed$/]));
    expect(megabytes).toBeLessThan(150);
  }, 60_000);

  it('one id fifty thousand times is one product, in little memory', async () => {
    const content = packed(HEAD, ITEM, 50_000 * ITEM.length, TAIL);
    const { megabytes } = await growth(async () => {
      const report = await shop.importFeed(save(content), 'create');
      expect(report.counts).toMatchObject({ read: 50_000, created: 1, rejected: 49_999 });
    });
    expect(megabytes).toBeLessThan(150);
  }, 60_000);
});

describe('texts', () => {
  beforeAll(async () => {
    shop = await startTestShop();
  });
  afterAll(() => shop.stop());

  const WORDS = 'Žluťoučký kůň · Größe · naïve';
  /** The bytes of a text in a one-byte encoding: TextDecoder's own table, turned round. */
  function encodeAs(label: string, text: string): Buffer {
    const table = new TextDecoder(label).decode(Uint8Array.from({ length: 256 }, (_, i) => i));
    return Buffer.from(Array.from(text, (character) => Math.max(0, table.indexOf(character))));
  }

  it('come in right in any encoding that feeds have', async () => {
    const feed = (id: string, title: string, encoding = '') =>
      `<?xml version="1.0"${encoding && ` encoding="${encoding}"`}?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>${id}</g:id><g:title>${title}</g:title><g:price>1 USD</g:price></item></channel></rss>`;
    const wide = (text: string, swap: boolean) =>
      swap ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le');
    const cases: [string, string, Buffer][] = [
      ['utf-8-bom-lies', WORDS, Buffer.from(`\ufeff${feed('utf-8-bom-lies', WORDS, 'ISO-8859-1')}`)],
      ['utf-16le-bom', `${WORDS} 😀`, wide(`\ufeff${feed('utf-16le-bom', `${WORDS} 😀`, 'UTF-16')}`, false)],
      ['utf-16be-bom', `${WORDS} 😀`, wide(`\ufeff${feed('utf-16be-bom', `${WORDS} 😀`, 'UTF-16')}`, true)],
      ['latin1', 'Größe · naïve', Buffer.from(feed('latin1', 'Größe · naïve', 'ISO-8859-1'), 'latin1')],
      [
        'windows-1252',
        '“Größe” – 5 € · naïve',
        encodeAs('windows-1252', feed('windows-1252', '“Größe” – 5 € · naïve', 'windows-1252')),
      ],
      [
        'windows-1250',
        'Žluťoučký kůň – ľščť',
        encodeAs('windows-1250', feed('windows-1250', 'Žluťoučký kůň – ľščť', 'WINDOWS-1250')),
      ],
    ];
    for (const [i, [sku, title, bytes]] of cases.entries()) {
      const report = await load(i % 2 === 0 ? bytes : gzipSync(bytes));
      expect(report.error, sku).toBeNull();
      expect((await rows('select name from products where sku = $1', [sku]))[0]?.name, sku).toBe(title);
    }
  });

  it('that mean something to SQL, to COPY, to JSON or to HTML come in as they are', async () => {
    const texts = [
      ...String.raw`\N ¦ \. ¦ \ ¦ \\ ¦ \n ¦ \t ¦ \x41 ¦ \u0041 ¦ a\ ¦ '; drop table products; -- ¦ ' or ''=' ¦ $1 ¦ $$ ¦ %s ¦ % ¦ _
        ¦ NULL ¦ null ¦ undefined ¦ NaN ¦ true ¦ {} ¦ [] ¦ {"a":1} ¦ " ¦ "" ¦ ' ¦ {{x}} ¦ #{x} ¦ <%= x %> ¦ =1+1 ¦ @SUM(A1) ¦ +1 ¦ -1
        ¦ |calc ¦ ../../etc/passwd ¦ file:///etc/passwd ¦ javascript:alert(1) ¦ 😀 ¦ 👨‍👩‍👧 ¦ Z̷̢̛a̸͙͌ ¦ 日本語 ¦ مرحبا ¦ ﷺ ¦ İıſ ¦ ﬀ ¦ ½`.split(
        /\s+¦ /,
      ),
      ...['`', '\u202eevil', '\u200b', '\u{10ffff}', '\u00ad', '\ufdd0', '\u2028x', 'a\u0301', '\u0600'],
    ];
    const hostile = texts.map((text, i) => ({
      id: `T${i} ${text}`,
      title: `x ${text} x`,
      description: `<${text}> ${text}`,
      brand: text,
      color: `a${text}b`,
      custom_label_0: text,
    }));
    const items = hostile.map((item) => ({
      ...item,
      price: '1 USD',
      product_type: `${item.title.replaceAll('>', '')} > ${item.brand.replaceAll('>', '')}`,
    }));
    const report = await load(feedOf(items), 'create');
    expect(report.counts).toMatchObject({ created: texts.length, rejected: 0 });
    const stored = await rows(
      `select p.sku, p.name, p.brand, p.color, t.description, t.attributes ->> 'custom_label_0' as label, c.name as category
       from products p join product_texts t on t.product_id = p.id left join categories c on c.id = p.category_id order by p.id`,
    );
    const byName = new Map(stored.map((row) => [row.sku.split(' ')[0], row]));
    for (const [i, text] of texts.entries()) {
      // On one line white space is one space; a field of nothing but invisible signs may be empty.
      const line = (value: string) => value.replace(/\s+/g, ' ').trim();
      const row = byName.get(`T${i}`)!;
      expect([row.sku, row.name, row.color], text).toEqual([`T${i} ${text}`, `x ${text} x`, `a${text}b`].map(line));
      expect([row.brand ?? '', row.label ?? ''], text).toEqual([line(text), line(text)]);
      expect(row.description, text).toBe(`<${text}> ${text}`.trim());
    }
    expect((await rows('select count(*) as products from products where price = 100'))[0]).toEqual({
      products: expect.any(Number),
    });
    for (const row of stored.slice(0, 80)) {
      const page = await shop.get(`/products?search=${encodeURIComponent(row.name.slice(0, 100))}`);
      expect([200, 404]).toContain(page.status);
      expect(page.text).not.toMatch(/<%= x %>|<\\N>/);
    }
    const answer = await shop.get(`/api/products?brand=${encodeURIComponent('\\N')}`);
    expect(answer.json.items.map((item: Row) => item.brand)).toEqual(['\\N']);
  });

  it('keep their lines in descriptions, and lose what is no text', async () => {
    const lines = 'one\ttab\\\ntwo\\N\n\\.\n\n  three  \nlast';
    const xml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    const item = (id: string, description: string) =>
      `<item><g:id>${id}</g:id><g:title>a&#9;b&#10;c</g:title><g:price>1 USD</g:price><g:description>${description}</g:description></item>`;
    await load(
      `${HEAD}${item('lf', xml(lines))}${item('crlf', xml(lines).replaceAll('\n', '\r\n'))}${item('references', xml(lines).replaceAll('\n', '&#13;&#10;'))}${item('cdata', `<![CDATA[${lines}]]>`)}${item('twice', '&amp;#0;x&amp;#x0;y&amp;#55357;z&amp;#1;')}${TAIL}`,
    );
    const stored = Object.fromEntries(
      (
        await rows('select p.sku, p.name, t.description from products p join product_texts t on t.product_id = p.id')
      ).map((row) => [row.sku, row]),
    );
    for (const sku of ['lf', 'crlf', 'references', 'cdata']) {
      expect(stored[sku]!.description, sku).toBe(lines);
      expect(stored[sku]!.name).toBe('a b c');
    }
    expect(stored.twice!.description).toBe('xyz');
  });
});

describe('imports that meet', () => {
  beforeEach(async () => {
    shop = await startTestShop();
  });
  afterEach(async () => {
    await checkStock();
    await shop.stop();
  });

  it('with the same feed make each product once, and count right', async () => {
    const feed = [...generateFeed(300, { seed: 8, currency: 'USD' })].join('');
    const kernel = await testKernel({ databaseUrl: shop.directUrl });
    try {
      const app = createApp(kernel, 'https://shop.example');
      const path = save(feed);
      const imports = [shop.imports, app.imports, shop.imports];
      const reports = await Promise.all(
        imports.map((one, i) => one.run({ path, mode: i === 2 ? 'create' : 'upsert', ownUrl: null })),
      );
      expect(reports.map((report) => report.status)).toEqual(['completed', 'completed', 'completed']);
      const sum = (name: keyof ImportReport['counts']) =>
        reports.reduce((total, report) => total + report.counts[name], 0);
      expect([sum('created'), sum('unchanged') + sum('existing'), sum('updated')]).toEqual([300, 600, 0]);
      expect(await rows('select count(*) as products, max(version) as version from products')).toEqual([
        { products: 300, version: 1 },
      ]);
      expect(await rows('select parent_id, name from categories group by 1, 2 having count(*) > 1')).toEqual([]);
      expect((await rows('select count(*) as movements from stock_movements'))[0]).toEqual(
        (await rows('select count(*) as movements from stock'))[0],
      );
    } finally {
      await kernel.close();
    }
  });

  it('with different feeds leave what the last one to be applied says, in every table', async () => {
    const feed = (price: number) =>
      feedOf(
        Array.from({ length: 200 }, (_, i) => ({
          id: `P${i}`,
          title: `Thing ${price}`,
          price: `${price} USD`,
          quantity: String(price),
          product_type: `At > ${price}`,
        })),
      );
    await load(feed(1));
    const paths = [2, 3, 4].map((price) => save(feed(price)));
    await Promise.all(paths.map((path) => shop.imports.run({ path, mode: 'upsert', ownUrl: null })));
    const found = await rows(
      `select distinct p.price, p.name, s.on_hand, c.name as category, h.price as history, t.title @@ to_tsquery('vitrine', (p.price / 100)::text) as found
       from products p join stock s on s.product_id = p.id join categories c on c.id = p.category_id join product_texts t on t.product_id = p.id
       join lateral (select price from price_history h where h.product_id = p.id order by valid_from desc limit 1) h on true`,
    );
    expect(found).toHaveLength(1);
    const { price } = found[0]!;
    expect(found[0]).toEqual({
      price,
      name: `Thing ${price / 100}`,
      on_hand: price / 100,
      category: String(price / 100),
      history: price,
      found: true,
    });
    expect(await rows('select distinct version from products')).toEqual([{ version: 4 }]);
  });

  it('a long one is in nobody’s way, and its prices hold from when they are applied', async () => {
    const item = (price: string) => ({ id: 'P', title: 'Thing', price });
    await load(feedOf([item('1 USD')]));
    const slow = join(folder, 'slow.xml');
    execFileSync('mkfifo', [slow]);
    const feed = feedOf([item('2 USD')]);
    const pending = shop.imports.run({ path: slow, mode: 'upsert', ownUrl: null });
    const pipe = createWriteStream(slow);
    pipe.write(feed.slice(0, -30));
    await eventually(async () =>
      expect(await rows("select 1 from imports where file_name = 'slow.xml' and status = 'running'")).toHaveLength(1),
    );
    expect((await load(feedOf([item('3 USD')]))).counts.updated).toBe(1);
    pipe.end(feed.slice(-30));
    expect((await pending).counts.updated).toBe(1);
    const [{ price } = { price: 0 }] = await rows('select price from products');
    expect(price).toBe(200);
    expect((await rows('select price from price_history order by valid_from desc'))[0]).toEqual({ price });
    const changes = await rows('select at, version from product_changes order by id');
    expect(changes.map((change) => change.version)).toEqual([1, 2, 3]);
    expect(changes.map((change) => change.at)).toEqual(changes.map((change) => change.at).sort((a, b) => a - b));
  });
});

describe('a process that is killed', () => {
  const ROOT = fileURLToPath(new URL('..', import.meta.url));
  beforeEach(async () => {
    shop = await startTestShop();
  });
  afterEach(() => shop.stop());

  /** `vitrine import`, as a person runs it, in a process group of its own. */
  function cli(
    path: string,
    ...options: string[]
  ): ChildProcess & { ended: Promise<{ code: number | null; stdout: string; stderr: string }> } {
    const { NODE_OPTIONS: _, ...inherited } = process.env;
    const child = spawn(
      process.execPath,
      ['scripts/run.mjs', 'src/main.ts', 'import', path, '--mode', 'upsert', '--json', ...options],
      {
        cwd: ROOT,
        detached: true,
        env: {
          ...inherited,
          DATABASE_URL: shop.directUrl,
          DATA_DIR: join(folder, 'none'),
          SECRET_KEY: 'a secret that only tests have, and all of them',
          PUBLIC_URL: 'https://shop.example',
          LOG_LEVEL: 'error',
          INIT_CWD: '',
        },
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part) => {
      stdout += part;
    });
    child.stderr.on('data', (part) => {
      stderr += part;
    });
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    return Object.assign(child, { ended });
  }

  async function kill(child: ReturnType<typeof cli>): Promise<void> {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // It had ended by itself.
    }
    await child.ended;
  }

  /** Its connections are gone, and with them its locks and its temporary tables. */
  async function expectNothingLeft(): Promise<void> {
    await eventually(async () => {
      expect(
        await rows(
          "select pid, state, query from pg_stat_activity where application_name = 'vitrine import' and datname = current_database()",
        ),
      ).toEqual([]);
    }, 15_000);
    const locks =
      "select * from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    expect(await rows(locks)).toEqual([]);
  }

  const PRODUCTS = 2_500;
  /** All products at the price and quantity of a round, and a hundred that only this round has. */
  const round = (n: number) =>
    feedOf([
      ...Array.from({ length: PRODUCTS }, (_, i) => ({
        id: `P${i}`,
        title: `Thing ${i}`,
        price: `${n} USD`,
        quantity: String(n),
        product_type: `Round > ${n}`,
      })),
      ...Array.from({ length: 100 }, (_, i) => ({
        id: `R${n}-${i}`,
        title: `Of round ${n}`,
        price: '0.50 USD',
        quantity: '1',
      })),
    ]);

  const started = () =>
    eventually(
      async () => expect(await rows("select 1 from imports where status = 'running'")).not.toEqual([]),
      20_000,
    );

  it('at any moment leaves all of an import or nothing, and the next one works', async () => {
    await load(round(1));
    let applied = 1;
    const moments = [0, 150, 300, 600, 900];
    const outcomes: number[] = [];
    for (const [i, moment] of moments.entries()) {
      const n = i + 2;
      await shop.db.run(sql("update imports set status = 'failed' where status = 'running'"));
      const child = cli(save(round(n)));
      await started();
      await sleep(moment);
      await kill(child);
      await expectNothingLeft();
      const prices = (await rows("select distinct price from products where sku like 'P%'")).map(
        (row) => row.price / 100,
      );
      expect(prices).toHaveLength(1);
      expect([applied, n]).toContain(prices[0]);
      applied = prices[0]!;
      outcomes.push(applied);
      const whole = applied === n;
      expect(await rows('select count(*) as products from products where sku like $1', [`R${n}-%`])).toEqual([
        { products: whole ? 100 : 0 },
      ]);
      expect(await rows('select count(*) as named from categories where name = $1', [String(n)])).toEqual([
        { named: whole ? 1 : 0 },
      ]);
      expect(
        await rows(
          'select distinct price from price_history h where valid_from = (select max(valid_from) from price_history l where l.product_id = h.product_id) and price > 50',
        ),
      ).toEqual([{ price: applied * 100 }]);
      await finishQuantities();
      expect(
        await rows("select distinct on_hand from stock s join products p on p.id = s.product_id where sku like 'P%'"),
      ).toEqual([{ on_hand: applied }]);
      await checkStock();
    }
    const last = cli(save(round(9)));
    const { code, stdout } = await last.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout).counts).toMatchObject({ created: 100, updated: PRODUCTS });
    expect(
      await rows(
        "select distinct price, on_hand from products p join stock s on s.product_id = p.id where sku like 'P%'",
      ),
    ).toEqual([{ price: 900, on_hand: 9 }]);
    await checkStock();
  }, 120_000);

  /** Kills an import of round 2 between its first and its second thousand of quantities. */
  async function killInStockPhase(): Promise<string> {
    await load(round(1));
    const [{ product_id } = { product_id: '' }] = await rows(
      'select product_id from stock order by product_id offset 1500 limit 1',
    );
    const holder = new pg.Client({ connectionString: shop.directUrl });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select from stock where product_id = $1 for update', [product_id]);
      const child = cli(save(round(2)));
      await eventually(
        async () =>
          expect(await rows('select count(*) as left from import_quantities')).toEqual([{ left: PRODUCTS - 1_000 }]),
        30_000,
      );
      await kill(child);
    } finally {
      await holder.query('rollback');
      await holder.end();
    }
    await expectNothingLeft();
    expect(await rows('select count(*) as left from import_quantities')).toEqual([{ left: PRODUCTS - 1_000 }]);
    const [{ id } = { id: '' }] = await rows('select id from imports order by created_at desc limit 1');
    return id;
  }

  it('while quantities follow has them finished by the job, and is completed', async () => {
    const id = await killInStockPhase();
    await checkStock();
    await finishQuantities();
    expect(await rows('select count(*) as left from import_quantities')).toEqual([{ left: 0 }]);
    expect(
      await rows("select distinct on_hand from stock s join products p on p.id = s.product_id where sku like 'P%'"),
    ).toEqual([{ on_hand: 2 }]);
    expect((await rows('select distinct reference from stock_movements where on_hand = 2'))[0]).toEqual({
      reference: id,
    });
    await checkStock();
    const product = (await shop.get('/api/products?search=thing&page_size=1')).json.items[0];
    expect(product.stock).toBe(2);
    await finishQuantities();
    await checkStock();
    const [stored] = await rows('select status, count_updated, count_created, finished_at from imports where id = $1', [
      id,
    ]);
    expect(stored).toEqual({
      status: 'completed',
      count_updated: PRODUCTS,
      count_created: 100,
      finished_at: expect.any(Date),
    });
    expect((await rows('select type from events where subject_id = $1', [id])).map((row) => row.type)).toContain(
      'import.completed',
    );
  }, 60_000);

  it('while quantities follow never undoes what a later import has counted', async () => {
    await killInStockPhase();
    expect((await load(round(3))).status).toBe('completed');
    const counted = () =>
      rows("select distinct on_hand from stock s join products p on p.id = s.product_id where sku like 'P%'");
    expect(await counted()).toEqual([{ on_hand: 3 }]);
    await finishQuantities();
    expect(await counted()).toEqual([{ on_hand: 3 }]);
    expect(await rows('select count(*) as left from import_quantities')).toEqual([{ left: 0 }]);
    await checkStock();
  }, 60_000);

  it('while it waits to merge leaves nothing, not even its place in the queue', async () => {
    await load(round(1));
    // Written by whatever process opens the shop first.
    await shop.db.run(sql("insert into shop_settings (name, value) values ('currency', 'USD')"));
    const before = await catalogue();
    const path = join(folder, 'held.xml');
    execFileSync('mkfifo', [path]);
    const child = cli(path);
    const pipe = createWriteStream(path);
    pipe.on('error', () => {});
    pipe.write(round(2).slice(0, -100));
    await started();
    await kill(child);
    pipe.destroy();
    await expectNothingLeft();
    expect(await catalogue()).toEqual(before);
    expect((await load(round(2))).counts).toMatchObject({ created: 100, updated: PRODUCTS });
  }, 60_000);
});
