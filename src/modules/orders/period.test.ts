import { describe, expect, it } from 'vitest';
import { readPeriod } from './period.ts';

const dayIn = (timeZone: string, date: string) => {
  const { from, before } = readPeriod({ from: date, to: date }, timeZone);
  return { from: from!.toISOString(), hours: (before!.getTime() - from!.getTime()) / 3_600_000 };
};

describe('a day', () => {
  it.each([
    ['UTC', '2026-03-29', '2026-03-29T00:00:00.000Z', 24],
    ['Europe/Berlin', '2026-01-15', '2026-01-14T23:00:00.000Z', 24],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', 23],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z', 25],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', 23],
    ['Asia/Kolkata', '2026-06-01', '2026-05-31T18:30:00.000Z', 24],
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00.000Z', 24.5],
    ['Pacific/Kiritimati', '2026-06-01', '2026-05-31T10:00:00.000Z', 24],
    ['Pacific/Pago_Pago', '2026-06-01', '2026-06-01T11:00:00.000Z', 24],
    // Clocks go forward at midnight, so that the day begins at one o'clock.
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z', 23],
    // They go back at one, so that midnight comes twice: the day begins with the first.
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', 25],
    // They go back at midnight, so that the day before has 25 hours.
    ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00.000Z', 25],
    // There was none: the island went over the date line.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z', 0],
    ['Europe/Paris', '1900-01-01', '1899-12-31T23:50:39.000Z', 24],
    ['UTC', '2024-02-29', '2024-02-29T00:00:00.000Z', 24],
    ['Asia/Tokyo', '0001-01-01', expect.stringContaining('000'), expect.any(Number)],
    ['Asia/Tokyo', '9999-12-30', '9999-12-29T15:00:00.000Z', 24],
  ])('in %s: %s', (timeZone, date, from, hours) => {
    expect(dayIn(timeZone, date)).toEqual({ from, hours });
  });
});

describe('a period', () => {
  const read = (from?: string, to?: string) => readPeriod({ from, to }, 'Europe/Berlin');

  it('has no ends that were not asked for', () => {
    expect(read()).toEqual({});
    expect(read('2026-01-15')).toEqual({ from: new Date('2026-01-14T23:00:00Z') });
  });

  it('takes times as RFC 3339 has them, the last of them included', () => {
    expect(read('2026-01-15T10:00:00+05:30', '2026-01-15t10:00:00.123456z')).toEqual({
      from: new Date('2026-01-15T04:30:00Z'),
      through: new Date('2026-01-15T10:00:00.123Z'),
    });
  });

  it.each([
    '',
    'today',
    '2026',
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-1-15',
    ' 2026-01-15',
    '+002026-01-15',
    '2026-01-15T10:00',
    '2026-01-15T10:00:00',
    '2026-01-15 10:00:00Z',
    '2026-02-29T10:00:00Z',
    '2026-01-15T24:00:00Z',
    '2026-01-15T23:60:00Z',
    '2026-01-15T23:59:60Z',
    '2026-01-15T10:00:00+24:00',
    '2026-01-15T10:00:00 01:00',
  ])('takes nothing else: %s', (text) => {
    for (const path of ['from', 'to'])
      expect(() => readPeriod({ [path]: text }, 'UTC')).toThrow(
        expect.objectContaining({
          code: 'validation_failed',
          details: { errors: [expect.objectContaining({ path })] },
        }),
      );
  });
});
