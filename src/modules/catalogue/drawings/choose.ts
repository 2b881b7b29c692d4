/**
 * Which drawing stands for a product that has no picture. It is asked for every row of a feed, so a name costs a few
 * look-ups in maps made once (about 3 µs), never a scan of the vocabulary.
 */

import { hash } from './hash.ts';
import type { Drawing, DrawingColor, DrawingGround, DrawingKind } from './kinds.ts';
import { COLOR_WORDS, GERMAN_HEADS, KIND_WORDS } from './words.ts';

type Word = { kind: DrawingKind; first: boolean };

const KINDS_BY_WORD = new Map<string, Word>();
const COLORS_BY_WORD = new Map<string, DrawingColor>();
const HEADS = new Map<string, DrawingKind>();
/** The first words of what means something only together: for other words no pair need be tried. */
const PAIR_STARTS = new Set<string>();

for (const [kind, [last, first]] of Object.entries(KIND_WORDS) as [DrawingKind, readonly [string, string]][]) {
  for (const word of wordList(first)) KINDS_BY_WORD.set(word, { kind, first: true });
  for (const word of wordList(last)) KINDS_BY_WORD.set(word, { kind, first: false });
}
for (const [color, words] of Object.entries(COLOR_WORDS) as [DrawingColor, string][]) {
  for (const word of wordList(words)) COLORS_BY_WORD.set(word, color);
}
for (const word of [...KINDS_BY_WORD.keys(), ...COLORS_BY_WORD.keys()]) {
  if (word.includes(' ')) PAIR_STARTS.add(word.split(' ', 1)[0]!);
}
for (const head of wordList(GERMAN_HEADS)) HEADS.set(head, KINDS_BY_WORD.get(head)!.kind);

function wordList(text: string): string[] {
  return text.split(' ').map((entry) => fold(entry.replaceAll('_', ' ')));
}

/** Lower case without accents; `ß` is `ss`. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a test for plain ASCII, which most names are.
  if (/^[\x00-\x7f]*$/.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll('œ', 'oe');
}

/** Where what a thing is for, or comes with, begins: "case for phone", "Kerze mit Duft", "tasse avec soucoupe". */
const BREAKS = new Set([
  ' - ',
  ...wordList(', ( | – — / : with for in from by mit für aus avec pour en con para de na pro s se z'),
]);

/** The words, and the signs after which a name only adds something. */
function wordsOf(text: string): string[] {
  return fold(text).match(/[\p{L}\p{N}]+|[,(|–—/:]| - /gu) ?? [];
}

/** The entry of a word in any of its forms, of the noun behind an Arabic article, or of a German compound's end. */
function lookUp(word: string): Word | undefined {
  const forms = formsOf(word);
  for (const form of forms) {
    const found = KINDS_BY_WORD.get(form);
    if (found) return found;
  }
  if (word.startsWith('ال')) return KINDS_BY_WORD.get(word.slice(2));
  if (word.length < COMPOUND.shortest || word.length > COMPOUND.longest) return undefined;
  for (const form of forms) {
    for (let at = 3; at <= form.length - COMPOUND.shortestHead; at++) {
      const kind = HEADS.get(form.slice(at));
      if (kind) return { kind, first: false };
    }
  }
  return undefined;
}

/** No compound is longer than this, and looking for its end would take long in what is no word at all. */
const COMPOUND = { shortest: 8, longest: 40, shortestHead: 4 } as const;

/** The word, and what it may be the plural of: mugs, dresses, Tassen, Uhren. */
function formsOf(word: string): string[] {
  const forms = [word];
  if (word.length >= 4 && word.endsWith('s')) forms.push(word.slice(0, -1));
  if (word.length >= 6 && /[en]$/.test(word)) forms.push(word.slice(0, -1));
  if (word.length >= 6 && /(?:[sx]es|[cs]hes|en)$/.test(word)) forms.push(word.slice(0, -2));
  return forms;
}

function lookUpPair(one: string, two: string): Word | undefined {
  if (!PAIR_STARTS.has(one)) return undefined;
  const pair = `${one} ${two}`;
  return KINDS_BY_WORD.get(pair) ?? (two.endsWith('s') ? KINDS_BY_WORD.get(pair.slice(0, -1)) : undefined);
}

/** What the words up to `end` name: in "linen shirt dress" the last thing, in "collier perle" the first. */
function kindAmong(words: readonly string[], end: number): DrawingKind | null {
  let first: Word | undefined;
  let last: Word | undefined;
  for (let i = 0; i < end; i++) {
    const together = i + 1 < end ? lookUpPair(words[i]!, words[i + 1]!) : undefined;
    const found = together ?? lookUp(words[i]!);
    if (together) i++;
    if (!found) continue;
    first ??= found;
    last = found;
  }
  if (!first || !last) return null;
  return first.first ? first.kind : last.kind;
}

function kindIn(words: readonly string[]): DrawingKind | null {
  const end = words.findIndex((word) => BREAKS.has(word));
  return (end > 0 ? kindAmong(words, end) : null) ?? kindAmong(words, words.length);
}

function colorIn(words: readonly string[]): DrawingColor | null {
  for (const [i, word] of words.entries()) {
    const together = PAIR_STARTS.has(word) ? COLORS_BY_WORD.get(`${word} ${words[i + 1]}`) : undefined;
    const found = together ?? COLORS_BY_WORD.get(word);
    if (found) return found;
  }
  return null;
}

/** What some things are made of, where nobody says otherwise. */
const NATURAL: Partial<Record<DrawingKind, DrawingColor>> = {
  ring: 'gold',
  band: 'gold',
  necklace: 'gold',
  earrings: 'gold',
  bracelet: 'gold',
  bangle: 'gold',
  pearls: 'white',
  mirror: 'gold',
  basket: 'tan',
  box: 'tan',
  parcel: 'tan',
  football: 'black',
  bandage: 'cream',
  plasters: 'tan',
  laptop: 'silver',
  glass: 'sky',
};

/** Each ground with the colours that sit well on it, for things whose colour nobody gives. */
const GROUND_COLORS: readonly (readonly [DrawingGround, readonly DrawingColor[]])[] = [
  ['sand', ['teal', 'navy', 'rust', 'olive', 'burgundy']],
  ['blush', ['teal', 'burgundy', 'green', 'navy', 'rust']],
  ['mist', ['terracotta', 'mustard', 'navy', 'rust', 'tan']],
  ['moss', ['terracotta', 'cream', 'rust', 'green', 'mustard']],
  ['stone', ['blue', 'rust', 'mustard', 'green', 'rose']],
  ['butter', ['teal', 'blue', 'green', 'terracotta', 'navy']],
  ['dusk', ['rust', 'white', 'mustard', 'navy', 'purple']],
  ['clay', ['white', 'teal', 'navy', 'cream', 'olive']],
  ['heather', ['gold', 'burgundy', 'purple', 'navy', 'teal']],
  ['sea', ['rust', 'terracotta', 'white', 'mustard', 'navy']],
];

/** What stands for things that nothing is known of: something wrapped with care. */
const UNKNOWN = ['parcel', 'box', 'bag', 'gift'] as const satisfies readonly DrawingKind[];

/**
 * The drawing for a product without a picture: its kind by the words of its name, else of its categories from the
 * narrowest up, else a wrapped thing; its colour by a colour word, else one that suits its category's ground.
 */
export function drawingFor(product: {
  name: string;
  categoryNames: string[];
  color: string | null;
  sku: string;
}): Drawing {
  const { categoryNames } = product;
  const name = wordsOf(product.name);
  const chance = hash(product.sku);
  let kind = kindIn(name);
  for (let i = categoryNames.length - 1; kind === null && i >= 0; i--) kind = kindIn(wordsOf(categoryNames[i]!));
  kind ??= UNKNOWN[chance % UNKNOWN.length]!;
  const [ground, colors] = GROUND_COLORS[hash(categoryNames[1] ?? categoryNames[0] ?? '') % GROUND_COLORS.length]!;
  const named = (product.color === null ? null : colorIn(wordsOf(product.color))) ?? colorIn(name);
  return { kind, color: named ?? NATURAL[kind] ?? colors[(chance >>> 8) % colors.length]!, view: 1, ground };
}
