import { describe, expect, it } from 'vitest';
import { AppError, defineError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { Registration } from '../../modules/accounts/schemas.ts';
import { judgeBy, refusalOf } from './fields.ts';

const fields = {
  email: { label: 'E-mail address', ask: 'your e-mail address', form: 'Enter an e-mail address.' },
  username: { label: 'Username', ask: 'a username' },
  first_name: { label: 'First name', ask: 'your first name' },
};

describe('a form', () => {
  it('is judged by the schema of the API, all of it at once, in sentences', () => {
    const judge = judgeBy(Registration, fields);
    expect(judge({ email: 'a@b.cc', username: 'ada', first_name: '' })).toEqual([]);
    expect(judge({ email: '', username: 'a', first_name: 'x'.repeat(101) })).toEqual([
      { field: 'email', message: 'Enter your e-mail address.' },
      { field: 'username', message: 'Username must have at least 3 characters.' },
      { field: 'first_name', message: 'First name must have at most 100 characters.' },
    ]);
    expect(judge({ email: 'nobody', username: 'a b c', first_name: 'a\nb' })).toEqual([
      { field: 'email', message: 'Enter an e-mail address.' },
      { field: 'username', message: 'Username holds a character that cannot be used there.' },
      { field: 'first_name', message: 'First name holds a character that cannot be used there.' },
    ]);
  });
});

describe('a refusal', () => {
  const refuse = (error: unknown, sent: Record<string, string> = {}) =>
    refusalOf(fields, sent, async () => {
      throw error;
    });

  it('stands at its fields, with the status and the headers that it has', async () => {
    const errors = [
      { path: 'username', message: 'must be another' },
      { path: 'email', message: 'must be an address' },
      { path: 'elsewhere', message: 'is odd' },
    ];
    expect(await refuse(validationFailed('No.', { errors }), { username: 'x', email: '' })).toEqual({
      code: 'validation_failed',
      status: 400,
      headers: {},
      faults: [
        { field: 'username', message: 'Username must be another.' },
        { field: 'email', message: 'Enter your e-mail address.' },
        { field: null, message: 'elsewhere is odd.' },
      ],
    });
    const taken = new AppError({ code: 'username_taken', status: 409, title: 'T' }, 'Taken.');
    expect(await refuse(taken)).toMatchObject({ status: 409, faults: [{ field: 'username', message: 'Taken.' }] });
    const wait = new AppError({ code: 'wait', status: 429, title: 'T' }, 'Wait.', { headers: { 'retry-after': '9' } });
    expect(await refuse(wait)).toMatchObject({ headers: { 'retry-after': '9' }, faults: [{ field: null }] });
  });

  it('is none when it was done, and a defect is not taken for one', async () => {
    expect(await refusalOf(fields, {}, async () => 1)).toBeNull();
    await expect(refuse(new TypeError('oh'))).rejects.toThrow('oh');
    const busy = defineError('busy_in_this_test', 503, 'T');
    await expect(refuse(busy('Later.'))).rejects.toThrow('Later.');
  });
});
