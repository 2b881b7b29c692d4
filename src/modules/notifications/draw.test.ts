import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draw } from './draw.ts';
import type { Cell, Letterhead, Words } from './templates/words.ts';

const LETTERHEAD: Letterhead = {
  shop: 'Čaj & “Růže”',
  publicUrl: 'https://shop.example',
  timeZone: 'UTC',
  currency: 'USD',
};
const drawn = (words: Partial<Words>) => draw({ subject: 'News', blocks: [], ...words }, LETTERHEAD);

const TEXT = fc.string({ unit: 'grapheme', maxLength: 80 });
const CELL: fc.Arbitrary<Cell> = fc.oneof(
  TEXT,
  TEXT.map((text) => ({ text, url: 'https://shop.example/x?a=1&b=2' })),
  TEXT.map((text) => ({ text, isBad: true })),
);
const WORDS: fc.Arbitrary<Words> = fc.record({
  subject: TEXT,
  reason: TEXT,
  blocks: fc.array(
    fc.oneof(
      TEXT,
      TEXT.map((heading) => ({ heading })),
      TEXT.map((note) => ({ note })),
      TEXT.map((label) => ({ button: { label, url: 'https://shop.example/x?a=1&b=2' } })),
      fc.array(fc.tuple(TEXT, TEXT)).map((facts) => ({ facts })),
      fc
        .tuple(fc.array(TEXT, { minLength: 3, maxLength: 3 }), fc.array(fc.array(CELL, { maxLength: 4 })))
        .map(([head, rows]) => ({ table: { head, rows } })),
    ),
    { maxLength: 6 },
  ),
});

describe('a message', () => {
  it('has every tag that the drawing made and no other, whatever is said in it', () => {
    fc.assert(
      fc.property(WORDS, (words) => {
        const { html } = draw(words, LETTERHEAD);
        const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name));
        for (const tag of tags)
          expect('html head meta title style body div table tr td th h1 h2 p a br span'.split(' ')).toContain(tag);
        const [, inner] = /<body[^>]*>(.*)<\/body>/s.exec(html)!;
        expect(inner!.match(/<table/g)).toHaveLength(inner!.match(/<\/table>/g)!.length);
        expect(html).not.toMatch(/<script|javascript:| on\w+="/i);
      }),
    );
  });

  it('asks for nothing from anywhere', () => {
    const { html } = drawn({
      blocks: ['Text', { button: { label: 'Go', url: 'https://shop.example/go' } }, { facts: [['a', 'b']] }],
      reason: 'Because.',
    });
    expect(html).not.toMatch(
      /<(img|link|script|iframe|video|audio|object|svg|input)\b|url\(|@import|\bsrc=|background=/i,
    );
    expect(new Set([...html.matchAll(/href="([^"]*)"/g)].map(([, url]) => url))).toEqual(
      new Set(['https://shop.example', 'https://shop.example/go']),
    );
  });

  it('says in both parts what there is to say, and where to go in full', () => {
    const url = 'https://shop.example/email/verify?x=1&token=abc_-1';
    const { subject, html, text } = drawn({
      blocks: [
        'Hello,\nall of you.',
        { heading: 'Go on' },
        { button: { label: 'Confirm', url } },
        { facts: [['Stock', '3']] },
        {
          table: {
            head: ['SKU', 'Line'],
            rows: [
              ['A-1', '12'],
              ['B', '7'],
            ],
          },
        },
        { note: 'Quietly: https://shop.example/x.' },
      ],
      reason: 'You asked. Stop it: https://shop.example/profile/notifications',
    });
    expect(subject).toBe('News');
    expect(text).toBe(`Hello,
all of you.

Go on
-----

Confirm:
${url}

Stock: 3

SKU  Line
---  ----
A-1  12
B    7

Quietly:
https://shop.example/x.

-- 
You asked. Stop it:
https://shop.example/profile/notifications
Čaj & “Růže”
https://shop.example
`);
    const escaped = url.replace('&', '&amp;');
    expect(html.split(`href="${escaped}"`)).toHaveLength(3);
    expect(html).toContain(`>${escaped}</a>`);
    expect(html).toContain('Hello,<br>all of you.');
    expect(html).toContain('href="https://shop.example/x"');
    expect(html).toContain('href="https://shop.example/profile/notifications"');
    expect(html).toContain('lang="en"');
    expect(html).toContain('name="color-scheme" content="light dark"');
    // What a list of messages shows beside the subject, before anything that is seen.
    expect(html.indexOf('display:none')).toBeLessThan(html.indexOf('<h1'));
    expect(html.slice(html.indexOf('display:none'), html.indexOf('<h1'))).toContain('Hello,\nall of you.');
  });

  it('makes no links of addresses that are not the shop’s', () => {
    const { html } = drawn({
      blocks: [{ note: 'See https://shop.example.evil.example/x and https://evil.example' }, 'https://evil.example'],
      reason: 'https://shop.exampleevil/',
    });
    expect(html).not.toMatch(/href="[^"]*evil/);
  });

  it('leads nowhere but to the web', () => {
    const button = (url: string) => () => drawn({ blocks: [{ button: { label: 'Go', url } }] });
    for (const url of ['javascript:alert(1)', 'data:text/html,x', '/relative', '', 'https://a b'])
      expect(button(url)).toThrow(/leads nowhere/);
    expect(button('http://localhost:8000/x')).not.toThrow();
  });

  it('has links in tables, which are text in the text, and lead nowhere but to the web', () => {
    const table = (url: string) => ({
      table: {
        head: ['Product', 'State'],
        rows: [
          [
            { text: 'A <b>', url },
            { text: 'rejected', isBad: true },
          ],
        ],
      },
    });
    const { html, text } = drawn({ blocks: [table('https://shop.example/p?a=1&b=2')] });
    expect(html).toMatch(/<a [^>]*href="https:\/\/shop\.example\/p\?a=1&amp;b=2"[^>]*>A &lt;b&gt;<\/a>/);
    expect(html).toMatch(/<span class="bad"[^>]*>rejected<\/span>/);
    expect(text).toContain('Product  State\n-------  --------\nA <b>    rejected\n');
    for (const url of ['javascript:alert(1)', '/relative', '', 'https://a b'])
      expect(() => drawn({ blocks: [table(url)] })).toThrow(/leads nowhere/);
  });

  it('names the cells of a list on a phone, but for the first, and ends it without a line', () => {
    const rows = [
      ['A', '1'],
      ['B', '2'],
    ];
    const { html } = drawn({ blocks: [{ table: { head: ['SKU', 'Stock'], rows } }, { facts: [['a', 'b']] }] });
    expect(html.match(/<td class="ink line title"/g)).toHaveLength(2);
    expect(html.match(/Stock: <\/span>/g)).toHaveLength(2);
    expect(html).not.toContain('SKU: <');
    const ruled = (text: string) => new RegExp(`border-bottom:1px[^>]*>(<span[^<]*</span>)?${text}</td>`);
    for (const text of ['A', '1']) expect(html).toMatch(ruled(text));
    for (const text of ['B', '2', 'b']) expect(html).not.toMatch(ruled(text));
  });

  it('has a subject of one line, and not a long one', () => {
    expect(drawn({ subject: 'A\r\nBcc: eve@example.com\u2028\u0000x\t y' }).subject).toBe('A Bcc: eve@example.com x y');
    expect([...drawn({ subject: '🦊'.repeat(300) }).subject]).toHaveLength(200);
    expect(drawn({ subject: 'half \ud83e a fox' }).subject.isWellFormed()).toBe(true);
    fc.assert(
      fc.property(TEXT, (subject) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(drawn({ subject }).subject).not.toMatch(/[\u0000-\u001f\u007f\u0085\u2028\u2029]/);
      }),
    );
  });
});

describe('its plain text', () => {
  it('keeps lines short, and addresses whole', () => {
    const long = 'https://shop.example/'.padEnd(200, 'x');
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
    const { text } = drawn({ blocks: [`${words} ${long} and more`, { facts: [['Where', `here ${long}`]] }] });
    const lines = text.split('\n');
    expect(lines.filter((line) => line.trim() === long)).toHaveLength(2);
    for (const line of lines) if (!line.includes(long)) expect(line.length).toBeLessThanOrEqual(72);
    expect(text.replace(/\s+/g, ' ')).toContain(`${words} ${long} and more`);
  });

  it('tells a table that is too wide row by row', () => {
    const wide = 'What was wrong with it is a longer story than fits beside all the others in one line.';
    const { text } = drawn({
      blocks: [
        {
          table: {
            head: ['SKU', 'Line', 'Message'],
            rows: [
              ['A', '', wide],
              ['B', '2', 'No'],
            ],
          },
        },
      ],
    });
    expect(text).toContain(
      'SKU: A\nMessage: What was wrong with it is a longer story than fits beside all\n  the others in one line.\n\nSKU: B\nLine: 2\nMessage: No\n',
    );
  });
});
