/** The sizes that each stored image is kept in: the width and height that it is fitted into, never enlarged. */
export const RENDITIONS = {
  /** For lists. */
  list: { width: 480, height: 960 },
  /** For a product's own page. */
  detail: { width: 1200, height: 2400 },
  /** To look at closely. */
  full: { width: 2400, height: 4800 },
} as const;

export type Rendition = keyof typeof RENDITIONS;
export const RENDITION_NAMES = Object.keys(RENDITIONS) as Rendition[];

const FILE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-(list|detail|full)\.webp$/;

/** The name under which a rendition is served: it says which image, and an image never changes. */
export function renditionFile(imageId: string, rendition: Rendition): string {
  return `${imageId}-${rendition}.webp`;
}

export function isRenditionFile(name: string): boolean {
  return FILE.test(name);
}

/** Where that file stands in the blob store. */
export function blobKey(file: string): string {
  return `images/${file}`;
}

export function blobKeys(imageId: string): string[] {
  return RENDITION_NAMES.map((rendition) => blobKey(renditionFile(imageId, rendition)));
}
