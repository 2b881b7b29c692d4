import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safePath } from './safe-path.ts';

describe('where to go afterwards', () => {
  it.each([
    ['/', '/'],
    ['/products?search=mug&page=2#top', '/products?search=mug&page=2#top'],
    ['/products/köln tee', '/products/k%C3%B6ln%20tee'],
    ['/a/../profile', '/profile'],
    ['/@evil.example', '/@evil.example'],
  ])('%s is a page of the shop', (given, path) => {
    expect(safePath(given)).toBe(path);
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    'https://evil.example/',
    'https:/evil.example',
    'javascript:alert(1)',
    'evil.example',
    '/profile\r\nset-cookie: a=b',
    '/\u0000',
    '',
    `/${'x'.repeat(1_000)}`,
    undefined,
    null,
    ['/profile'],
    { toString: () => '/profile' },
  ])('%j is not', (given) => {
    expect(safePath(given)).toBeNull();
  });

  it('whatever is written, a browser stays in the shop, and a header holds it', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '\r\n',
      '\u00a0',
      'ü',
      'evil.example',
      '//',
      'javascript:',
      '\u2028',
    );
    const address = fc
      .array(fc.oneof(piece, fc.string({ unit: 'grapheme' })), { maxLength: 12 })
      .map((parts) => `/${parts.join('')}`);
    let taken = 0;
    fc.assert(
      fc.property(address, (given) => {
        const path = safePath(given);
        if (path === null) return;
        taken += 1;
        expect(new URL(path, 'https://shop.example/login').origin).toBe('https://shop.example');
        expect(path).toMatch(/^\/[!-~]*$/);
        // What came out is what it leads to when it comes in again.
        expect(safePath(path)).toBe(path);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
