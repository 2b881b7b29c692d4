import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { ORDERINGS } from './schemas.ts';

describe('a cursor', () => {
  it('comes back as it was written', () => {
    const id = newId();
    for (const cursor of [
      { ordering: 'price', value: 1999, id },
      { ordering: '-name', value: 'Žofie "x"', id },
      { ordering: 'created_at', value: '2026-01-15T12:00:00.000Z', id },
      { ordering: 'lowest_offer', value: '9223372036854775807', id },
      { ordering: 'relevance', value: 2001234, id },
    ] as const)
      expect(readCursor(writeCursor(cursor), cursor.ordering)).toEqual(cursor);
  });

  it('is refused under another ordering, and when anything else stands in it', () => {
    const id = newId();
    expect(() => readCursor(writeCursor({ ordering: 'price', value: 1, id }), '-price')).toThrow(AppError);
    expect(() => readCursor(writeCursor({ ordering: 'price', value: '1; drop table products', id }), 'price')).toThrow(
      AppError,
    );
    expect(() => readCursor(writeCursor({ ordering: 'name', value: 'a\0b', id }), 'name')).toThrow(AppError);
    expect(() =>
      readCursor(writeCursor({ ordering: 'created_at', value: '2026-13-45T99:00:00.000Z', id }), 'created_at'),
    ).toThrow(AppError);
    expect(() =>
      readCursor(writeCursor({ ordering: 'lowest_offer', value: '9223372036854775808', id }), 'lowest_offer'),
    ).toThrow(AppError);
    expect(() => readCursor(writeCursor({ ordering: 'price', value: 1e300, id }), 'price')).toThrow(AppError);
  });

  it('never fails but by saying that it is not valid', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        fc.constantFrom(...ORDERINGS),
        (text, ordering) => {
          try {
            readCursor(text, ordering);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
          }
        },
      ),
    );
  });
});
