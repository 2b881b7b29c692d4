/**
 * From elements to items: finds the feed's items and collects each one's fields, nothing more. What they mean is
 * item-mapper.ts's business. Nothing is kept from one item to the next.
 */
import type { SaxesTagNS } from 'saxes';
import type { Json } from '../../catalogue/index.ts';
import { singleLine } from './text.ts';
import { GOOGLE_NAMESPACE, HTML_MESSAGE, MAX_SPAN, type XmlHandlers, type XmlPlace } from './xml.ts';

/** Bounds of one item, far beyond any real one; a larger one is rejected as a row. In UTF-16 units, and elements. */
const MAX_ITEM_TEXT = 1_048_576;
const MAX_ITEM_ELEMENTS = 2_000;
const MAX_NAME = 100;

/** Google's namespace as feeds write it: https, a slash behind. */
const GOOGLE = /^https?:\/\/base\.google\.com\/ns\/1\.0\/?$/;
/** Namespaces whose prefixed elements count as plain ones: custom attributes, Atom, RSS 1.0. All others are not read. */
const PLAIN = /^https?:\/\/(?:base\.google\.com\/cns\/1\.0\/?|www\.w3\.org\/2005\/Atom|purl\.org\/rss\/1\.0\/)$/;
/** Fields in which HTML may stand unescaped; its tags are kept as text, for text.ts to judge. */
const MARKUP_FIELDS = new Set(['title', 'description', 'summary', 'content']);

type Objects = { [name: string]: Json };

export type RawItem = {
  /** Line at which the item begins. */
  line: number;
  /**
   * The values of each field by local name, in order, never empty ones; where `g:x` and plain `x` both stand, only the
   * `g:` ones. A text at the top is as the file has it, nested ones are clean.
   */
  fields: Map<string, Json[]>;
  tooLarge: boolean;
};

/** Handlers for the XML reader that call `onItem` at each item's end. `place` is where the reader is. */
export function createItemReader(place: XmlPlace, onItem: (item: RawItem) => void): XmlHandlers {
  let itemName = 'item';
  let item: RawItem | null = null;
  let itemDepth = 0;
  let textSize = 0;
  let elements = 0;
  /** Open elements inside the item; of each its name, text, XML attributes and children, from index 1. */
  let level = 0;
  const names: string[] = [''];
  const texts: string[] = [''];
  const attributes: (Objects | null)[] = [null];
  const children: (Objects | null)[] = [null];
  /** Of the outermost one: 2 for `g:`, 1 for plain, 0 for what is no product data. */
  let rank = 0;
  let inMarkup = false;
  /** Fields of the item that only plain elements have given so far. */
  const plainFields = new Set<string>();

  const openRoot = (name: string): void => {
    if (name === 'rss' || name === 'RDF') return;
    if (name === 'feed') {
      itemName = 'entry';
      return;
    }
    if (name.toLowerCase() === 'html') place.refuse('not_xml', HTML_MESSAGE);
    const found = `This is XML, but its outermost element is <${name.slice(0, 60)}>`;
    place.refuse('not_a_feed', `${found}: a feed begins with <rss> (RSS 2.0) or <feed> (Atom).`);
  };

  const openItem = (depth: number): void => {
    item = { line: place.line(), fields: new Map(), tooLarge: false };
    itemDepth = depth;
    textSize = elements = level = 0;
    plainFields.clear();
  };

  const openField = (tag: SaxesTagNS): void => {
    elements += 1;
    if (elements > MAX_ITEM_ELEMENTS) item!.tooLarge = true;
    if (level === 1) {
      rank = rankOf(tag);
      inMarkup = MARKUP_FIELDS.has(tag.local);
    }
    names[level] = tag.local;
    texts[level] = '';
    attributes[level] = attributesOf(tag);
    children[level] = null;
  };

  const addText = (at: number, text: string): void => {
    textSize += text.length;
    if (textSize > MAX_ITEM_TEXT) item!.tooLarge = true;
    if (item!.tooLarge || rank === 0) return;
    texts[at] += text;
    if (texts[at]!.length > MAX_SPAN) {
      place.refuse('text_too_long', `The text of <${names[at]!.slice(0, 60)}> is longer than ${MAX_SPAN} characters.`);
    }
  };

  const closeField = (): void => {
    const name = names[level]!;
    const value = fieldValue(name, texts[level]!, attributes[level]!, children[level]!);
    if (value === null || item!.tooLarge || rank === 0 || name.length > MAX_NAME || name === '__proto__') return;
    if (level > 1) {
      children[level - 1] ??= {};
      append(children[level - 1]!, name, typeof value === 'string' ? singleLine(value) : value);
      return;
    }
    const values = item!.fields.get(name);
    const known = values === undefined ? 0 : plainFields.has(name) ? 1 : 2;
    if (rank < known) return;
    if (rank === known) {
      values!.push(value);
      return;
    }
    item!.fields.set(name, [value]);
    if (rank === 1) plainFields.add(name);
    else plainFields.delete(name);
  };

  return {
    open(tag, depth) {
      if (item === null) {
        if (depth === 1) openRoot(tag.local);
        else if (tag.local === itemName && depth <= 3) openItem(depth);
        return;
      }
      level += 1;
      if (inMarkup && level > 1) addText(1, `<${tag.local}>`);
      else openField(tag);
    },
    text(text) {
      if (level > 0) addText(inMarkup ? 1 : level, text);
    },
    close(tag, depth) {
      if (item === null) return;
      if (depth === itemDepth) {
        onItem(item);
        item = null;
        return;
      }
      if (inMarkup && level > 1) addText(1, `</${tag.local}>`);
      else closeField();
      level -= 1;
    },
  };
}

function rankOf(tag: SaxesTagNS): number {
  if (tag.uri === GOOGLE_NAMESPACE || tag.prefix === 'g' || GOOGLE.test(tag.uri)) return 2;
  return tag.prefix === '' || PLAIN.test(tag.uri) ? 1 : 0;
}

function attributesOf(tag: SaxesTagNS): Objects | null {
  let found: Objects | null = null;
  for (const name in tag.attributes) {
    const { prefix, local, value } = tag.attributes[name]!;
    if (name === 'xmlns' || prefix === 'xmlns' || prefix === 'xml' || local === '__proto__') continue;
    const text = singleLine(value);
    if (text === '') continue;
    found ??= {};
    found[local] = text;
  }
  return found;
}

/** Children count before text, text before XML attributes (as in `<applink property="ios_url" content="…"/>`). */
function fieldValue(name: string, text: string, attributes: Objects | null, children: Objects | null): Json | null {
  if (children !== null) return children;
  if (/[^\s\p{Cc}]/u.test(text)) return text;
  if (name !== 'link') return attributes;
  // RFC 4287, 4.2.7: of an entry's links the alternate one is its page.
  return attributes?.href && (attributes.rel ?? 'alternate') === 'alternate' ? attributes.href : null;
}

function append(object: Objects, name: string, value: Json): void {
  const known = Object.hasOwn(object, name) ? object[name]! : undefined;
  if (known === undefined) object[name] = value;
  else if (Array.isArray(known)) known.push(value);
  else object[name] = [known, value];
}
