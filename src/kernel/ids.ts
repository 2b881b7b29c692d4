import { randomFillSync } from 'node:crypto';

/**
 * UUIDv7 (RFC 9562, 5.7): milliseconds first, so that ids sort by birth and new rows land side by side in an index.
 * Within one process they strictly increase: the 12 bits behind the time count up inside a millisecond (method 1 of
 * RFC 9562, 6.2), and borrow from the next one when they run out.
 */
const pool = new Uint8Array(8 * 512);
let used = pool.length;
let lastTime = 0;
let counter = 0;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function newId(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastTime += 1;
    counter = 0;
  }
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const time = lastTime.toString(16).padStart(12, '0');
  let tail = HEX[(pool[used]! & 0x3f) | 0x80]!;
  for (let i = 1; i < 8; i++) tail += (i === 2 ? '-' : '') + HEX[pool[used + i]!]!;
  used += 8;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${tail}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID of any version, in the usual spelling with hyphens. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
