import { isCountry } from '../../modules/accounts/index.ts';

const names = new Intl.DisplayNames(['en'], { type: 'region' });
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** What people call the country with this code. */
export function countryName(code: string): string {
  return isCountry(code) ? names.of(code)! : code;
}

/** Every country that an address can be in, as code and name, in the order of the names. */
export const COUNTRIES: readonly (readonly [string, string])[] = LETTERS.flatMap((a) => LETTERS.map((b) => a + b))
  .filter(isCountry)
  .map((code) => [code, countryName(code)] as const)
  .sort(([, a], [, b]) => a.localeCompare(b, 'en'));
