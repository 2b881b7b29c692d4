import Type from 'typebox';
import { defineError } from '../errors.ts';
import { validationFailed } from './problem.ts';

const versionMismatch = defineError('version_mismatch', 412, 'It has changed in the meantime');

/**
 * If-Match (RFC 9110, 13.1.1): a change is made only to the version that its author has seen. An ETag here begins with the
 * version, `"<version>-<digest>"`; the version alone is compared, since the rest (stock, offers, an encoding) moves on
 * without making anybody's change wrong.
 */

/** The versions that the caller would change; `any` when it only has to exist. */
export type ExpectedVersion = 'any' | ReadonlySet<number>;

/** The header, for the description of a route that reads it. */
export const IfMatch = Type.Object({
  'If-Match': Type.Optional(
    Type.String({
      description:
        'The ETag of the version that you have seen, or several, or `*`. Any other is 412 `version_mismatch`.',
    }),
  ),
});

/** An entity tag and what stands before the next one (RFC 9110, 8.8.3). */
const TAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(,|$)/y;
const VERSION = /^(\d{1,10})(?:-.*)?$/;

/** What the header asks for; null without one. Throws validation_failed for what is no list of entity tags. */
export function readIfMatch(header: string | undefined): ExpectedVersion | null {
  if (header === undefined) return null;
  if (header.trim() === '*') return 'any';
  const versions = new Set<number>();
  TAG.lastIndex = 0;
  for (;;) {
    const tag = TAG.exec(header);
    if (!tag)
      throw validationFailed('The header If-Match is not valid.', {
        errors: [{ path: 'If-Match', message: 'must be an ETag as it was answered, such as "3-kMx0Zv7W1q2e", or *' }],
      });
    const [, weak, text, end] = tag;
    // It compares strongly: a weak tag matches nothing.
    const version = weak ? null : VERSION.exec(text!);
    if (version) versions.add(Number(version[1]));
    if (end === '') return versions;
  }
}

/** Throws version_mismatch. To be called while the row is locked: what holds now must still hold at the commit. */
export function demandVersion(expected: ExpectedVersion | null, version: number): void {
  if (expected === null || expected === 'any' || expected.has(version)) return;
  throw versionMismatch(
    `It is at version ${version} now. Read it again, and repeat your change if it is still wanted.`,
    { version },
  );
}
