import { expect, it } from 'vitest';
import { fitToTell } from './failed-job-mails.ts';

it.each([
  ['connect https://key:pass@host/path?token=abc failed', 'connect https://…@host/path?… failed'],
  ['connect ECONNREFUSED smtp://user:secret@mail.example', 'connect ECONNREFUSED smtp://…@mail.example'],
  ['550 <anna.smith@example.com> unknown', '550 <…@…> unknown'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
  ['api_key=hunter2 is wrong\n    at file.ts:1', 'api_key=… is wrong'],
  ['ECONNRESET', 'ECONNRESET'],
  [null, 'The process that worked on it ended.'],
])('%j is told as %j', (error, told) => {
  expect(fitToTell(error)).toBe(told);
});

it('tells the beginning of a long error', () => {
  expect(fitToTell('x'.repeat(1_000))).toBe(`${'x'.repeat(299)}…`);
});
