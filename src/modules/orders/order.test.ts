import { describe, expect, it } from 'vitest';
import { mayBecome, STATUSES, TRANSITIONS } from './order.ts';

describe('the table of transitions', () => {
  const allowed = ['pending shipped', 'pending cancelled', 'shipped delivered'];
  it.each(STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const)))('from %s to %s', (from, to) => {
    expect(mayBecome(from, to)).toBe(allowed.includes(`${from} ${to}`));
  });

  it('has every status, and leads to none that it does not have', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...STATUSES].sort());
    for (const next of Object.values(TRANSITIONS)) expect(STATUSES).toEqual(expect.arrayContaining([...next]));
  });
});
