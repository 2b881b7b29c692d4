import { createMemo } from '../../../kernel/cache.ts';
import { CORES_FOR_HEAVY_WORK, createLimited } from '../../../kernel/limited.ts';
import { imageTooLarge, imageTooManyPixels, imageTypeNotAllowed, imageUnreadable } from './errors.ts';
import { type ImageType, imageTypeOf } from './image-type.ts';
import { RENDITION_NAMES, RENDITIONS, type Rendition } from './renditions.ts';

/**
 * Foreign bytes into renditions of our own: WebP, in sRGB, upright, without any metadata, of the first frame. What was
 * sent is kept nowhere; what is shown was written here, pixel by pixel, so nothing can hide in it.
 *
 * It is decoded once, to the largest rendition, and the others are made of that: a photograph of 20 megapixels takes
 * 0.9 s of one core, 0.5 s of them for the large WebP. Images are worked on one after another, each by one thread, and
 * one core is left to everything else, so that uploads never hold up reads.
 */

export type Rendered = {
  /** Of the rendition for details. */
  width: number;
  height: number;
  files: Record<Rendition, Buffer>;
};

export type Render = (bytes: Buffer) => Promise<Rendered>;

export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
/** Decoded they take 200 MB, whatever the file's size was: what a bomb lives off. */
const MAX_PIXELS = 50_000_000;
/** Each may hold a decoded image. */
const MOST_AT_ONCE = 4;
const QUALITY = 80;
const SECONDS = 30;

/** Damage that a viewer would show is refused; what decoders only grumble about is not. */
const READING = { limitInputPixels: MAX_PIXELS, failOn: 'error' } as const;

/**
 * Throws image_too_large, image_type_not_allowed, image_too_many_pixels, image_unreadable; whoever asks waits for their
 * turn.
 */
export function createRenderer(): Render {
  const library = createMemo(loadSharp);
  const inTurn = createLimited(Math.min(CORES_FOR_HEAVY_WORK, MOST_AT_ONCE), Number.POSITIVE_INFINITY);
  return async (bytes) => {
    const type = imageTypeOf(bytes);
    if (bytes.length > MAX_IMAGE_BYTES) throw tooLarge();
    if (!type)
      throw imageTypeNotAllowed('This is no JPEG, PNG, WebP or AVIF image. Save it as one of these and send it again.');
    return inTurn(async () => {
      const sharp = await library.get();
      await judge(sharp, bytes, type);
      return rendering(sharp, bytes);
    });
  };
}

type Sharp = typeof import('sharp').default;

/** Loaded when the first image comes: it takes 50 ms and 22 MB, and most commands never need it. */
async function loadSharp(): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  // Whatever the bytes pretend to be, no other decoder is there to be reached.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadHeif'],
  });
  return sharp;
}

export function tooLarge() {
  return imageTooLarge(`The image is larger than ${MAX_IMAGE_BYTES / 1024 / 1024} MB. Send a smaller one.`);
}

const unreadable = () =>
  imageUnreadable('The image is damaged, or not what it says it is. Save it anew and send it again.');

/** By its header alone, before anything is decoded. */
async function judge(sharp: Sharp, bytes: Buffer, type: ImageType): Promise<void> {
  const found = await sharp(bytes, { ...READING, limitInputPixels: false })
    .metadata()
    .catch(() => {
      throw unreadable();
    });
  const isAsSaid = type === 'avif' ? found.format === 'heif' && found.compression === 'av1' : found.format === type;
  if (!isAsSaid) throw unreadable();
  if (found.width * (found.pageHeight ?? found.height) > MAX_PIXELS)
    throw imageTooManyPixels(
      `The image has ${found.width} × ${found.height} pixels, more than ${MAX_PIXELS / 1e6} million. Send a smaller one.`,
    );
}

async function rendering(sharp: Sharp, bytes: Buffer): Promise<Rendered> {
  try {
    const { data, info } = await sharp(bytes, READING)
      .timeout({ seconds: SECONDS })
      .autoOrient()
      .resize({ ...RENDITIONS.full, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const files: Partial<Rendered['files']> = {};
    let size = { width, height };
    for (const name of RENDITION_NAMES) {
      const made = await sharp(data, { raw: { width, height, channels } })
        .resize({ ...RENDITIONS[name], fit: 'inside', withoutEnlargement: true })
        .webp({ quality: QUALITY })
        .toBuffer({ resolveWithObject: true });
      files[name] = made.data;
      if (name === 'detail') size = { width: made.info.width, height: made.info.height };
    }
    return { ...size, files: files as Rendered['files'] };
  } catch {
    throw unreadable();
  }
}
