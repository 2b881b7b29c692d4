import { expect, it } from 'vitest';
import { isUuid, newId } from './ids.ts';

it('ids are UUIDs of version 7 that strictly increase, however fast they are made', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  const time = Number.parseInt(ids.at(-1)!.replaceAll('-', '').slice(0, 12), 16);
  expect(Math.abs(time - Date.now())).toBeLessThan(5_000);
});

it('a UUID is known by its spelling', () => {
  expect(isUuid(newId())).toBe(true);
  for (const text of ['', 'mug', `${newId()}x`, newId().replaceAll('-', ''), `{${newId()}}`])
    expect(isUuid(text)).toBe(false);
});
