import { describe, expect, test } from 'vitest';
import { BLOCK_BYTES } from './blocks.ts';
import { detectEncoding } from './encoding.ts';
import { item, readAll, rss } from './testing.ts';

const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
const named = (encoding: string, content: string) =>
  rss(item(content)).replace('encoding="UTF-8"', `encoding="${encoding}"`);
const BOM = '\ufeff';

describe('detection', () => {
  test.each([
    ['UTF-8 by default', Buffer.from('<rss/>'), 'utf-8'],
    ['UTF-8 by its mark', Buffer.from(`${BOM}<?xml version="1.0" encoding="ISO-8859-1"?>`), 'utf-8'],
    ['UTF-16LE by its mark', utf16(`${BOM}<rss/>`), 'utf-16le'],
    ['UTF-16BE by its mark', utf16(`${BOM}<rss/>`, true), 'utf-16be'],
    ['UTF-16LE by its bytes', utf16('<?xml version="1.0"?>'), 'utf-16le'],
    ['UTF-16BE by its bytes', utf16('<?xml version="1.0"?>', true), 'utf-16be'],
    ['a declared one', Buffer.from('<?xml version="1.0" encoding="windows-1250"?>'), 'windows-1250'],
    ['a declared one in single quotes', Buffer.from("<?xml version='1.0' encoding = 'latin1' ?>"), 'windows-1252'],
    ['UTF-16 declared in bytes that are not', Buffer.from('<?xml version="1.0" encoding="utf-16"?>'), 'utf-8'],
    ['a word further down', Buffer.from('<?xml version="1.0"?><a encoding="latin1"/>'), 'utf-8'],
  ])('%s', (_name, bytes, label) => {
    expect(detectEncoding(bytes)).toBe(label);
  });

  test.each([
    ['EBCDIC-CP-US', Buffer.from('<?xml version="1.0" encoding="EBCDIC-CP-US"?><rss/>'), 'encoding_unknown'],
    ['UTF-7', Buffer.from('<?xml version="1.0" encoding="utf-7"?><rss/>'), 'encoding_unknown'],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0]), 'encoding_unknown'],
    ['PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'not_xml'],
    ['JSON', Buffer.from(' {"items": []}'), 'not_xml'],
    ['CSV', Buffer.from('id\ttitle\tprice\n1\tx\t2'), 'not_xml'],
    ['ZIP', Buffer.from('PK\x03\x04', 'latin1'), 'not_xml'],
    ['zeros', Buffer.alloc(100), 'not_xml'],
  ])('%s is refused', async (_name, bytes, code) => {
    const { error } = await readAll(bytes);
    expect(error).toMatchObject({ code, line: 1, column: 1 });
  });

  test('a picture is called one', async () => {
    expect((await readAll(Buffer.from('\x89PNG', 'latin1'))).error?.message).toContain('a picture');
  });
});

describe('each encoding gives the same product', () => {
  const color = 'Bräunlich – 20 €';
  const one = `<g:color>${color}</g:color>`;
  const legacy = (encoding: string, ...bytes: number[]) =>
    Buffer.from(named(encoding, `<g:color>${String.fromCharCode(...bytes)}</g:color>`), 'latin1');

  test.each([
    ['UTF-8', Buffer.from(rss(item(one))), color],
    ['UTF-8 with mark', Buffer.from(BOM + rss(item(one))), color],
    ['UTF-8 with mark, declared otherwise', Buffer.from(BOM + named('iso-8859-1', one)), color],
    ['UTF-16LE', utf16(BOM + named('UTF-16', one)), color],
    ['UTF-16BE', utf16(BOM + named('UTF-16', one), true), color],
    ['UTF-16LE without mark', utf16(named('UTF-16', one)), color],
    ['windows-1252', legacy('windows-1252', 0x42, 0x72, 0xe4, 0x75, 0x6e, 0x20, 0x96, 0x20, 0x80), 'Bräun – €'],
    ['ISO-8859-1', legacy('ISO-8859-1', 0xe9, 0xdf), 'éß'],
    ['windows-1250', legacy('windows-1250', 0x9e, 0x6c, 0x75, 0x9d), 'žluť'],
    ['windows-1251', legacy('windows-1251', 0xea, 0xf0), 'кр'],
    ['ISO-8859-2', legacy('iso-8859-2', 0xbe, 0xb9), 'žš'],
  ])('%s', async (_name, file, expected) => {
    for (const chunkSize of [1, 7, 100_000]) {
      const { items, error } = await readAll(file, { chunkSize });
      expect(error).toBeNull();
      expect(items[0]?.color).toBe(expected);
    }
  });
});

describe('undecodable bytes are refused with their place', () => {
  const place = async (file: Uint8Array) => {
    const { error } = await readAll(file);
    return error && `${error.code} ${error.line}:${error.column}`;
  };
  const head = Buffer.from('<?xml version="1.0"?>\n<rss>\n');

  test.each([
    ['Latin-1 in UTF-8', [0x61, 0xe9, 0x62], 'encoding_invalid 3:2'],
    ['a character cut short', [0xc3, 0xa9, 0xe2, 0x82, 0x3c], 'encoding_invalid 3:2'],
    ['an overlong form', [0xc0, 0xaf], 'encoding_invalid 3:1'],
    ['a surrogate', [0xed, 0xa0, 0x80], 'encoding_invalid 3:1'],
    ['the end inside a character', [0x61, 0xf0, 0x9f, 0x98], 'encoding_invalid 3:2'],
  ])('%s', async (_name, bytes, expected) => {
    expect(await place(Buffer.concat([head, Buffer.from(bytes)]))).toBe(expected);
  });

  test('a fault in the XML before them is told first', async () => {
    expect(await place(Buffer.concat([head, Buffer.from('<a></b>'), Buffer.from([0xff])]))).toBe('not_well_formed 3:7');
  });

  test.each([-4, -3, -2, -1, 0, 1, 2])('exact also %i bytes off a block’s end', async (offset) => {
    // Text of four-byte characters up to there, then a byte that is never UTF-8.
    const start = Buffer.from('<rss>\n');
    const room = BLOCK_BYTES + offset - start.length;
    const pad = room % 4;
    const text = 'x'.repeat(pad) + '😀'.repeat((room - pad) / 4);
    const file = Buffer.concat([start, Buffer.from(text), Buffer.from([0xff])]);
    expect(file.length).toBe(BLOCK_BYTES + offset + 1);
    expect(await place(file)).toBe(`encoding_invalid 2:${[...text].length + 1}`);
  });

  test('a lone surrogate in UTF-16', async () => {
    const file = Buffer.concat([utf16(`${BOM}<rss>\nab`), Buffer.from([0x00, 0xd8, 0x61, 0x00])]);
    expect(await place(file)).toBe('encoding_invalid 2:3');
  });
});
