/**
 * From bytes to text: which encoding a feed is in (XML 1.0, appendix F), and a decoder that says where it fails.
 */
import { FeedError } from './issue.ts';

const BOMS: readonly (readonly [number[], string | null])[] = [
  [[0xff, 0xfe, 0, 0], null], // UTF-32, which TextDecoder lacks
  [[0, 0, 0xfe, 0xff], null],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/** What a file that does not begin with `<` most likely is, for the error's message. */
const OTHER_FILES: readonly (readonly [RegExp, string])[] = [
  [/^\s*[{[]/, 'JSON'],
  [/^PK/, 'a ZIP archive (unpack it first)'],
  [/^\x89PNG|^GIF8|^\xff\xd8\xff|^RIFF/, 'a picture'],
  [/^%PDF/, 'a PDF document'],
  [/^BZh|^\xfd7zXZ|^\(\xb5\/\xfd/, 'packed in a way not known here (only gzip is)'],
  [/^[^\n]*\t[^\n]*\t/, 'a table in text form'],
];

/**
 * The TextDecoder label of the file that begins with `head`: a byte order mark wins over what is declared, and a
 * declared UTF-16 whose declaration can be read byte by byte is UTF-8 (as .NET's StringWriter makes them).
 *
 * @throws FeedError `not_xml` when the bytes cannot begin an XML file, `encoding_unknown`.
 */
export function detectEncoding(head: Uint8Array): string {
  const bom = BOMS.find(([bytes]) => bytes.every((byte, i) => head[i] === byte));
  if (bom) return bom[1] ?? unknown('UTF-32');
  if (head[0] === 0x3c && head[1] === 0 && head[2] !== 0) return 'utf-16le';
  if (head[0] === 0 && head[1] === 0x3c) return 'utf-16be';

  const start = Buffer.from(head.subarray(0, 1024)).toString('latin1');
  if (/^\s*[^\s<]/.test(start)) {
    const what = OTHER_FILES.find(([pattern]) => pattern.test(start))?.[1];
    throw new FeedError(
      'not_xml',
      `This is not an XML file${what ? ` but ${what}` : ''}. Give an RSS or Atom feed.`,
      1,
      1,
    );
  }
  const declared = /^<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"'<>]{1,40})["']/.exec(start)?.[1] ?? 'utf-8';
  try {
    const { encoding } = new TextDecoder(declared);
    return encoding.startsWith('utf-16') ? 'utf-8' : encoding;
  } catch {
    return unknown(declared);
  }
}

function unknown(name: string): never {
  throw new FeedError('encoding_unknown', `The encoding ${name} is not known here. Save the feed in UTF-8.`, 1, 1);
}

/** Thrown by a decoder: `before` is the text of its block that could still be decoded. */
export class UndecodableError extends Error {
  readonly before: string;

  constructor(before: string) {
    super('undecodable bytes');
    this.before = before;
  }
}

export type Decoder = { label: string; decode(block?: Uint8Array): string };

/**
 * A decoder for successive blocks of one file, all but the last of even length. A call without a block ends the file.
 * For UTF-8, UTF-16 and the one-byte encodings the place of a failure is exact; for other legacy encodings it may be
 * off by a character.
 *
 * @throws UndecodableError
 */
export function createDecoder(label: string): Decoder {
  const decoder = new TextDecoder(label, { fatal: true });
  let last: Uint8Array = new Uint8Array(0);
  return {
    label,
    decode(block) {
      try {
        const text = block ? decoder.decode(block, { stream: true }) : decoder.decode();
        if (block) last = block.slice(-3);
        return text;
      } catch {
        throw new UndecodableError(block ? decodablePart(label, last, block) : '');
      }
    },
  };
}

function decodablePart(label: string, last: Uint8Array, block: Uint8Array): string {
  const bytes = Buffer.concat([unfinished(label, last), block]);
  const decode = (length: number): string | null => {
    try {
      const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: last.length > 0 });
      return decoder.decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return null;
    }
  };
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decode(middle) === null) bad = middle;
    else good = middle;
  }
  return decode(good) ?? '';
}

/** The bytes at the end of a good block that begin a character and wait for the next block. */
function unfinished(label: string, last: Uint8Array): Uint8Array {
  if (label === 'utf-8') {
    for (let length = 1; length <= last.length; length++) {
      const byte = last[last.length - length]!;
      if ((byte & 0xc0) === 0x80) continue;
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return needed > length ? last.subarray(-length) : new Uint8Array(0);
    }
  }
  if (label.startsWith('utf-16') && last.length >= 2) {
    const high = last.at(label === 'utf-16le' ? -1 : -2)!;
    if (high >= 0xd8 && high <= 0xdb) return last.subarray(-2);
  }
  return new Uint8Array(0);
}
