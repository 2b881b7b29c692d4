import { randomInt } from 'node:crypto';

/**
 * Order numbers: ten digits by chance, written `482-1937-065`, which people can read aloud in any language. They tell
 * nobody how many orders there are, and of nine thousand million so few are taken that a misheard one is nobody's.
 */
export function newOrderNumber(): string {
  return spell(String(randomInt(1e9, 1e10)));
}

/** What somebody typed as a number, in our spelling; null when it is none. */
export function readOrderNumber(text: string): string | null {
  const digits = digitsOf(text);
  return digits?.length === 10 ? spell(digits) : null;
}

/** What somebody typed as a number or its first digits, in our spelling; null when no number begins like that. */
export function readOrderNumberStart(text: string): string | null {
  const digits = digitsOf(text);
  return digits === null ? null : spell(digits);
}

/** The digits of what may be a number as far as it goes, whatever stands between them. */
function digitsOf(text: string): string | null {
  const digits = text.replace(/[\s.\-‐‑–]/g, '').replace(/^#/, '');
  return /^[1-9]\d{0,9}$/.test(digits) ? digits : null;
}

function spell(digits: string): string {
  return [digits.slice(0, 3), digits.slice(3, 7), digits.slice(7)].filter((part) => part !== '').join('-');
}
