import { describe, expect, it } from 'vitest';
import { readAddress, readNote } from './delivery.ts';

const nobody = { first_name: '', last_name: '', address: null };
const home = { line1: '1 Long Lane', line2: '', city: 'Leeds', region: '', postal_code: 'LS1 4AP', country: 'GB' };
const ada = { first_name: 'Ada', last_name: 'King', address: home };
const lines = { name: '', line1: '', line2: '', city: '', region: '', postal_code: '', country: '' };

describe('an address', () => {
  it('is the one that was given, and nothing of the profile’s but the name', () => {
    expect(readAddress({ line1: ' a ', city: 'b' }, ada)).toEqual({
      value: { ...lines, name: 'Ada King', line1: 'a', city: 'b' },
      faults: [],
    });
    expect(readAddress({ line1: 'a', city: 'b', name: '  ' }, ada).value).toMatchObject({ name: 'Ada King' });
    expect(readAddress({ line1: 'a', city: 'b', name: 'Mary' }, ada).value).toMatchObject({ name: 'Mary' });
    expect(readAddress({ line1: 'a', city: 'b' }, nobody).value).toMatchObject({ name: '' });
  });

  it('is the profile’s when none was given, if letters could find it', () => {
    expect(readAddress(undefined, ada)).toEqual({ value: { name: 'Ada King', ...home }, faults: [] });
    expect(readAddress(undefined, nobody)).toEqual({ value: null, faults: [] });
    expect(readAddress(undefined, { ...ada, address: { ...home, line1: '' } }).value).toBeNull();
    expect(readAddress(undefined, { ...ada, address: { ...home, city: '' } }).value).toBeNull();
  });

  it('is judged field by field, wherever it comes from', () => {
    const given = { name: 'x'.repeat(202), line1: '', city: 'a\u0000b', country: 'UK', region: 'x'.repeat(101) };
    expect(readAddress(given, ada).faults).toEqual([
      { path: 'shipping_address.name', message: 'must be one line of at most 201 characters' },
      { path: 'shipping_address.line1', message: 'is required' },
      { path: 'shipping_address.city', message: 'must be one line of at most 100 characters' },
      { path: 'shipping_address.region', message: 'must be one line of at most 100 characters' },
      { path: 'shipping_address.country', message: 'must be the two letters of a country, such as DE' },
    ]);
  });

  it('takes every name that a profile can have', () => {
    const long = { first_name: 'x'.repeat(100), last_name: 'y'.repeat(100), address: home };
    const { name } = readAddress(undefined, long).value!;
    expect(readAddress({ ...home, name: name! }, nobody).faults).toEqual([]);
  });
});

describe('a note', () => {
  it.each([
    [undefined, ''],
    ['  \r\n ', ''],
    [' a\r\nb\rc\nd ', 'a\nb\nc\nd'],
    ['e\u0301 👩‍🚀 \u2028 日本', 'e\u0301 👩‍🚀 \u2028 日本'],
    ['🔔'.repeat(1_000), '🔔'.repeat(1_000)],
    ['\r\n'.repeat(600) + 'a'.repeat(1_000), 'a'.repeat(1_000)],
  ])('is kept: %j', (given, value) => {
    expect(readNote(given)).toEqual({ value, faults: [] });
  });

  it.each(['\u0000', 'a\tb', '\ta', 'a\u000b', '\u007f', '\u009b', 'a\ud800', 'a'.repeat(1_001)])(
    'is refused: %j',
    (given) => {
      expect(readNote(given).faults).toEqual([{ path: 'note', message: expect.stringMatching(/^must not/) }]);
    },
  );
});
