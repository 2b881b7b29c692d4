/**
 * Pictures of products, drawn: each is a small SVG that its key says all about, so a list looks composed before anyone has
 * taken a photograph, and nothing has to be stored or fetched. They are served as images under a strict policy: no text,
 * script, style or reference to anything but their own gradients.
 */

import { hash } from './hash.ts';
import { type Drawing, type DrawingKind, KINDS } from './kinds.ts';
import { COLOR_KEYS, GROUND_KEYS, isColorKey, isGroundKey } from './palette.ts';
import { paintScene } from './scene.ts';

export { drawingFor } from './choose.ts';
export type { Drawing } from './kinds.ts';

export const DRAWING_KINDS = Object.freeze(Object.keys(KINDS)) as readonly DrawingKind[];
export const DRAWING_COLORS = COLOR_KEYS;
export const DRAWING_GROUNDS = GROUND_KEYS;

/** The drawing as an SVG document of 800 by 1000, at most 4 kB. The same drawing always gives the same bytes. */
export function drawSvg(drawing: Drawing): string {
  // The names of its gradients are the drawing's own, so that two in one page do not take each other's.
  return paintScene(KINDS[drawing.kind], drawing, `d${hash(drawingKey(drawing)).toString(36)}`);
}

/** `mug.teal.1` or, on a ground of its own, `mug.teal.1.sand`: fit for a URL or a file name. */
export function drawingKey({ kind, color, view, ground }: Drawing): string {
  return ground === undefined ? `${kind}.${color}.${view}` : `${kind}.${color}.${view}.${ground}`;
}

/** The drawing of a key, or null for anything that `drawingKey` does not write. */
export function parseDrawingKey(key: string): Drawing | null {
  const [kind, color, view, ground, ...rest] = key.split('.', 5);
  if (kind === undefined || color === undefined || view === undefined || rest.length > 0) return null;
  if (!Object.hasOwn(KINDS, kind) || !isColorKey(color) || !/^[123]$/.test(view)) return null;
  if (ground !== undefined && !isGroundKey(ground)) return null;
  return { kind: kind as DrawingKind, color, view: Number(view) as Drawing['view'], ground };
}
