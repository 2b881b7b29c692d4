/** What stands around a thing in its second and third picture: plinth, paper, rail, pile, plant and gift box. */

import { ellipse, LEAF, line, move, type Paint, path, rect, STEEL } from './shapes.ts';

/** Where the floor begins, and where standing things stand on it. */
export const HORIZON = 706;
export const FLOOR = 790;

/** An arch behind and a low round plinth below: where a standing thing is shown turned. */
export function stage(halfWidth: number, stone: string, floorShadow: string): string {
  const r = Math.max(190, Math.min(310, Math.round(halfWidth * 1.16)));
  return (
    path(`M130 ${HORIZON}L130 400A270 270 0 0 1 670 400L670 ${HORIZON}Z`, '#fff', 0.24) +
    ellipse(414, FLOOR + 58, r * 1.2, 40, floorShadow) +
    path(`M${400 - r} ${FLOOR - 76}l0 110a${r} 34 0 0 0 ${2 * r} 0l0-110z`, stone) +
    ellipse(400, FLOOR - 76, r, 34, '#f8f4ec')
  );
}

/** A sheet of paper, a little askew: what a lying thing is shown turned on. */
export function sheet(): string {
  return move('rotate(-5 400 500)', rect(112, 96, 576, 808, 2, '#fff', 0.34));
}

/** A folded piece of clothing in a pile: the fold to the left, the open edges to the right. */
export function folded(c: Paint, y: number, x: number): string {
  return (
    path(`M${x + 46} ${y}l414 0q20 2 18 18l-4 62q-2 14-20 14l-408 0a46 47 0 0 1 0-94z`, c.round) +
    line(`M${x + 34} ${y + 32}q-14 14 0 30l442-2M${x + 60} ${y + 46}l414-1`, c.line, 4, 0.35)
  );
}

/** The neck of the uppermost piece, which shows that these are clothes. */
export function collar(c: Paint, y: number): string {
  return (
    path(`M250 ${y + 2}C300 ${y - 34} 500 ${y - 34} 560 ${y + 2}Z`, c.light) +
    path(`M336 ${y - 14}C350 ${y - 34} 460 ${y - 34} 474 ${y - 14}C450 ${y - 4} 360 ${y - 4} 336 ${y - 14}Z`, c.deep) +
    line(`M336 ${y - 14}C360 ${y - 2} 450 ${y - 2} 474 ${y - 14}`, c.shade, 8)
  );
}

/** Something on a hanger, seen from its side. */
export function hung(c: Paint, x: number): string {
  return (
    line(`M${x} 150c18-22 26 18 2 36l0 34`, STEEL.shade, 7) +
    path(`M${x - 34} 262c14-56 54-56 68 0c26 158 32 338 36 528q-70 14-140 0c4-190 10-370 36-528z`, c.round) +
    line(`M${x - 14} 300q-12 240-16 480M${x + 18} 320q10 230 16 450`, c.line, 5, 0.35)
  );
}

export function pottedPlant(c: Paint, floorShadow: string): string {
  const leaf = (turn: number, fill: string, size: number) =>
    move(
      `rotate(${turn} 620 620)scale(1 ${size})`,
      path(`M620 ${Math.round(620 / size)}c-50-70-56-170 0-290c56 120 50 220 0 290z`, fill),
    );
  return (
    ellipse(630, 756, 130, 22, floorShadow) +
    leaf(-32, LEAF.shade, 0.9) +
    leaf(30, LEAF.shade, 0.95) +
    leaf(-14, LEAF.base, 1.2) +
    leaf(14, LEAF.light, 1.1) +
    path('M546 590l148 0l-20 162l-108 0z', c.round) +
    rect(538, 572, 164, 40, 6, c.round)
  );
}

export function giftBox(c: Paint, floorShadow: string): string {
  return (
    ellipse(600, 756, 200, 26, floorShadow) +
    rect(460, 480, 250, 272, 4, c.round) +
    rect(450, 446, 270, 66, 5, c.round) +
    path('M460 512l250 0l0 10l-250 0z', c.line, 0.3) +
    rect(568, 446, 34, 306, 0, c.line, 0.28)
  );
}
