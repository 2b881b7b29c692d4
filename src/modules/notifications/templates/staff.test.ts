import { expect, it } from 'vitest';
import type { MailData } from '../mails.ts';
import { STAFF_TEMPLATES } from './staff.ts';
import type { Table } from './words.ts';

const letterhead = { shop: 'Vitrine', publicUrl: 'https://shop.example', timeZone: 'UTC', currency: 'USD' };

type Finished = MailData<'import_finished'>;
type Outcome = Finished['outcomes'][number];

function finished(counts: Partial<Finished['counts']>, outcomes: readonly Outcome[] = []) {
  const { blocks } = STAFF_TEMPLATES.import_finished(
    {
      fileName: 'feed.xml',
      counts: { read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0, ...counts },
      outcomes,
      totalOutcomes: outcomes.length,
      csvUrl: 'https://shop.example/x',
      isAttached: true,
    },
    letterhead,
  );
  const found = { facts: [] as readonly (readonly [string, string])[], table: undefined as Table | undefined };
  for (const block of blocks) if (typeof block === 'object') Object.assign(found, block);
  return found;
}

const outcome = (line: number | null, more: Partial<Outcome> = {}): Outcome => ({
  ...{ outcome: 'created', sku: 'A', line, message: '' },
  ...more,
});

it('an import tells what it found and, rejected ones first, only what happened', () => {
  expect(finished({ read: 1_204, created: 1_200, rejected: 4 }).facts).toEqual([
    ['Items in the feed', '1,204'],
    ['Items rejected', '4'],
    ['Products created', '1,200'],
  ]);
  expect(finished({}).facts).toEqual([['Items in the feed', '0']]);
});

it.each([
  ['none', [null, null], false],
  ['one', [null, 7], true],
  ['different ones', [7, 8], true],
  ['the same, in a feed of one line', [1, 1, null], false],
])('outcomes with lines of which there are %s', (_, lines, isTold) => {
  const { table } = finished(
    {},
    lines.map((line) => outcome(line)),
  );
  expect(table!.head.includes('Line')).toBe(isTold);
  for (const row of table!.rows) expect(row).toHaveLength(table!.head.length);
});

it('a rejected outcome stands out', () => {
  const { table } = finished({}, [outcome(1, { outcome: 'rejected' }), outcome(2)]);
  expect(table!.rows.map(([first]) => first)).toEqual([{ text: 'rejected', isBad: true }, 'created']);
});
