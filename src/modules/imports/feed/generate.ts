/**
 * A believable Google Merchant feed of any size, for benches and tests: the same seed gives the same bytes. Words follow
 * Zipf's law (the word of rank r comes about 1/r as often), since search and facets behave quite differently on evenly
 * spread ones. An item is about 1.3 kB.
 */
import { currencyDigits, formatMoney } from '../../../kernel/money.ts';
import {
  ADJECTIVES,
  CATEGORY_TREE,
  COLORS,
  FILLER,
  LETTER_SIZES,
  MATERIALS,
  NOUNS,
  SHOE_SIZES,
} from './generate-words.ts';

const ITEMS_PER_CHUNK = 50;
const BRANDS = 500;
const MADE_UP_WORDS = 3_000;
const ONSETS = [
  'b',
  'br',
  'c',
  'd',
  'dr',
  'f',
  'fl',
  'g',
  'gr',
  'h',
  'k',
  'l',
  'm',
  'n',
  'p',
  'r',
  's',
  'st',
  't',
  'v',
];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'io'];
const CODAS = ['', '', 'l', 'n', 'r', 's', 'x', 'nd', 'rk', 'm'];

type Random = () => number;

/** mulberry32: small, fast, the same on every machine. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const zipf = <T>(random: Random, list: readonly T[]): T => list[Math.floor((list.length + 1) ** random()) - 1]!;
const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);

/** `count` distinct pronounceable words, never one of `taken`. */
function madeUpWords(random: Random, count: number, taken: Iterable<string>): string[] {
  const seen = new Set(taken);
  const made: string[] = [];
  while (made.length < count) {
    let word = '';
    const syllables = 2 + Math.floor(random() * 2);
    for (let i = 0; i < syllables; i++) word += pick(random, ONSETS) + pick(random, VOWELS);
    word += pick(random, CODAS);
    if (seen.has(word)) continue;
    seen.add(word);
    made.push(word);
  }
  return made;
}

/** The twelve digits with GS1's check digit behind them. */
function ean13(body: string): string {
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += Number(body[i]) * (i % 2 === 0 ? 1 : 3);
  return body + ((10 - (sum % 10)) % 10);
}

type Leaf = { path: string; noun: string; sized: readonly string[] | null };

function leaves(): Leaf[] {
  return CATEGORY_TREE.flatMap(([department, groups]) =>
    groups.flatMap(([group, names]) =>
      names.map((name) => ({
        path: `${department} &gt; ${group} &gt; ${name}`.replaceAll(' & ', ' &amp; '),
        noun: name,
        sized: group === 'Shoes' ? SHOE_SIZES : department === 'Clothing' ? LETTER_SIZES : null,
      })),
    ),
  );
}

/**
 * Yields an RSS 2.0 feed of `count` items in pieces of about 65 kB; ids are `SKU-0000001` onwards. A fifth have a sale
 * price, nine in ten a quantity, and about half belong to a group of two to six variants. Every item is one that
 * readFeed accepts in the shop's `currency` (ISO 4217).
 */
export function* generateFeed(count: number, options: { seed: number; currency: string }): Generator<string> {
  const { currency } = options;
  const random = randomFrom(options.seed);
  const known = [...new Set([...ADJECTIVES, ...NOUNS, ...MATERIALS])];
  const madeUp = madeUpWords(random, MADE_UP_WORDS + BRANDS, [...known, ...FILLER]);
  const brands = madeUp.splice(0, BRANDS).map(capital);
  const nameWords = [...known, ...madeUp];
  const prose = [...FILLER, ...nameWords];
  const categories = leaves();
  const unit = Math.max(100, 10 ** currencyDigits(currency));
  const price = (minor: number) => `${formatMoney(minor, currency)} ${currency}`;

  const name = (leaf: Leaf) => {
    const parts = [capital(pick(random, ADJECTIVES))];
    for (let extra = 1 + Math.floor(random() * 5); extra > 0; extra--) parts.push(capital(zipf(random, nameWords)));
    return [...parts, capital(pick(random, MATERIALS)), leaf.noun].join(' ');
  };
  const description = () => {
    let text = '';
    let sentence = 0;
    for (let left = 60 + Math.floor(random() * 31); left > 0; left--) {
      const word = zipf(random, prose);
      text += sentence === 0 ? capital(word) : ` ${word}`;
      const end = left === 1 || (sentence >= 6 && random() < 0.15);
      sentence = end ? 0 : sentence + 1;
      if (end) text += left === 1 ? '.' : '. ';
    }
    return text;
  };

  yield `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">
<channel>
<title>Generated feed</title>
<link>https://shop.example/</link>
<description>${count} made-up products</description>
`;
  let chunk = '';
  let number = 0;
  while (number < count) {
    const leaf = zipf(random, categories);
    const brand = zipf(random, brands);
    const base = name(leaf);
    const text = description();
    const material = pick(random, MATERIALS);
    const gender = random() < 0.3 ? pick(random, ['female', 'male', 'unisex']) : null;
    const listPrice = Math.round((3 + random() ** 3 * 400) * unit);
    const variants = Math.min(count - number, random() < 0.25 ? 2 + Math.floor(random() * 5) : 1);
    for (let v = 0; v < variants; v++) {
      number += 1;
      const sku = `SKU-${String(number).padStart(7, '0')}`;
      const color = COLORS[(number + v) % COLORS.length]!;
      const size = leaf.sized ? leaf.sized[v % leaf.sized.length]! : null;
      const quantity = random() < 0.9 ? Math.floor(random() ** 2 * 120) : null;
      const stock = quantity === 0 ? 'out_of_stock' : 'in_stock';
      chunk += `<item>
<g:id>${sku}</g:id>
<g:title>${base}${variants > 1 ? ` ${capital(color)}` : ''}</g:title>
<g:description>${text}</g:description>
<g:link>https://shop.example/p/${sku}</g:link>
<g:image_link>https://img.shop.example/${sku}/1.jpg</g:image_link>
<g:additional_image_link>https://img.shop.example/${sku}/2.jpg</g:additional_image_link>
<g:price>${price(listPrice)}</g:price>
`;
      if (random() < 0.2) {
        chunk += `<g:sale_price>${price(Math.max(1, Math.round(listPrice * (0.5 + random() * 0.4))))}</g:sale_price>\n`;
      }
      if (quantity !== null) chunk += `<g:quantity>${quantity}</g:quantity>\n`;
      if (random() < 0.8) chunk += `<g:gtin>${ean13(`400${String(number).padStart(9, '0')}`)}</g:gtin>\n`;
      if (variants > 1) chunk += `<g:item_group_id>GROUP-${number - v}</g:item_group_id>\n`;
      if (size !== null) chunk += `<g:size>${size}</g:size>\n`;
      if (gender !== null) chunk += `<g:gender>${gender}</g:gender>\n`;
      chunk += `<g:availability>${stock}</g:availability>
<g:condition>new</g:condition>
<g:brand>${brand}</g:brand>
<g:mpn>${brand.slice(0, 3).toUpperCase()}-${number}</g:mpn>
<g:color>${color}</g:color>
<g:material>${material}</g:material>
<g:product_type>${leaf.path}</g:product_type>
<g:shipping><g:country>US</g:country><g:service>Standard</g:service><g:price>${price(Math.round(4.9 * unit))}</g:price></g:shipping>
</item>
`;
      if (number % ITEMS_PER_CHUNK === 0) {
        yield chunk;
        chunk = '';
      }
    }
  }
  yield `${chunk}</channel>\n</rss>\n`;
}
