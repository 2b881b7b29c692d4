import { expect, it } from 'vitest';
import { fitToTell } from './failed-job-mails.ts';

it.each([
  ['connect https://key:pass@host/path?token=abc failed', 'connect https://…@host/path?… failed'],
  ['connect ECONNREFUSED smtp://user:secret@mail.example', 'connect ECONNREFUSED smtp://…@mail.example'],
  ['550 <anna.smith@example.com> unknown', '550 <…@…> unknown'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
  ['api_key=hunter2 is wrong\n    at file.ts:1', 'api_key=… is wrong'],
  ['{"api_key": "hunter2"}', '{"api_key": …'],
  ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic …'],
  ['ECONNRESET', 'ECONNRESET'],
  [null, 'The process that worked on it ended.'],
])('%j is told as %j', (error, told) => {
  expect(fitToTell(error)).toBe(told);
});

it('tells the beginning of a long error', () => {
  expect(fitToTell('x'.repeat(1_000))).toBe(`${'x'.repeat(299)}…`);
});

it.each(['a', 'a-', 'a@b.', 'a://b', 'token'])('looks at no more of a page of %j than it tells', (part) => {
  const began = performance.now();
  fitToTell(part.repeat(100_000));
  expect(performance.now() - began).toBeLessThan(200);
});
