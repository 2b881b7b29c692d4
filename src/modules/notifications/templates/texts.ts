/** How messages write what is in them. */

/** One line of at most so many characters, whatever was given: what files are called is anybody's choice. */
export function line(text: string, longest = 100): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  const characters = Array.from(plain);
  return characters.length <= longest ? plain : `${characters.slice(0, longest - 1).join('')}…`;
}

const numbers = new Intl.NumberFormat('en');

/** `1,204`. */
export function number(many: number): string {
  return numbers.format(many);
}

/** `1 product`, `1,204 products`. */
export function count(many: number, one: string): string {
  return `${number(many)} ${many === 1 ? one : `${one}s`}`;
}

/** `Jan 15, 1:00 PM`, as it was in the shop's time zone: where it was a while ago, and space is short. */
export function shortTime(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en', {
    ...{ month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
    timeZone,
  }).format(at);
}

/** `Jan 15, 2026, 1:00 PM GMT+1`, as it was in the shop's time zone. */
export function time(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en', {
    ...{ year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
    ...{ timeZone, timeZoneName: 'short' },
  }).format(at);
}
