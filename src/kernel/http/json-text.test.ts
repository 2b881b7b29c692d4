import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsUnstorable, nestsDeeperThan } from './json-text.ts';

describe('JSON that holds what nobody can store', () => {
  it.each([
    String.raw`"\u0000"`,
    String.raw`{"\u0000": 1}`,
    String.raw`"\\\u0000"`,
    String.raw`"\ud800"`,
    String.raw`"\uDFFF"`,
    String.raw`"\uD83D\n\uDE00"`,
    String.raw`"\uD83D\\uDE00"`,
    String.raw`"\uDE00\uD83D"`,
    String.raw`"\uD83D\uD83D\uDE00"`,
    String.raw`"\uD83D\uDE00\uDE00"`,
    String.raw`{"a": [{"b": "x\ud83d"}]}`,
  ])('%s', (json) => {
    expect(holdsUnstorable(json)).toBe(true);
  });

  it.each([
    String.raw`"\\u0000"`,
    String.raw`"\\\\u0000"`,
    String.raw`"\\ud800"`,
    String.raw`"\uD83D\uDE00"`,
    String.raw`"\ud83d\ude00\uD83D\uDE00"`,
    String.raw`"\\\uD83D\uDE00\\ud83d"`,
    String.raw`"\ud7ff\ue000\u0001"`,
    '"😀"',
    '{}',
    '',
  ])('and not %s', (json) => {
    expect(holdsUnstorable(json)).toBe(false);
  });

  it('is judged as by what it means, whatever stands beside', () => {
    const piece = fc.constantFrom(
      '\\',
      '\\\\',
      'u0000',
      'ud83d',
      'ude00',
      '\u0000',
      '\ud83d',
      '\ude00',
      '"',
      'u',
      '😀',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        const escaped = [...Array(text.length).keys()]
          .map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join('');
        const bad = text.includes('\0') || !text.isWellFormed();
        expect(holdsUnstorable(JSON.stringify([text]))).toBe(bad);
        expect(holdsUnstorable(`{"a": "${escaped}"}`)).toBe(bad);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });

  it('is found in a megabyte of escapes in no time', () => {
    const started = performance.now();
    expect(holdsUnstorable(`"${'\\\\'.repeat(500_000)}\\ud800"`)).toBe(true);
    expect(holdsUnstorable(`"${'\\ud83d\\ude00'.repeat(80_000)}"`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('JSON that is nested', () => {
  it.each([
    ['[[]]', 2],
    ['{"a":{"b":[{}]}}', 4],
    ['[[],[],[],{},{}]', 2],
    [String.raw`["[[[[", "\"[[[[", "\\", [], "{{\\\"{{"]`, 2],
    ['"[[[["', 0],
    ['1', 0],
    ['', 0],
  ])('%s', (json, depth) => {
    expect(nestsDeeperThan(json, depth)).toBe(false);
    expect(nestsDeeperThan(json, depth - 1)).toBe(depth > 0);
  });

  it('is as deep as its value is', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.string(), fc.constantFrom('[', '{"', '\\"[', '\\'), fc.integer()),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(fc.string({ maxLength: 3 }), tie('json'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(json!, fc.nat(6), (value, depth) => {
        expect(nestsDeeperThan(JSON.stringify(value), depth)).toBe(depthOf(value) > depth);
      }),
    );
  });
});
