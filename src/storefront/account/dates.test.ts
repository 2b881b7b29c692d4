import { describe, expect, it } from 'vitest';
import { ago, day } from './dates.ts';

describe('times', () => {
  const now = new Date('2026-03-10T12:00:00Z');
  it.each([
    ['2026-03-10T12:00:05Z', 'within the hour'],
    ['2026-03-10T11:00:01Z', 'within the hour'],
    ['2026-03-10T11:00:00Z', '1 hour ago'],
    ['2026-03-09T12:00:01Z', '23 hours ago'],
    ['2026-03-09T12:00:00Z', '1 day ago'],
    ['2026-02-08T12:00:00Z', '30 days ago'],
  ])('%s was %s', (at, words) => {
    expect(ago(new Date(at), now)).toBe(words);
  });

  it('have the date of the shop', () => {
    expect(day(new Date('2026-03-10T23:30:00Z'), 'Asia/Tokyo')).toBe('Mar 11, 2026');
  });
});
