/**
 * saxes with a guard round it. saxes keeps a text, comment, attribute or name without end in memory until it ends, and
 * takes a bare `&` for the beginning of an entity until some later `;`, perhaps pages further down. So the guard
 *
 * - refuses whatever goes on for more than MAX_SPAN characters without an event, while it grows;
 * - keeps the raw text since the last event, to name the place of the `&` itself and not that of the `;`;
 * - refuses a DOCTYPE as it begins: DTDs are never read, so no entity can be declared or fetched.
 *
 * What is told depends on the text alone, not on how it was cut into pieces.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { FeedError, type FeedErrorCode } from './issue.ts';

/** The longest text, comment or tag, in UTF-16 units. Google's longest attribute, the description, has 5,000. */
export const MAX_SPAN = 262_144;
const MAX_DEPTH = 32;
const MAX_XML_ATTRIBUTES = 64;

export const GOOGLE_NAMESPACE = 'http://base.google.com/ns/1.0';
const CUSTOM_NAMESPACE = 'http://base.google.com/cns/1.0';

/** Comments and processing instructions, which have no event, at the beginning of what follows the last one. */
const PASSED_MARKUP = /^(?:<?(?:!--[\s\S]*?-->|\?[\s\S]*?\?>))*/;
const BAD_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/;
const ENTITY_ERRORS = new Set([
  'undefined entity.',
  'disallowed character in entity name.',
  'malformed character entity.',
  'empty entity name.',
]);

type Position = { line: number; column: number };

export type XmlHandlers = {
  open(tag: SaxesTagNS, depth: number): void;
  text(text: string): void;
  close(tag: SaxesTagNS, depth: number): void;
};

/** Where the reader is, for its handlers. */
export type XmlPlace = {
  /** From 1. */
  line(): number;
  /** Refuses the file at this place. */
  refuse(code: FeedErrorCode, message: string): never;
};

export type XmlReader = {
  write(text: string): void;
  /** The file has ended. */
  end(): void;
  /** Refuses the file for what follows the text written last. */
  refuseNext(code: FeedErrorCode, message: string): never;
};

/**
 * A namespace-aware reader that passes elements and their text to the handlers made by `handle`. `g:` and `c:` count as
 * declared even if the feed forgets to declare them, as some in the wild do.
 *
 * @throws FeedError from `write` and `end` for all that is not well-formed or too large
 */
export function createXmlReader(handle: (place: XmlPlace) => XmlHandlers): XmlReader {
  const parser = new SaxesParser({
    xmlns: true,
    position: false,
    additionalNamespaces: { g: GOOGLE_NAMESPACE, c: CUSTOM_NAMESPACE },
  });
  let written = 0;
  let blank = true;
  let depth = 0;
  let closed = '';
  let ending = false;
  // The place behind the last event, and the raw text from there on as of the last write.
  let lastPosition = 0;
  let lastLine = 1;
  let lastColumn = 0;
  let recent = '';
  let recentFrom = 0;

  const fail = (code: FeedErrorCode, message: string, at: Position = parser): never => {
    throw new FeedError(code, message, at.line, Math.max(1, at.column));
  };
  const mark = (): void => {
    const { position } = parser;
    if (position - lastPosition > MAX_SPAN) failTooLong();
    lastPosition = position;
    lastLine = parser.line;
    lastColumn = parser.column;
  };
  /** Refuses the file at a bare `&` since the last event, if there is one outside of comments and CDATA sections. */
  const failAtAmpersand = (): void => {
    const pending = recent.slice(lastPosition - recentFrom, lastPosition - recentFrom + MAX_SPAN);
    const passed = PASSED_MARKUP.exec(pending)![0];
    const text = pending.slice(passed.length);
    const at = /^<?[!?]/.test(text) ? undefined : BAD_AMPERSAND.exec(text)?.index;
    if (at === undefined) return;
    const rest = text.slice(at);
    if (/^&#?\w{0,10}$/.test(rest)) return; // the end of it was not read yet
    const name = /^&(\w{1,31});/.exec(rest)?.[1];
    const message = name
      ? `XML does not know &${name}; – write the character itself, or &amp;${name}; where it is part of HTML text.`
      : 'A bare & is not allowed in XML: it must be written &amp;.';
    fail('not_well_formed', message, behind({ line: lastLine, column: lastColumn }, passed + text.slice(0, at)));
  };
  const failTooLong = (): void => {
    failAtAmpersand();
    const at = { line: lastLine, column: lastColumn + 1 };
    fail('text_too_long', `A text, comment or tag that begins here is longer than ${MAX_SPAN} characters.`, at);
  };

  const place: XmlPlace = { line: () => parser.line, refuse: (code, message) => fail(code, message) };
  const handlers = handle(place);

  // saxes keeps handlers under computed names, and with the seventh V8 turns the parser into a slow dictionary: a whole
  // import took eight times as long. So no more than six; comments, declarations and attributes go without.
  parser.on('error', ({ message }) => {
    if (!ending && parser.position - lastPosition > MAX_SPAN) failTooLong();
    if (ending || ENTITY_ERRORS.has(message)) failAtAmpersand();
    if (!ending) fail('not_well_formed', plainMessage(message, closed));
    const at = { line: parser.line, column: parser.column + 1 };
    if (blank) fail('empty_file', 'The file is empty.', at);
    fail('not_well_formed', endMessage(message), at);
  });
  parser.on('doctype', () => fail('dtd_not_allowed', DTD_MESSAGE));
  parser.on('opentag', (tag) => {
    mark();
    depth += 1;
    if (depth > MAX_DEPTH) fail('too_deep', `Elements are nested more than ${MAX_DEPTH} deep.`);
    let attributes = 0;
    for (const _ in tag.attributes) attributes += 1;
    if (attributes > MAX_XML_ATTRIBUTES) {
      fail('too_many_attributes', `A tag has more than ${MAX_XML_ATTRIBUTES} XML attributes.`);
    }
    handlers.open(tag, depth);
  });
  const onText = (text: string): void => {
    mark();
    handlers.text(text);
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', (tag) => {
    mark();
    closed = tag.name;
    handlers.close(tag, depth);
    depth -= 1;
  });

  return {
    write(text) {
      if (written === 0) checkStart(text);
      if (blank) blank = !/\S/.test(text);
      recent = recent.slice(lastPosition - recentFrom) + text;
      recentFrom = lastPosition;
      written += text.length;
      parser.write(text);
      // One more than the limit: saxes may hold a character back.
      if (written - lastPosition > MAX_SPAN + 1) failTooLong();
    },
    end() {
      ending = true;
      parser.close();
    },
    refuseNext: (code, message) => fail(code, message, { line: parser.line, column: parser.column + 1 }),
  };
}

const DTD_MESSAGE =
  'The file has a DOCTYPE. Feeds have none, and for safety DTDs and entities declared in them are refused.';

export const HTML_MESSAGE = 'This is a web page (HTML), not a feed. Use the address of the feed itself.';

/** Refuses what is no XML, and a DOCTYPE before saxes begins to collect it. */
function checkStart(start: string): void {
  const prolog = /^\s*(?:<\?[\s\S]*?\?>\s*|<!--[\s\S]*?-->\s*)*/.exec(start)![0];
  const rest = start.slice(prolog.length, prolog.length + 100);
  const { line, column } = behind({ line: 1, column: 0 }, prolog);
  if (/^[^<]/.test(rest) && !prolog.includes('<')) throw new FeedError('not_xml', NOT_XML_MESSAGE, line, column);
  if (/^<!doctype\s+html\b/i.test(rest)) throw new FeedError('not_xml', HTML_MESSAGE, line, column);
  if (/^<!doctype/i.test(rest)) throw new FeedError('dtd_not_allowed', DTD_MESSAGE, line, column);
}

const NOT_XML_MESSAGE = 'This is not an XML file: it does not begin with a tag. Give an RSS or Atom feed.';

/** Where the character behind `text` stands, when `text` begins behind `from`, whose column counts what is before. */
function behind(from: Position, text: string): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const characters = [...lines.at(-1)!].length;
  return lines.length === 1
    ? { line: from.line, column: from.column + characters + 1 }
    : { line: from.line + lines.length - 1, column: characters + 1 };
}

function endMessage(message: string): string {
  const tag = /^unclosed tag: (.*)$/s.exec(message)?.[1];
  if (tag)
    return `The file ends although <${tag.slice(0, 60)}> is not closed yet: it was cut off. Fetch or upload it again.`;
  if (message.startsWith('document must')) return 'The file ends before its first element.';
  return 'The file ends in the middle of a tag: it was cut off. Fetch or upload it again.';
}

/** What saxes found, in words a shopkeeper can act upon; `tag` is the element closed last. */
function plainMessage(message: string, tag: string): string {
  const prefix = /^unbound namespace prefix: "(.*)"\.$/s.exec(message)?.[1];
  if (prefix)
    return `The prefix ${prefix.slice(0, 60)}: is used but not declared with xmlns:${prefix.slice(0, 60)}="…".`;
  if (message.startsWith('unexpected close tag')) {
    return `A closing tag comes here while <${tag.slice(0, 60)}> is still open: it must be closed first.`;
  }
  const unmatched = /^unmatched closing tag: (.*)\.$/s.exec(message)?.[1];
  if (unmatched) return `The closing tag </${unmatched.slice(0, 60)}> has no opening tag.`;
  if (message.startsWith('an XML declaration must')) {
    return 'The XML declaration (<?xml …?>) must be the very first thing in the file: remove what stands before it.';
  }
  if (message.startsWith('disallowed character in tag name')) return 'A bare < is not allowed in XML: write &lt;.';
  if (message.startsWith('malformed character'))
    return 'This character reference names a character that XML does not allow.';
  if (message === 'disallowed character.') {
    return 'A character stands here that XML does not allow: a control character, or < in an attribute (write &lt;).';
  }
  if (message.startsWith('text data outside')) return 'Text stands outside the outermost element.';
  if (message.startsWith('documents may contain only one')) return 'A second outermost element begins here.';
  return `The XML is not well-formed: ${message.slice(0, 200)}`;
}
