import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** A picture with a colour in each corner, so that a test sees which way it lies: red, green; blue, white. */
export async function cornered(width: number, height: number): Promise<Sharp> {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2), channels: 3 as const };
  const patch = async (background: string) =>
    sharp({ create: { ...half, background } })
      .png()
      .toBuffer();
  const [green, blue, white] = await Promise.all(['#00ff00', '#0000ff', '#ffffff'].map(patch));
  return sharp(
    await sharp({ create: { width, height, channels: 3, background: '#ff0000' } })
      .composite([
        { input: green!, left: width - half.width, top: 0 },
        { input: blue!, left: 0, top: height - half.height },
        { input: white!, left: width - half.width, top: height - half.height },
      ])
      .png()
      .toBuffer(),
  );
}

/** A PNG of one colour written by hand: far more pixels than bytes, with any chunks in front of them. */
export function flatPng(width: number, height: number, chunks: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + Math.ceil(width / 8));
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    chunks,
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

export function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG whose chunks were changed, with their check sums made right again. */
export function withSums(png: Buffer): Buffer {
  const parts = [png.subarray(0, 8)];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    parts.push(pngChunk(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)));
    at += length + 12;
  }
  return Buffer.concat(parts);
}

/** Pixels of an image, by place from 0 to 1 in both directions. */
export async function pixelsOf(image: Buffer): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => {
    const column = Math.min(info.width - 1, Math.floor(x * info.width));
    const row = Math.min(info.height - 1, Math.floor(y * info.height));
    const at = (row * info.width + column) * info.channels;
    return [...data.subarray(at, at + info.channels)];
  };
}
