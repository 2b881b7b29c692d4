import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainLine, plainText, singleLine } from './text.ts';

describe('names', () => {
  test.each([
    ['  Two   words\n here ', 'Two words here'],
    ['L&#039;eau', "L'eau"],
    ['L&#x27;eau', "L'eau"],
    ['caf&eacute; &amp; th&eacute;', 'café & thé'],
    ['A &amp;amp;amp; B', 'A & B'],
    ['&amp;#39;quoted&amp;#39;', "'quoted'"],
    ['&#382;lu&#x165;ou&ccaron;k&yacute;', 'žluťoučký'],
    ['AT&T', 'AT&T'],
    ['R&D; more', 'R&D; more'],
    ['&unknown; &copy', '&unknown; &copy'],
    ['5 &lt; 6', '5 < 6'],
    ['<b>bold</b>', '<b>bold</b>'],
    ['price &#150; now', 'price – now'],
    ['null&#0;byte&#55296;half&#1114112;beyond', 'nullbytehalfbeyond'],
    ['bell\u0007 del\u007f nel\u0085 end\uffff', 'bell del nel end'],
    ['lone \ud800 half', 'lone half'],
    ['smile 😀', 'smile 😀'],
    ['non\u00a0breaking&nbsp;space', 'non breaking space'],
    ['constructor &constructor; &toString;', 'constructor &constructor; &toString;'],
    ['', ''],
    [' \n ', ''],
  ])('%j becomes %j', (text, plain) => {
    expect(plainLine(text)).toBe(plain);
  });

  test('values that are no prose keep their entities', () => {
    expect(singleLine('https://x.example/?a=1&lt=2&amp;b')).toBe('https://x.example/?a=1&lt=2&amp;b');
  });
});

describe('descriptions', () => {
  test.each([
    ['line one \n\n  line two\t', 'line one \n\n  line two'],
    ['a\r\nb\rc', 'a\nb\nc'],
    ['one<br>two<br/>three<BR />four', 'one\ntwo\nthree\nfour'],
    ['one&lt;br&gt;two', 'one\ntwo'],
    ['<p>First.</p><p>Second &amp; <b>last</b>.</p>', 'First.\n\nSecond & last.'],
    ['<ul>\n  <li>red</li>\n  <li>green</li>\n</ul>after', '• red\n• green\n\nafter'],
    ['<div><div>a</div><div>b</div></div>', 'a\nb'],
    ['<b>a</b>\n<i>b</i>', 'a b'],
    ['<table><tr><td>Size</td><td>M</td></tr><tr><td>Colour</td><td>red</td></tr></table>', 'Size M\nColour red'],
    ['a<script>alert("<b>")</script>b<style>p{}</style>c', 'abc'],
    ['a<!-- hidden -->b', 'ab'],
    ['a <!-- no end', 'a <!-- no end'],
    ['<a href="https://x.example" title="t">link</a>', 'link'],
    ['<img src=x onerror=alert(1)>after', 'after'],
    ['5 < 6 and 7 > 3', '5 < 6 and 7 > 3'],
    ['less <3 cm> or <unknown>', 'less <3 cm> or <unknown>'],
    ['mail <me@x.example>', 'mail <me@x.example>'],
    ['<<b>b>odd', 'odd'],
    ['&amp;lt;p&amp;gt;deep&amp;lt;/p&amp;gt;', 'deep'],
    ['<p', '<p'],
    ['', ''],
  ])('%j becomes %j', (text, plain) => {
    expect(plainText(text)).toBe(plain);
  });
});

const pieces = fc.constantFrom(
  ...['&', 'amp;', 'lt;', '&lt;', '&amp;', '&#39;', '&#x26;', 'br', '<', '>', '</', '<br>', '<p>', '</p>', '<li>'],
  ...['<script>', '</script>', '<!--', '-->', ' ', '\n', '\r', '\t', '\u00a0', '\u0001', 'a', 'é', '😀', '\ud83d', ';'],
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
);

test('what comes out goes in again unchanged, and holds no control characters', () => {
  fc.assert(
    fc.property(text, (source) => {
      for (const clean of [singleLine, plainLine, plainText]) {
        const once = clean(source);
        expect(clean(once)).toBe(once);
        expect(once.isWellFormed()).toBe(true);
        expect(once).not.toMatch(/(?![\t\n])\p{Cc}/u);
      }
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['tags never closed', '<b '],
  ['scripts never closed', '<script>'],
  ['comments never closed', '<!-- '],
  ['ampersands', '&amp;'],
  ['spaces', ' '],
  ['spaces before a tag', ' <b> '],
  ['opening brackets', '<'],
])('a quarter of a million characters of %s take no more than a second', (_name, part) => {
  const source = part.repeat(262_144 / part.length);
  const start = performance.now();
  plainText(source);
  plainLine(source);
  expect(performance.now() - start).toBeLessThan(1_000);
});
