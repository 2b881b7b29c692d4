/**
 * What a person types, as words that a text query can be made of. Letters, digits and combining marks make words, an
 * apostrophe joins, everything else separates: the same as search_plain() does for what is searched. Nothing that
 * PostgreSQL's query language gives a meaning to is left, so any input is safe and has some answer.
 */

const MAX_WORDS = 12;
const MAX_WORD = 60;

/** A prefix of one or two letters would match a good part of the catalogue. */
const MIN_PREFIX = 3;

export function searchWords(text: string): string[] {
  const words = text
    .normalize('NFC')
    .toLowerCase()
    .replace(/['’‘`]/g, '')
    .match(/[\p{L}\p{N}\p{M}]+/gu);
  return [...new Set(words ?? [])].slice(0, MAX_WORDS).map((word) => Array.from(word).slice(0, MAX_WORD).join(''));
}

/** The words as text for to_tsquery('vitrine', …): all of them, the last also as the beginning of a word. */
export function toQueryText(words: readonly string[]): string {
  const last = words.at(-1);
  return words.map((word) => (word === last && Array.from(word).length >= MIN_PREFIX ? `${word}:*` : word)).join(' & ');
}
