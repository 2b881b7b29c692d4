import type { Paint } from './shapes.ts';

/** How several of a thing are put together in the third picture. */
export type Setting = 'pair' | 'trio' | 'fan' | 'boxed' | 'beside' | 'folded' | 'rail';

export type Kind = {
  /** The thing alone; `turned` for the second picture: from behind, opened, or otherwise the other way. */
  readonly draw: (c: Paint, turned: boolean) => string;
  /** Standing things have a floor and the shadow `[x, half width]` at their foot; lying ones a soft shadow all round. */
  readonly foot: readonly [number, number] | null;
  readonly setting: Setting;
  /** How much larger than drawn it is shown, so that a cup and a pot fill their pictures alike. */
  readonly size: number;
  /** False where `draw` shows the turned thing itself, so that it need not be mirrored. */
  readonly mirror: boolean;
};

type Draw = Kind['draw'];

export function standing(halfWidth: number, size: number, setting: Setting, draw: Draw, x = 400): Kind {
  return { draw, foot: [x, halfWidth], setting, size, mirror: draw.length < 2 };
}

export function lying(setting: Setting, draw: Draw, size = 1): Kind {
  return { draw, foot: null, setting, size, mirror: draw.length < 2 };
}
