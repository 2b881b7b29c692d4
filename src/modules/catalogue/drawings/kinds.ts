/** All that can be drawn, and how a drawing is named. */

import type { Kind } from './kind.ts';
import { ACCESSORIES } from './kinds/accessories.ts';
import { BATHROOM } from './kinds/bathroom.ts';
import { CLOTHES } from './kinds/clothes.ts';
import { DESK } from './kinds/desk.ts';
import { DEVICES } from './kinds/devices.ts';
import { FURNITURE } from './kinds/furniture.ts';
import { HOME } from './kinds/home.ts';
import { KITCHEN } from './kinds/kitchen.ts';
import { OUTDOOR } from './kinds/outdoor.ts';
import { PHARMACY } from './kinds/pharmacy.ts';
import { TOYS } from './kinds/toys.ts';
import { WORN } from './kinds/worn.ts';
import { WRAPPED } from './kinds/wrapped.ts';
import type { ColorKey, GroundKey } from './palette.ts';

export const KINDS = {
  ...KITCHEN,
  ...FURNITURE,
  ...HOME,
  ...CLOTHES,
  ...WORN,
  ...ACCESSORIES,
  ...DESK,
  ...DEVICES,
  ...OUTDOOR,
  ...TOYS,
  ...BATHROOM,
  ...PHARMACY,
  ...WRAPPED,
} as const satisfies Record<string, Kind>;

export type DrawingKind = keyof typeof KINDS;
export type DrawingColor = ColorKey;
export type DrawingGround = GroundKey;

export type Drawing = {
  kind: DrawingKind;
  color: DrawingColor;
  /** 1 from the front, 2 turned or opened, 3 with others of its collection or its packaging. */
  view: 1 | 2 | 3;
  /** What it stands on; without one, what suits the colour. */
  ground?: DrawingGround | undefined;
};
