import { describe, expect, it } from 'vitest';
import type { Identity } from '../accounts/index.ts';
import { demandSight, readWithin, sightOf } from './sight.ts';

const somebody = (changes: Partial<Identity>): Identity => ({
  userId: 'me',
  role: 'customer',
  sessionId: 's',
  apiKeyId: null,
  scopes: null,
  secondFactor: false,
  epoch: 0,
  ...changes,
});
const OTHER = '018F0000-0000-7000-8000-00000000000A';

describe('how far somebody sees', () => {
  it.each([
    ['nobody', null, 'public'],
    ['a customer', somebody({}), 'public'],
    ['a seller', somebody({ role: 'seller' }), { ownerId: 'me' }],
    ['staff', somebody({ role: 'staff' }), 'all'],
    ['a superuser', somebody({ role: 'superuser' }), 'all'],
    ['a key of staff for reading', somebody({ role: 'staff', scopes: ['catalogue:read'] }), 'all'],
    ['a key of staff for something else', somebody({ role: 'staff', scopes: ['catalogue:write'] }), 'public'],
    ['a key of a seller for reading', somebody({ role: 'seller', scopes: ['catalogue:read'] }), { ownerId: 'me' }],
    ['a key of a seller for nothing', somebody({ role: 'seller', scopes: [] }), 'public'],
  ])('%s', (_, identity, sight) => {
    expect(sightOf(identity)).toEqual(sight);
    if (sight === 'public')
      expect(() => demandSight(identity)).toThrow(
        identity?.scopes ? /lacks the scope/ : identity ? /sellers/ : /Log in/,
      );
    else expect(demandSight(identity)).toEqual(sight);
  });
});

describe('which products are asked for', () => {
  const staff = somebody({ role: 'staff' });
  const seller = somebody({ role: 'seller' });

  it('is what the public sees, whoever asks', () => {
    for (const identity of [null, somebody({}), seller, staff])
      for (const asked of [{}, { state: 'visible' as const }])
        expect(readWithin(asked, identity)).toEqual({ state: 'visible' });
  });

  it('is anything for staff', () => {
    expect(readWithin({ state: 'all' }, staff)).toEqual({ state: 'all', ownerId: undefined });
    expect(readWithin({ owner: 'me' }, staff)).toEqual({ state: 'visible', ownerId: 'me' });
    expect(readWithin({ state: 'hidden', owner: OTHER }, staff)).toEqual({
      state: 'hidden',
      ownerId: OTHER.toLowerCase(),
    });
  });

  it('is nothing hidden of anybody else for a seller', () => {
    for (const state of ['hidden', 'archived', 'all'] as const) {
      expect(readWithin({ state }, seller)).toEqual({ state, ownerId: 'me' });
      expect(readWithin({ state, owner: 'me' }, seller)).toEqual({ state, ownerId: 'me' });
      expect(() => readWithin({ state, owner: OTHER }, seller)).toThrow(/no other seller/);
    }
    expect(readWithin({ owner: OTHER }, seller)).toEqual({ state: 'visible', ownerId: OTHER.toLowerCase() });
  });

  it('is no owner’s for the public', () => {
    expect(() => readWithin({ owner: OTHER }, null)).toThrow(/Log in/);
    expect(() => readWithin({ owner: 'me' }, somebody({}))).toThrow(/sellers/);
  });
});
