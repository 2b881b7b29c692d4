import { describe, expect, it } from 'vitest';
import { hashPassword, judgePassword, verifyPassword } from './passwords.ts';

describe('a password', () => {
  it.each([
    'securepassword123',
    'four words in a row',
    'ペンギンは飛べない鳥です',
    'zebra zebra',
    `${'x'.repeat(196)}abcd`,
  ])('may be %s', (password) => {
    expect(judgePassword(password, ['ada', 'ada@example.com'])).toBeNull();
  });

  it.each([
    ['password', /at least 10/],
    ['          ', /first that anybody/],
    ['1234567890', /first that anybody/],
    ['PASSWORD123', /first that anybody/],
    ['aaaabbbbcccc', /first that anybody/],
    ['Ada@Example.com', /must not be your/],
    [`${'a'.repeat(100)}${'bcde'.repeat(26)}`, /at most 200/],
  ])('may not be %s', (password, message) => {
    expect(judgePassword(password, ['ada', 'ada@example.com'])).toEqual({
      path: 'password',
      message: expect.stringMatching(message),
    });
  });

  it('is recognised however its characters were composed, and no other is', async () => {
    const stored = await hashPassword('crème brûlée no. ½');
    expect(await verifyPassword(stored, 'cre\u0300me bru\u0302le\u0301e no. ½')).toBe(true);
    expect(await verifyPassword(stored, 'creme brulee no. ½')).toBe(false);
    expect(await verifyPassword(null, 'anything')).toBe(false);
  });
});
