import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, jsonLd, type Renderable, styleSheet } from './html.ts';

/** What a browser reads back out of an escaped text: the five entities that `html` writes, and nothing else. */
const readBack = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  );

describe('html', () => {
  it('escapes text, in and out of attributes', () => {
    const name = `"><script>alert('x')</script>&amp;`;
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;';
    expect(html`<p title="${name}">${name}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('leaves no character of any text that could end a tag, an attribute or a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const written = html`${text}`.text;
        expect(written).not.toMatch(/[<>"']/);
        expect(readBack(written)).toBe(text);
      }),
    );
  });

  it('takes its own markup as it stands, however deep', () => {
    expect(html`<ul>${['<a>', 'b'].map((text) => html`<li>${text}</li>`)}</ul>`.text).toBe(
      '<ul><li>&lt;a&gt;</li><li>b</li></ul>',
    );
  });

  it('renders nothing for what is missing, and numbers as they are', () => {
    expect(html`[${null}${undefined}${false}${''}${[]}${0}]`.text).toBe('[0]');
  });

  it('does not believe an object that only looks like markup', () => {
    const forged = { text: '<b>', toString: () => '<b>' } as unknown as Renderable;
    expect(() => html`${forged}`.text).toThrow();
  });

  it('refuses a template in which escaping would not help', () => {
    expect(() => html`<a href=${'x'}>x</a>`).toThrow(/without quotes/);
    expect(() => html`<${'img'}>`).toThrow(/tag's name/);
    expect(() => html`<p ${'onclick'}>x</p>`).toThrow(/among the attributes/);
    expect(() => html`<p${' onclick'}>x</p>`).toThrow(/among the attributes/);
    expect(html`<p${html` class="${'"'}"`} title='${'>'}'${false}>x</p>`.text).toBe(
      `<p class="&quot;" title='&gt;'>x</p>`,
    );
    expect(() => html`<script>const name = "${'x'}";</script>`).toThrow(/into files/);
    expect(html`<a href="/products?brand=${'x'}&amp;page=${2}">x</a>`.text).toContain('brand=x&amp;page=2');
  });
});

describe('jsonLd', () => {
  it('can be ended by no value, and is the same data', () => {
    const data = { name: '</script><script>alert(1)</script><!--', more: ['&lt;', '\u2028', '"'] };
    const block = jsonLd(data).text;
    const inner = /^<script type="application\/ld\+json">(.*)<\/script>$/s.exec(block)![1]!;
    expect(inner).not.toMatch(/[<>&]/);
    expect(JSON.parse(inner)).toEqual(data);
  });
});

describe('styleSheet', () => {
  it('is what stands in the program, and takes nothing else', () => {
    expect(styleSheet`p { margin: 0 }`.text).toBe('<style>p { margin: 0 }</style>');
    expect(() => styleSheet`p { color: ${'red' as never} }`).toThrow(/stands in the program/);
    expect(() => styleSheet`</style><script>`).toThrow(/stands in the program/);
  });
});
