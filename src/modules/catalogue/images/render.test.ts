import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../../kernel/errors.ts';
import { imageTypeOf } from './image-type.ts';
import { createRenderer, MAX_IMAGE_BYTES, type Render } from './render.ts';
import { RENDITION_NAMES } from './renditions.ts';
import { cornered, flatPng, pixelsOf, pngChunk, withSums } from './testing.ts';

let render: Render;
let gif: Buffer;
let tiff: Buffer;
beforeAll(async () => {
  // Made before the first image comes, which takes their decoders away.
  const dot = sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } });
  gif = await dot.clone().gif().toBuffer();
  tiff = await dot.clone().tiff().toBuffer();
  render = createRenderer();
});

const refusal = (bytes: Buffer) =>
  render(bytes).then(
    () => 'rendered',
    (error: AppError) => error.code,
  );
const near = (color: readonly number[]) => color.map((value) => expect.closeTo(value, -1.3));
const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];

describe('the renditions', () => {
  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('are made of %s', async (format) => {
    const bytes = await (await cornered(900, 600)).toFormat(format).toBuffer();
    expect(imageTypeOf(bytes)).toBe(format);
    const { width, height, files } = await render(bytes);
    expect([width, height]).toEqual([900, 600]);
    for (const [name, size] of [
      ['list', [480, 320]],
      ['detail', [900, 600]],
      ['full', [900, 600]],
    ] as const) {
      const made = await sharp(files[name]).metadata();
      expect([made.format, made.width, made.height]).toEqual(['webp', ...size]);
      const at = await pixelsOf(files[name]);
      expect([at(0.1, 0.1), at(0.9, 0.1), at(0.1, 0.9), at(0.9, 0.9)]).toEqual([RED, GREEN, BLUE, WHITE].map(near));
    }
  });

  it('fit into their sizes and are never enlarged', async () => {
    const sizesOf = async (width: number, height: number) => {
      const { files, ...size } = await render(flatPng(width, height));
      const made = await Promise.all(RENDITION_NAMES.map((name) => sharp(files[name]).metadata()));
      expect(size).toEqual({ width: made[1]!.width, height: made[1]!.height });
      return made.map((image) => [image.width, image.height]);
    };
    expect(await sizesOf(4000, 5000)).toEqual([
      [480, 600],
      [1200, 1500],
      [2400, 3000],
    ]);
    expect(await sizesOf(1, 1)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(await sizesOf(1300, 10)).toEqual([
      [480, 4],
      [1200, 9],
      [1300, 10],
    ]);
    // Beyond the 16,383 pixels that a WebP can be high.
    expect(await sizesOf(3, 60_000)).toEqual([
      [1, 960],
      [1, 2400],
      [1, 4800],
    ]);
  });

  it('lie as the camera was held, whichever way that was', async () => {
    const picture = await cornered(400, 200);
    // What a viewer does to a picture of that orientation (EXIF 2.32, tag 274), done backwards to the pixels.
    const turned: [number, Sharp][] = [
      [1, picture.clone()],
      [2, picture.clone().flop()],
      [3, picture.clone().rotate(180)],
      [4, picture.clone().flip()],
      [6, picture.clone().rotate(270)],
      [8, picture.clone().rotate(90)],
    ];
    for (const [orientation, image] of turned) {
      const pixels = await image.png().toBuffer();
      const bytes = await sharp(pixels).jpeg({ chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toBuffer();
      expect((await sharp(bytes).metadata()).orientation).toBe(orientation);
      const { files, width, height } = await render(bytes);
      expect([width, height], String(orientation)).toEqual([400, 200]);
      const at = await pixelsOf(files.detail);
      expect([at(0.1, 0.1), at(0.9, 0.1), at(0.1, 0.9), at(0.9, 0.9)], String(orientation)).toEqual(
        [RED, GREEN, BLUE, WHITE].map(near),
      );
      expect((await sharp(files.detail).metadata()).orientation).toBeUndefined();
    }
  });

  it('hold no trace of where, when and by whom a picture was taken', async () => {
    const secret = 'Jane at home';
    const bytes = await (await cornered(300, 300))
      .jpeg()
      .withExif({
        IFD0: { Copyright: secret, Artist: secret },
        IFD3: {
          GPSLatitudeRef: 'N',
          GPSLatitude: '52/1 31/1 0/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '13/1 24/1 0/1',
        },
      })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><note>${secret}</note></x:xmpmeta>`)
      .withIccProfile('p3')
      .toBuffer();
    const given = await sharp(bytes).metadata();
    expect(given.exif?.includes(secret)).toBe(true);
    expect(bytes.includes('adobe:ns:meta')).toBe(true);
    const { files } = await render(bytes);
    for (const file of Object.values(files)) {
      const made = await sharp(file).metadata();
      expect([made.exif, made.xmp, made.icc, made.iptc, made.comments]).toEqual(Array(5).fill(undefined));
      expect(file.includes(secret)).toBe(false);
      expect(file.includes('EXIF') || file.includes('XMP ') || file.includes('ICCP')).toBe(false);
    }
  });

  it('show colours of a wider space as they were meant, in sRGB', async () => {
    const pixel = sharp({ create: { width: 40, height: 40, channels: 3, background: { r: 60, g: 180, b: 60 } } });
    const plain = await pixel.clone().png().toBuffer();
    const wide = await sharp(plain).withIccProfile('p3', { attach: true }).png().toBuffer();
    expect((await sharp(wide).metadata()).hasProfile).toBe(true);
    const bare = Buffer.from(wide);
    bare.write('xxXX', bare.indexOf('iCCP'), 'latin1');
    expect((await pixelsOf(withSums(bare)))(0.5, 0.5)[0]).toBeGreaterThan(80);
    const at = await pixelsOf((await render(wide)).files.detail);
    expect(at(0.5, 0.5)).toEqual([60, 180, 60].map((value) => expect.closeTo(value, -0.7)));
  });

  it('show pictures of print, of 16 bits, of grey and with holes', async () => {
    const grey = { r: 120, g: 120, b: 120 };
    const flat = sharp({ create: { width: 40, height: 40, channels: 3, background: grey } });
    const given = {
      print: await flat.clone().toColourspace('cmyk').jpeg().toBuffer(),
      deep: await flat.clone().toColourspace('rgb16').png().toBuffer(),
      grey: await flat.clone().greyscale().jpeg().toBuffer(),
    };
    expect((await sharp(given.print).metadata()).space).toBe('cmyk');
    expect((await sharp(given.deep).metadata()).depth).toBe('ushort');
    for (const [name, bytes] of Object.entries(given)) {
      const at = await pixelsOf((await render(bytes)).files.detail);
      // Without a profile the colours of print are nobody's to know exactly.
      const digits = name === 'print' ? -1.5 : -0.7;
      expect(at(0.5, 0.5), name).toEqual([120, 120, 120].map((value) => expect.closeTo(value, digits)));
    }
    const holed = await sharp({ create: { width: 9, height: 9, channels: 4, background: { ...grey, alpha: 0 } } })
      .png()
      .toBuffer();
    expect((await sharp((await render(holed)).files.list).stats()).isOpaque).toBe(false);
  });

  it('show the first picture of an animation', async () => {
    const frames = await Promise.all(
      ['#ff0000', '#00ff00', '#0000ff'].map((background) =>
        sharp({ create: { width: 50, height: 50, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const animated = await sharp(frames, { join: { animated: true } })
      .webp({ loop: 0, delay: [100, 100, 100] })
      .toBuffer();
    expect((await sharp(animated).metadata()).pages).toBe(3);
    const { files, width, height } = await render(animated);
    expect([width, height]).toEqual([50, 50]);
    expect((await sharp(files.full).metadata()).pages).toBeUndefined();
    expect((await pixelsOf(files.full))(0.5, 0.5)).toEqual(near(RED));
  });
});

describe('what is refused', () => {
  it('is every other kind, whatever it is called', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
    const others = [
      Buffer.alloc(0),
      Buffer.from('x'),
      Buffer.from(svg),
      Buffer.from(`<?xml version="1.0"?>${svg}`),
      gif,
      tiff,
      Buffer.from('%PDF-1.7'),
      Buffer.from('BM'),
      Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
    ];
    for (const bytes of others)
      expect(await refusal(bytes), bytes.toString('latin1', 0, 20)).toBe('image_type_not_allowed');
  });

  it('is what only begins like an image', async () => {
    const starts = [
      '\xff\xd8\xff\xe0',
      '\x89PNG\r\n\x1a\n',
      'RIFF\x20\0\0\0WEBPVP8 ',
      '\0\0\0\x1cftypavif\0\0\0\0avifmif1',
    ];
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    for (const start of starts) {
      expect(await refusal(Buffer.from(start, 'latin1')), start).toBe('image_unreadable');
      expect(await refusal(Buffer.from(start + svg, 'latin1')), start).toBe('image_unreadable');
      expect(await refusal(Buffer.concat([Buffer.from(start, 'latin1'), gif])), start).toBe('image_unreadable');
    }
  });

  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('is a %s of which the end is missing', async (format) => {
    const whole = await (await cornered(600, 600)).blur(2).toFormat(format).toBuffer();
    for (const part of [0.1, 0.5, 0.9])
      expect(await refusal(whole.subarray(0, Math.floor(whole.length * part))), String(part)).toBe('image_unreadable');
  });

  it('is a bomb: few bytes, too many pixels', async () => {
    const bomb = flatPng(12_000, 12_000);
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().rss;
    expect(await refusal(bomb)).toBe('image_too_many_pixels');
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    expect(await refusal(flatPng(7_000, 7_100))).toBe('rendered');
    expect(await refusal(flatPng(7_000, 7_200))).toBe('image_too_many_pixels');
  });

  it('is a file of more than 20 MB', async () => {
    const filler = (length: number) => flatPng(9, 9, pngChunk('teXt', Buffer.alloc(length)));
    const spare = MAX_IMAGE_BYTES - filler(0).length;
    expect(await refusal(filler(spare))).toBe('rendered');
    expect(await refusal(filler(spare + 1))).toBe('image_too_large');
  });
});

it('gives back pixels and nothing else of a file that is two things at once', async () => {
  const page = '<html><script>alert(1)</script></html>';
  const archive = 'PK\x03\x04 #!/bin/sh rm -rf';
  const picture = await (await cornered(60, 60))
    .jpeg()
    .withExif({ IFD0: { ImageDescription: page } })
    .toBuffer();
  const both = Buffer.concat([picture, Buffer.from(page + archive, 'latin1')]);
  expect(both.includes(page)).toBe(true);
  for (const file of Object.values((await render(both)).files)) {
    expect(file.includes('script')).toBe(false);
    expect(file.includes('PK\x03\x04')).toBe(false);
  }
});

it('has no other decoder left once it has begun', async () => {
  await render(flatPng(1, 1));
  for (const bytes of [gif, tiff, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')])
    await expect(sharp(bytes).metadata()).rejects.toThrow(/unsupported image format/);
});

it('works on one image after another and lets everything else run meanwhile', async () => {
  const large = flatPng(6_000, 6_000);
  let longest = 0;
  let last = performance.now();
  const pulse = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  await Promise.all(Array.from({ length: 6 }, () => render(large)));
  clearInterval(pulse);
  expect(longest).toBeLessThan(500);
});
