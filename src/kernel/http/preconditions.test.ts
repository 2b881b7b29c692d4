import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demandVersion, readIfMatch } from './preconditions.ts';

const versions = (header: string) => [...(readIfMatch(header) as ReadonlySet<number>)];

describe('If-Match', () => {
  it('is a version, with or without the digest and the encoding behind it', () => {
    expect(versions('"3"')).toEqual([3]);
    expect(versions('"3-kMx0Zv7W1q2e"')).toEqual([3]);
    expect(versions('"12-abc-br"')).toEqual([12]);
    expect(versions(' "3-a,b" , "4" ')).toEqual([3, 4]);
    expect(readIfMatch('*')).toBe('any');
    expect(readIfMatch(undefined)).toBeNull();
  });

  it('never matches by a weak tag or by one of something else', () => {
    for (const header of ['W/"3"', 'W/"3-abc"', '"abc"', '""', '"3abc"', '"-3"', '"99999999999999999999"'])
      expect(versions(header)).toEqual([]);
  });

  it('is refused when it is no list of entity tags', () => {
    for (const header of ['', ' ', '3', '"3', '3"', '"3" "4"', '"3",', ',"3"', '*, "3"', 'w/"3"', '"a b"', '"3";'])
      expect(() => readIfMatch(header), header).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('reads or refuses whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\sW"/,*0-9-]*$/)), (header) => {
        try {
          expect(readIfMatch(header)).not.toBeNull();
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation_failed' });
        }
      }),
    );
  });

  it('demands one of the versions, and tells the one that it met instead', () => {
    expect(() => demandVersion(null, 3)).not.toThrow();
    expect(() => demandVersion('any', 3)).not.toThrow();
    expect(() => demandVersion(new Set([2, 3]), 3)).not.toThrow();
    expect(() => demandVersion(new Set([2]), 3)).toThrow(
      expect.objectContaining({ code: 'version_mismatch', status: 412, details: { version: 3 } }),
    );
    expect(() => demandVersion(new Set(), 3)).toThrow(expect.objectContaining({ code: 'version_mismatch' }));
  });
});
