import { describe, expect, it } from 'vitest';
import { compareSizes, money, products, saving } from './format.ts';
import { pageNumbers } from './pagination.ts';
import { blocks, excerpt } from './text.ts';

describe('amounts', () => {
  it('are written with their symbol and all their digits, exactly', () => {
    expect(money('1299.00', 'USD')).toBe('$1,299.00');
    expect(money('1500', 'JPY')).toBe('¥1,500');
    expect(money('1.250', 'KWD')).toMatch(/^KWD\s1\.250$/);
    // One that a float cannot hold.
    expect(money('9007199254740993.01', 'USD')).toBe('$9,007,199,254,740,993.01');
  });

  it('say what is saved', () => {
    expect(saving('19.99', '14.99', 'USD')).toEqual({ amount: '$5.00', percent: 25 });
    expect(saving('1500', '1000', 'JPY')).toEqual({ amount: '¥500', percent: 33 });
  });

  it('of products are told as exactly as they are known', () => {
    expect([products(1), products(1204), products(12_345, true), products(1_000_481, true)]).toEqual([
      '1 product',
      '1,204 products',
      'about 12,000 products',
      'about 1,000,000 products',
    ]);
  });
});

describe('sizes', () => {
  it('stand as on a rack', () => {
    expect(['XL', '42', 'One size', 'S', '38.5', 'M', '38', 'XS', '10'].sort(compareSizes)).toEqual([
      'XS',
      'S',
      'M',
      'XL',
      '10',
      '38',
      '38.5',
      '42',
      'One size',
    ]);
  });
});

describe('texts', () => {
  it('become paragraphs and lists', () => {
    expect(blocks('One\ntwo\n\nThree\n- a\n• b\nFour')).toEqual([
      { text: 'One\ntwo' },
      { text: 'Three' },
      { list: ['a', 'b'] },
      { text: 'Four' },
    ]);
  });

  it('are cut between words, never through a character', () => {
    expect(excerpt('A mug for\nevery day', 40)).toBe('A mug for every day');
    expect(excerpt('A mug for every day', 12)).toBe('A mug for…');
    expect(excerpt('😀'.repeat(50), 12).isWellFormed()).toBe(true);
  });
});

describe('page numbers', () => {
  it.each([
    [1, 1, [1]],
    [1, 4, [1, 2, 3, 4]],
    [1, 20, [1, 2, 3, null, 20]],
    [10, 20, [1, null, 8, 9, 10, 11, 12, null, 20]],
    [5, 20, [1, 2, 3, 4, 5, 6, 7, null, 20]],
    [20, 20, [1, null, 18, 19, 20]],
  ])('at page %i of %i', (current, last, numbers) => {
    expect(pageNumbers(current, last)).toEqual(numbers);
  });
});
