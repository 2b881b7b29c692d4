export type ImageType = 'jpeg' | 'png' | 'webp' | 'avif';

/**
 * What kind of image the bytes are, by how they begin; null for anything but the four that are taken. Names and declared
 * types say nothing: whoever sends a file chooses them.
 */
export function imageTypeOf(bytes: Buffer): ImageType | null {
  if (begins(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'WEBP') return 'webp';
  return isAvif(bytes) ? 'avif' : null;
}

/**
 * A file of the ISO base media format names its kinds in its first box (ISO/IEC 14496-12, 4.3): size, `ftyp`, the major
 * brand, a version, further brands. HEIC is built alike, under other brands.
 */
function isAvif(bytes: Buffer): boolean {
  if (bytes.length < 16 || text(bytes, 4, 8) !== 'ftyp') return false;
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 256);
  const brands = [text(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text(bytes, at, at + 4));
  return brands.includes('avif') || brands.includes('avis');
}

function begins(bytes: Buffer, signature: readonly number[]): boolean {
  return bytes.length >= signature.length && signature.every((byte, i) => bytes[i] === byte);
}

function text(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}
