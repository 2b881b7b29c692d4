import Type, { type Static } from 'typebox';
import type { FieldError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/problem.ts';
import { isSlug, MAX_GIVEN_SLUG } from './slug.ts';

/** What people may write of a category, how it is judged, and what it is when nobody says. */

/** Those of feeds: a category that is exported comes in again as it is. */
const MAX_NAME = 100;
const MAX_DESCRIPTION = 20_000;

/** How many levels the tree may have, its roots included. */
export const MAX_LEVELS = 10;

const name = Type.String({
  minLength: 1,
  maxLength: MAX_NAME,
  description: 'Unique among its siblings. Holds no `>`, which stands between names where a path is written.',
});
const others = {
  slug: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_GIVEN_SLUG,
      description: 'Its place in addresses: a to z, digits and single hyphens. An old one goes on leading to the new.',
    }),
  ),
  description: Type.Optional(Type.String({ maxLength: MAX_DESCRIPTION })),
  parent_id: Type.Optional(
    Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: 'Null for the top of the tree.' }),
  ),
  position: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: 'Place among its siblings, from 0. Those behind it move on; beyond the last it becomes the last.',
    }),
  ),
  active: Type.Optional(Type.Boolean()),
};

export const CategoryInput = Type.Object({ name, ...others }, { additionalProperties: false });
export type CategoryInput = Static<typeof CategoryInput>;
export const CategoryChanges = Type.Object({ name: Type.Optional(name), ...others }, { additionalProperties: false });
export type CategoryChanges = Static<typeof CategoryChanges>;

/** A category as it is stored, in the API's names. */
export type CategoryFields = {
  name: string;
  slug: string;
  description: string;
  parent_id: string | null;
  position: number;
  active: boolean;
};

/** Control characters and lone halves of surrogate pairs: PostgreSQL or XML could not hold them. */
const UNWANTED = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;
const UNWANTED_IN_LINES = /(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/u;

/** The same with its texts tidied. Throws validation_failed, with all that is wrong. */
export function readCategory<T extends CategoryChanges>(given: T): T {
  const read = { ...given };
  const errors: FieldError[] = [];
  if (given.name !== undefined) {
    read.name = given.name.replace(/\s+/g, ' ').trim();
    if (read.name === '') errors.push({ path: 'name', message: 'must not be empty' });
    if (read.name.length > MAX_NAME)
      errors.push({ path: 'name', message: `must not be longer than ${MAX_NAME} characters` });
    if (read.name.includes('>') || UNWANTED.test(read.name))
      errors.push({ path: 'name', message: 'must hold neither > nor control characters' });
  }
  if (given.slug !== undefined && !isSlug(given.slug))
    errors.push({
      path: 'slug',
      message: 'must be words of a to z and digits, joined by hyphens, such as garden-tools, and no id',
    });
  if (given.description !== undefined) {
    read.description = given.description.replace(/\r\n?/g, '\n').trim();
    if (UNWANTED_IN_LINES.test(read.description))
      errors.push({ path: 'description', message: 'must not hold control characters' });
  }
  if (given.parent_id) read.parent_id = given.parent_id.toLowerCase();
  if (errors.length > 0) throw validationFailed('Some fields are not valid.', { errors });
  return read;
}
