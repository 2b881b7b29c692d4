import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { searchWords, toQueryText } from './search-words.ts';

describe('the words of a search', () => {
  it.each([
    ['Žluťoučký kůň', ['žluťoučký', 'kůň']],
    ["men's T-shirt", ['mens', 't', 'shirt']],
    ['VT-MUG-0012/teal', ['vt', 'mug', '0012', 'teal']],
    ['ساعة ذكية', ['ساعة', 'ذكية']],
    ['साड़ी', ['साड़ी'.normalize('NFC')]],
    ['\'"\\%_():*&|!', []],
    ['  ', []],
    ['a a A', ['a']],
  ])('of %j are %j', (text, words) => {
    expect(searchWords(text)).toEqual(words);
  });

  it('are bounded in number and length', () => {
    expect(searchWords(Array.from({ length: 500 }, (_, i) => `w${i}`).join(' '))).toHaveLength(12);
    expect(searchWords('x'.repeat(10_000))[0]).toHaveLength(60);
  });

  it('make a query that PostgreSQL understands, whatever was typed', async () => {
    const kernel = await testKernel();
    try {
      const texts = fc.sample(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string(),
          fc.constantFrom("'; drop table x;--", 'a & !b', ':*', '<->', '\\'),
        ),
        400,
      );
      for (const text of texts) {
        const words = searchWords(text.replaceAll('\0', ''));
        if (words.length > 0)
          await kernel.db.one(sql("select to_tsquery('vitrine', $1)::text as query", [toQueryText(words)]));
      }
      expect(texts.length).toBe(400);
    } finally {
      await kernel.close();
    }
  });
});
