import { hash, verify } from '@node-rs/argon2';
import type { FieldError } from '../../kernel/errors.ts';
import { CORES_FOR_HEAVY_WORK, createLimited } from '../../kernel/limited.ts';

/**
 * Passwords. Length is what makes one good (NIST SP 800-63B-4, 3.1.1.2): no rules about digits and signs, only the few
 * long ones that everybody tries are refused. Stored by argon2id with the parameters that OWASP names first (19 MiB,
 * two passes): about 21 ms, off the event loop.
 */

const SHORTEST_PASSWORD = 10;
export const LONGEST_PASSWORD = 200;

const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The commonest passwords of ten characters and more, in lists of stolen ones. */
const COMMON = new Set(
  `1234567890 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc q1w2e3r4t5 qwertyuiop qwerty12345 qwerty123456 asdfghjkl1
   password12 password123 password1234 password12345 passwordpassword letmein1234 iloveyou12 administrator welcome123
   basketball 0987654321 9876543210 1111111111 0000000000 abcdefghij abc123456789 0123456789 1234554321 12345678900`.split(
    /\s+/,
  ),
);

/** How it is compared: typed on another keyboard, the same characters may come in other code points. */
const normal = (password: string) => password.normalize('NFKC');

/** What is wrong with a password that somebody wants to have; null when it is good. */
export function judgePassword(password: string, own: readonly string[], path = 'password'): FieldError | null {
  const text = normal(password);
  const length = [...text].length;
  if (length < SHORTEST_PASSWORD)
    return { path, message: `must have at least ${SHORTEST_PASSWORD} characters; a few words in a row do well` };
  if (length > LONGEST_PASSWORD) return { path, message: `must have at most ${LONGEST_PASSWORD} characters` };
  const lower = text.toLowerCase();
  if (own.some((word) => word !== '' && word.toLowerCase() === lower))
    return { path, message: 'must not be your username or e-mail address' };
  if (COMMON.has(lower) || new Set(lower).size < 4)
    return { path, message: 'is one of the first that anybody would try; choose another' };
  return null;
}

/** A hundred log-ins wait two seconds; whoever comes after them is told to come again. */
const limited = createLimited(CORES_FOR_HEAVY_WORK, 100);

export function hashPassword(password: string): Promise<string> {
  return limited(() => hash(normal(password), ARGON2ID));
}

/** Of a password that nobody knows: what is checked for a user who is not there, so that it takes as long. */
const NOBODYS = '$argon2id$v=19$m=19456,t=2,p=1$LJh7VGejYmnt0hyy+5Kkkg$wgAL9Gjt/zUxiFGIzwHCJ5wFjxGZniSGxnOAarPQSmY';

/** Whether this is the password; for no user at all it takes the same time and is false. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const right = await limited(() => verify(stored ?? NOBODYS, normal(password)));
  return right && stored !== null;
}
