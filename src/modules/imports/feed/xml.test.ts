import { describe, expect, test } from 'vitest';
import type { FeedError } from './issue.ts';
import { createXmlReader, MAX_SPAN } from './xml.ts';

/** Writes `parts` and ends; the events, and the error if there is one. */
function run(...parts: string[]): { events: string[]; error: FeedError | null } {
  const events: string[] = [];
  const xml = createXmlReader(() => ({
    open: (tag, depth) => void events.push(`<${tag.local}>${depth}`),
    text: (text) => void events.push(text),
    close: (tag, depth) => void events.push(`</${tag.local}>${depth}`),
  }));
  try {
    for (const part of parts) xml.write(part);
    xml.end();
    return { events, error: null };
  } catch (error) {
    return { events, error: error as FeedError };
  }
}

const refusal = (...parts: string[]) => {
  const { error } = run(...parts);
  return error && `${error.code} ${error.line}:${error.column}`;
};

test('passes elements with depth and text', () => {
  expect(run('<a>x<b/>y &amp; <![CDATA[<z>]]></a>')).toEqual({
    events: ['<a>1', 'x', '<b>2', '</b>2', 'y & ', '<z>', '</a>1'],
    error: null,
  });
});

test.each([
  ['a bare & with a later entity', '<a>\n<b>salt & pepper</b>\n<c>x &amp; y</c></a>', 'not_well_formed 2:9'],
  ['a bare & with nothing behind', '<a>\n<b>salt & pepper</b></a>', 'not_well_formed 2:9'],
  ['a bare & behind good ones', '<a>x &lt; &#39; &#x27; &amp; é😀 & y &amp;</a>', 'not_well_formed 1:33'],
  ['a bare & after CRLF lines', '<a>\r\n\r\nx & y &amp; z</a>', 'not_well_formed 3:3'],
  ['a bare & in an XML attribute', '<a b="x & y &amp;"/>', 'not_well_formed 1:9'],
  ['a bare & behind a comment with one', '<a>x<!-- p & q\n --> y & z;</a>', 'not_well_formed 2:8'],
  ['an entity of HTML', '<a>x&nbsp;y</a>', 'not_well_formed 1:5'],
  ['an empty entity', '<a>x &; y</a>', 'not_well_formed 1:6'],
  ['a reference to no character', '<a>&#0;</a>', 'not_well_formed 1:7'],
  ['a closing tag too early', '<a>\n<b>x</a>', 'not_well_formed 2:8'],
  ['a closing tag without opening', '<a></a>\n</b>', 'not_well_formed 2:4'],
  ['a bare <', '<a>1 < 2</a>', 'not_well_formed 1:7'],
  ['an undeclared prefix', '<a>\n<x:b/></a>', 'not_well_formed 2:6'],
  ['a control character', '<a>\u0001</a>', 'not_well_formed 1:4'],
  ['blank lines before the declaration', '\n<?xml version="1.0"?><a/>', 'not_well_formed 2:6'],
  ['two outermost elements', '<a/>\n<b/>', 'not_well_formed 2:3'],
  ['text behind the end', '<a/> x', 'not_well_formed 1:6'],
  ['no end', '<a>\n<b>x', 'not_well_formed 2:5'],
  ['no end of a tag', '<a>\n<b', 'not_well_formed 2:3'],
  ['no end of an entity', '<a>\nx &am', 'not_well_formed 2:6'],
  ['no end of a comment', '<a>\n<!-- x & y', 'not_well_formed 2:11'],
  ['a declaration only', '<?xml version="1.0"?>', 'not_well_formed 1:22'],
  ['nothing', '', 'empty_file 1:1'],
  ['white space', ' \n ', 'empty_file 2:2'],
  ['no XML', 'hello', 'not_xml 1:1'],
  ['a web page', '<!DOCTYPE html><html></html>', 'not_xml 1:1'],
  ['a DOCTYPE', '<?xml version="1.0"?>\n<!DOCTYPE rss SYSTEM "x.dtd"><rss/>', 'dtd_not_allowed 2:1'],
  ['a DOCTYPE without end', '<!-- x\n -->\n <!DOCTYPE rss [', 'dtd_not_allowed 3:2'],
  ['a DOCTYPE inside', '<rss><!DOCTYPE x></rss>', 'not_well_formed 1:14'],
])('refuses %s with its place', (_name, text, expected) => {
  expect(refusal(text)).toBe(expected);
});

test.each([
  ['x & y &amp;', 'A bare & is not allowed in XML: it must be written &amp;.'],
  ['x &nbsp; y', 'XML does not know &nbsp;'],
  ['<b>', 'A closing tag comes here while <b> is still open'],
  ['<x:b/>', 'The prefix x: is used but not declared'],
  ['1 < 2', 'A bare < is not allowed in XML'],
])('%j is explained', (content, message) => {
  expect(run(`<a>${content}</a>`).error?.message).toContain(message);
});

test('a file that was cut off is said to be', () => {
  expect(run('<rss><channel><item><title>Th').error?.message).toBe(
    'The file ends although <title> is not closed yet: it was cut off. Fetch or upload it again.',
  );
});

test('g: and c: need not be declared, and may be declared otherwise', () => {
  expect(run('<rss><g:id>1</g:id><c:x>2</c:x></rss>').error).toBeNull();
  expect(run('<rss xmlns:g="urn:other"><g:id>1</g:id></rss>').error).toBeNull();
});

describe('what has no end is refused while it grows', () => {
  const piece = 'abcdefgh '.repeat(1_000);
  test.each([
    ['text', '<a>', piece, 'text_too_long 1:4'],
    ['CDATA', '<a>\n<![CDATA[', piece, 'text_too_long 2:2'],
    ['a comment', '<a><!--', piece, 'text_too_long 1:4'],
    ['a comment before all', '<!--', piece, 'text_too_long 1:1'],
    ['a processing instruction', '<a><?php ', piece, 'text_too_long 1:4'],
    ['an XML attribute', '<a><b c="', piece, 'text_too_long 1:4'],
    ['an element name', '<a><', piece.replaceAll(' ', ''), 'text_too_long 1:4'],
    ['white space in a tag', '<a><b ', ' '.repeat(9_000), 'text_too_long 1:4'],
    ['white space behind the end', '<a/>', ' '.repeat(9_000), 'text_too_long 1:5'],
    ['XML attributes', '<a><b ', Array.from({ length: 1_000 }, (_, i) => `a${i}="" `).join(''), 'text_too_long 1:4'],
    ['entities', '<a>', '&amp;'.repeat(1_800), 'text_too_long 1:4'],
    ['an entity name', '<a>x &', piece.replaceAll(' ', ''), 'not_well_formed 1:6'],
    ['text behind a bare &', '<a>x & y ', piece, 'not_well_formed 1:6'],
    ['a DOCTYPE', '<!-- x -->', `<!DOCTYPE rss [${piece}`, 'dtd_not_allowed 1:11'],
  ])('%s', (_name, start, more, expected) => {
    let written = 0;
    const xml = createXmlReader(() => ({ open() {}, text() {}, close() {} }));
    const write = () => {
      xml.write(start + more);
      for (; written < 10 * MAX_SPAN; written += more.length) xml.write(more);
    };
    let error: FeedError | null = null;
    try {
      write();
    } catch (caught) {
      error = caught as FeedError;
    }
    expect(error && `${error.code} ${error.line}:${error.column}`).toBe(expected);
    expect(written).toBeLessThan(MAX_SPAN + 2 * more.length);
  });
});

test('a text of just the limit passes, one character more does not', () => {
  const passing = 'x'.repeat(MAX_SPAN - 1);
  expect(refusal(`<a>${passing}</a>`)).toBeNull();
  expect(refusal(`<a>${passing}x</a>`)).toBe('text_too_long 1:4');
  expect(refusal('<a>', passing, 'x', '</a>')).toBe('text_too_long 1:4');
  expect(refusal(`<a>\n${'<b>x</b>'.repeat(MAX_SPAN / 4)}</a>`)).toBeNull();
});

test('what is too long is refused as that, whatever comes behind and however it was cut', () => {
  const long = 'x'.repeat(MAX_SPAN + 10);
  expect(refusal(`<a>${long}\u0001`)).toBe('text_too_long 1:4');
  expect(refusal('<a>', long, '\u0001')).toBe('text_too_long 1:4');
  expect(refusal(`<a>${long}`)).toBe('text_too_long 1:4');
});

test('a DOCTYPE behind the first block is refused as well', () => {
  const file = `<!-- ${'x'.repeat(70_000)} -->\n<!DOCTYPE rss [<!ENTITY a "b">]><rss/>`;
  expect(refusal(file.slice(0, 65_536), file.slice(65_536))).toMatch(/^dtd_not_allowed 2:/);
});

test('depth and XML attributes are limited', () => {
  expect(refusal('<a>'.repeat(32) + '</a>'.repeat(32))).toBeNull();
  expect(refusal('<a>'.repeat(33))).toBe('too_deep 1:99');
  const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}=""`).join('');
  expect(refusal(`<a${attributes(64)}/>`)).toBeNull();
  expect(refusal(`<a${attributes(65)}/>`)).toMatch(/^too_many_attributes/);
});
