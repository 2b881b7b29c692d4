import { describe, expect, it } from 'vitest';
import { newOrderNumber, readOrderNumber, readOrderNumberStart } from './number.ts';

describe('an order number', () => {
  it('is ten digits in three groups, by chance', () => {
    const made = Array.from({ length: 1_000 }, newOrderNumber);
    for (const number of made) expect(number).toMatch(/^[1-9]\d\d-\d{4}-\d{3}$/);
    expect(new Set(made).size).toBe(1_000);
    // Neither rising nor falling: what comes next tells nothing of what was before.
    const rises = made.filter((number, i) => i > 0 && number > made[i - 1]!).length;
    expect(rises).toBeGreaterThan(400);
    expect(rises).toBeLessThan(600);
  });

  it.each([
    '482-1937-065',
    '4821937065',
    '482 1937 065',
    '#482-1937-065',
    '# 4821937065',
    '482.1937.065',
    '482–1937–065',
    '482‑1937‑065',
    ' 48 21 93 70 65\u00a0',
  ])('is read as people write it: %s', (text) => {
    expect(readOrderNumber(text)).toBe('482-1937-065');
    expect(readOrderNumberStart(text)).toBe('482-1937-065');
  });

  it.each([
    '',
    '482-1937-06',
    '48219370650',
    '0821937065',
    '482-1937-O65',
    '482/1937/065',
    '٤٨٢١٩٣٧٠٦٥',
    '-',
    '#',
    '+4821937065',
  ])('is none: %s', (text) => {
    expect(readOrderNumber(text)).toBeNull();
  });

  it.each([
    ['4', '4'],
    ['482', '482'],
    ['482-1', '482-1'],
    ['4821937', '482-1937'],
    ['48219370', '482-1937-0'],
    ['0', null],
    ['48219370650', null],
    ['48a', null],
    ['', null],
    ['%', null],
  ])('begins with %s as %s', (text, start) => {
    expect(readOrderNumberStart(text)).toBe(start);
  });
});
