import { randomInt } from 'node:crypto';

/**
 * Order numbers: ten digits by chance, written `482-1937-065`, which people can read aloud in any language. They tell
 * nobody how many orders there are, and of ten thousand million so few are taken that a misheard one is nobody's.
 */
export function newOrderNumber(): string {
  return spell(String(randomInt(1e9, 1e10)));
}

/** What somebody typed as a number, in our spelling; null when it is none. */
export function readOrderNumber(text: string): string | null {
  const digits = text.replace(/[\s.\-‐‑–]/g, '').replace(/^#/, '');
  return /^[1-9]\d{9}$/.test(digits) ? spell(digits) : null;
}

function spell(digits: string): string {
  return `${digits.slice(0, 3)}-${digits.slice(3, 7)}-${digits.slice(7)}`;
}
