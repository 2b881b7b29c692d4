const SUSPECT = /\\u(?:0000|d[89a-f])/i;
const LONGEST_ESCAPE = '\\u0000'.length;

/**
 * Whether JSON holds, by an escape, what PostgreSQL does not store and nobody writes: NUL, or one half of a surrogate pair
 * without the other. A backslash that is escaped itself begins no escape. Only escapes are looked at: what was decoded from
 * UTF-8 has no lone halves, and an unescaped NUL is no JSON.
 */
export function holdsUnstorable(json: string): boolean {
  if (!SUSPECT.test(json)) return false;
  for (let at = json.indexOf('\\'); at !== -1; at = json.indexOf('\\', at + 2)) {
    const unit = unitAt(json, at);
    if (unit === 0 || isLow(unit)) return true;
    if (!isHigh(unit)) continue;
    at += LONGEST_ESCAPE;
    if (!isLow(unitAt(json, at))) return true;
  }
  return false;
}

/** The UTF-16 unit that is escaped here; NaN where it is another escape or none. */
function unitAt(json: string, at: number): number {
  return json.startsWith('\\u', at) ? Number.parseInt(json.slice(at + 2, at + LONGEST_ESCAPE), 16) : Number.NaN;
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether objects and lists stand within one another deeper than that. Of text that is no JSON it may say either. */
export function nestsDeeperThan(json: string, levels: number): boolean {
  if (json.length <= levels) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfString(json, at);
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > levels) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth -= 1;
  }
  return false;
}

/** Where the string ends that begins here. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at += 1;
  }
  return json.length;
}
