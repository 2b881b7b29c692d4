import { describe, expect, test } from 'vitest';
import { drawingFor } from './choose.ts';
import { type Drawing, drawSvg } from './index.ts';
import { COLOR_WORDS, GERMAN_HEADS, KIND_WORDS } from './words.ts';

function choose(
  name: string,
  { categoryNames = [] as string[], color = null as string | null, sku = 'S-1' } = {},
): Drawing {
  return drawingFor({ name, categoryNames, color, sku });
}

describe('what a product is', () => {
  test.each([
    ['Meeting That Could Have Been an Email Mug', 'mug'],
    ['Linen shirt dress', 'dress'],
    ['Leather case for phone', 'parcel box bag gift'],
    ['Phone case, shockproof', 'phone-case'],
    ['Espresso cups, set of four', 'cup'],
    ['Running shoes', 'sneaker'],
    ['2 wool blankets', 'blanket'],
    ['Baby feeding bottle', 'baby-bottle'],
    ['CETIRIZ SYRUP', 'syrup'],
    ['Kanchipuram Pure Silk — Red & Gold Zari', 'saree'],
    ['Boucles d’oreilles Alyssia', 'earrings'],
    ['Collier de perles Éline', 'necklace'],
    ['Bracelet Flore', 'bracelet'],
    ['Théière en fonte', 'teapot'],
    ['Chaussures en cuir', 'shoe'],
    ['Kaffeebecher mit Henkel', 'mug'],
    ['Keramikvasen, handgedreht', 'vase'],
    ['Halskette aus Silber', 'necklace'],
    ['Wanduhren', 'clock'],
    ['Suitcases, leather', 'suitcase'],
    ['Fußball', 'football'],
    ['Zapatillas deportivas', 'sneaker'],
    ['Vestido de verano', 'dress'],
    ['Lámpara de mesa', 'lamp'],
    ['Žluťoučký kůň', 'horse'],
    ['Keramický hrnek s uchem', 'mug'],
    ['Dětské boty', 'shoe'],
    ['ساعة ذكية مقاومة للماء', 'smartwatch'],
    ['سماعات لاسلكية بخاصية عزل الضوضاء', 'headphones'],
    ['حافظة هاتف مضادة للصدمات', 'phone-case'],
    ['الحقيبة الجلدية', 'handbag'],
  ])('%s: %s', (name, kinds) => {
    expect(kinds.split(' ')).toContain(choose(name).kind);
  });

  test.each([
    ['Spring offering', 'ring'],
    ['Personal care', 'car'],
    ['Carpet cleaner', 'car'],
    ['Pants', 'pan'],
    ['Startup', 'cup'],
  ])('%s is no %s', (name, kind) => {
    expect(choose(name).kind).not.toBe(kind);
  });

  test('a name that says nothing leaves it to the categories, the narrowest first', () => {
    expect(choose('Claire', { categoryNames: ['Kitchen', 'Mugs'] }).kind).toBe('mug');
    expect(choose('Claire', { categoryNames: ['Mugs', 'Kitchen'] }).kind).toBe('mug');
    expect(choose('Claire', { categoryNames: ['Lamps', 'Mugs'] }).kind).toBe('mug');
    expect(choose('Claire lamp', { categoryNames: ['Mugs'] }).kind).toBe('lamp');
  });

  test('what nothing is known of is something wrapped', () => {
    const kinds = Array.from({ length: 40 }, (_, i) => choose('Xyzzy', { sku: `S-${i}` }).kind);
    expect(new Set(kinds)).toEqual(new Set(['parcel', 'box', 'bag', 'gift']));
  });
});

describe('which colour it has', () => {
  test.each([
    ['Doré', 'gold'],
    ['Navy Blue', 'navy'],
    ['bleu marine', 'navy'],
    ['Sky Blue / White', 'sky'],
    ['dunkelblau', 'navy'],
    ['Grün', 'green'],
    ['Verde', 'green'],
    ['Růžová', 'pink'],
    ['ŽLUTÁ', 'yellow'],
    ['أحمر', 'red'],
    ['Off White', 'white'],
  ] as const)('%s: %s', (color, key) => {
    expect(choose('Mug', { color }).color).toBe(key);
  });

  test('without a colour, or with one that is no word, the name is asked', () => {
    expect(choose('Mug, terracotta').color).toBe('terracotta');
    expect(choose('Mug, terracotta', { color: '#123' }).color).toBe('terracotta');
    expect(choose('Mug, terracotta', { color: 'Blue' }).color).toBe('blue');
  });

  test('jewellery of which nobody says more is gold', () => {
    expect(choose('Bague Capucine').color).toBe('gold');
  });

  test('else a colour that suits the category, by the SKU', () => {
    const colors = Array.from(
      { length: 60 },
      (_, i) => choose('Mug', { categoryNames: ['Kitchen'], sku: `S-${i}` }).color,
    );
    expect(new Set(colors).size).toBe(5);
  });
});

test('a category stands on one ground, and categories on several', () => {
  const ground = (...categoryNames: string[]) => choose('Mug', { categoryNames, sku: String(Math.random()) }).ground;
  expect(ground('Home', 'Lamps', 'Desk')).toBe(ground('Home', 'Lamps'));
  const names = ['Home', 'Shoes', 'Toys', 'Books', 'Garden', 'Audio', 'Bath', 'Kids', 'Tea', 'Bags'];
  expect(new Set(names.map((name) => ground(name))).size).toBeGreaterThan(4);
});

test.each(['', ' ', '—', '((((', '\u0000', '😀😀', '__proto__ constructor toString'])(
  'the name %j gets a drawing too',
  (name) => {
    expect(drawSvg(choose(name, { categoryNames: ['', 'constructor'], color: '' }))).toMatch(/^<svg/);
  },
);

test('a name of any length is soon read', () => {
  const before = performance.now();
  for (const name of ['a'.repeat(200_000), 'en '.repeat(100_000), '('.repeat(200_000), 'š'.repeat(200_000)])
    choose(name);
  expect(performance.now() - before).toBeLessThan(1000);
});

describe('the vocabulary', () => {
  const words = (text: string) => text.split(' ');

  test('no word stands for two things, or for two colours', () => {
    for (const lists of [
      Object.values(KIND_WORDS).map((pair) => words(pair.join(' '))),
      Object.values(COLOR_WORDS).map(words),
    ]) {
      const all = lists.flatMap((list) => [...new Set(list)]);
      expect(all.filter((word, i) => all.indexOf(word) !== i)).toEqual([]);
    }
  });

  test('every end of a German compound is a word too', () => {
    const known = new Set(Object.values(KIND_WORDS).flatMap(([last]) => words(last)));
    expect(words(GERMAN_HEADS).filter((head) => !known.has(head))).toEqual([]);
  });
});
