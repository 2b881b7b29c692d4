/** Where a form sends somebody afterwards is part of its address, which anybody can write. */

/** Long enough for a list with many filters. */
const LONGEST = 1_000;
/** Nowhere: what an address is read against, so that one which names a host of its own is noticed. */
const HERE = 'http://here.invalid';

/**
 * The path that was given, if it leads to a page of this shop, written so that it can stand in a header; otherwise null.
 * Judged as browsers read it (WHATWG URL): they drop tabs and line breaks, take `\` for `/`, and a path that begins with
 * two slashes for a host.
 */
export function safePath(given: unknown): string | null {
  if (typeof given !== 'string' || given.length > LONGEST || !/^\/(?![/\\])/.test(given)) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(given) || !URL.canParse(given, HERE)) return null;
  const { origin, pathname, search, hash } = new URL(given, HERE);
  // Dots between slashes go away in reading, and may leave two slashes at the front.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search + hash : null;
}
