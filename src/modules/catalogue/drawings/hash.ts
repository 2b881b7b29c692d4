/** A number of 32 bits from a text: always the same, and evenly spread even over texts that differ in their last letter. */
export function hash(text: string): number {
  // FNV-1a, then the finish of MurmurHash3, without which names that are alike would get numbers that are close.
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
