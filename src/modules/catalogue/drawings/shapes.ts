/**
 * The few strokes every drawing is made of. Coordinates are those of the picture, 800 wide and 1000 high; things stand
 * on y = 770 or lie around y = 500, both centred on x = 400. Numbers are whole, since the pictures are shown at a third
 * of this size, and each byte is sent.
 */

import type { Tones } from './palette.ts';

/** A colour's tones and the names of the gradients made of them in the picture being drawn. */
export type Paint = Tones & {
  /** Lit from the left: for what stands and is round. */
  readonly round: string;
  /** Lit from above: for what is flat or hangs. */
  readonly fall: string;
  /** Steel, lit from the left. */
  readonly steel: string;
  /** Wood, lit from above. */
  readonly wood: string;
  /** Paper or pale stone, lit from the left. */
  readonly paper: string;
};

export const WOOD = { base: '#bb8f63', light: '#d2ab82', shade: '#9a7049', line: '#7d5734' } as const;
export const STEEL = { base: '#b7bbbe', light: '#e4e6e7', shade: '#868b90', line: '#5f6469' } as const;
export const BRASS = { base: '#c7a04f', light: '#e6cd8f', shade: '#9c7729' } as const;
export const PAPER = { base: '#f4eee1', shade: '#d8cdb8', line: '#b3a58b' } as const;
export const LEAF = { base: '#5f7f5a', light: '#7f9d77', shade: '#456342' } as const;
export const INK = '#33312f';

const n = Math.round;

function alpha(opacity: number): string {
  return opacity === 1 ? '' : ` opacity="${String(opacity).replace(/^0/, '')}"`;
}

export function path(d: string, fill: string, opacity = 1): string {
  return `<path d="${d}" fill="${fill}"${alpha(opacity)}/>`;
}

/** Lines have round ends and no filling. */
export function line(d: string, stroke: string, width = 4, opacity = 1): string {
  return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}"${alpha(opacity)}/>`;
}

export function ellipse(cx: number, cy: number, rx: number, ry: number, fill: string, opacity = 1): string {
  return `<ellipse cx="${n(cx)}" cy="${n(cy)}" rx="${n(rx)}" ry="${n(ry)}" fill="${fill}"${alpha(opacity)}/>`;
}

export function circle(cx: number, cy: number, r: number, fill: string, opacity = 1): string {
  return `<circle cx="${n(cx)}" cy="${n(cy)}" r="${n(r)}" fill="${fill}"${alpha(opacity)}/>`;
}

export function ring(cx: number, cy: number, r: number, stroke: string, width: number, opacity = 1): string {
  return `<circle cx="${n(cx)}" cy="${n(cy)}" r="${n(r)}" fill="none" stroke="${stroke}" stroke-width="${width}"${alpha(opacity)}/>`;
}

export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  r: number,
  fill: string,
  opacity = 1,
): string {
  const corner = r === 0 ? '' : ` rx="${r}"`;
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"${corner} fill="${fill}"${alpha(opacity)}/>`;
}

export function move(transform: string, content: string): string {
  return `<g transform="${transform}">${content}</g>`;
}

/** The same on the other side of x = 400. */
export function flip(content: string): string {
  return move('matrix(-1 0 0 1 800 0)', content);
}

export function both(content: string): string {
  return content + flip(content);
}

/**
 * Writes an outline with relative numbers and no space before a minus: a third of the bytes less than absolute ones.
 * `to` takes one point for a line, or two handles and a point for a curve, all absolute.
 */
function outline(startX: number, startY: number) {
  let [x, y] = [n(startX), n(startY)];
  let d = `M${x} ${y}`;
  return {
    to(...points: number[]) {
      const steps = points.map((value, i) => n(value) - (i % 2 === 0 ? x : y));
      d += (points.length === 2 ? 'l' : 'c') + steps.join(' ');
      x += steps.at(-2)!;
      y += steps.at(-1)!;
    },
    /** The near half of an ellipse, from right to left. */
    bow(r: number, height: number) {
      d += `a${n(r)} ${height} 0 0 1 ${-2 * n(r)} 0`;
      x -= 2 * n(r);
    },
    close: () => `${d}z`.replaceAll(' -', '-'),
  };
}

/**
 * The closed outline of a thing that is the same left and right of x = 400, from its right half: absolute `M`, `L` and
 * `C` with whole numbers only, beginning and ending on or near the axis.
 */
export function mirrored(half: string): string {
  const curves: { from: readonly number[]; points: readonly number[] }[] = [];
  let at: readonly number[] = [];
  for (const [, command, rest] of half.matchAll(/([MLC])([^MLC]*)/g)) {
    const numbers = (rest!.match(/-?\d+/g) ?? []).map(Number);
    const step = command === 'C' ? 6 : 2;
    for (let i = 0; i < numbers.length; i += step) {
      const points = numbers.slice(i, i + step);
      if (command !== 'M') curves.push({ from: at, points });
      at = points.slice(-2);
    }
  }
  const [x, y] = curves[0]!.from;
  const shape = outline(x!, y!);
  for (const { points } of curves) shape.to(...points);
  if (at[0] !== 400) shape.to(800 - at[0]!, at[1]!);
  for (const { from, points } of curves.reverse()) {
    const handles = points.length === 6 ? [800 - points[2]!, points[3]!, 800 - points[0]!, points[1]!] : [];
    shape.to(...handles, 800 - from[0]!, from[1]!);
  }
  return shape.close();
}

/**
 * The outline of a turned thing (a vase, a bottle, a lamp's shade) around x = `cx`: points `y:half-width` from the top
 * down, joined smoothly; `!` makes a corner. The bottom is bowed by `bow`, as seen a little from above.
 */
export function turned(cx: number, profile: string, bow = 14): string {
  const points = profile.split(' ').map((point) => {
    const [y, r] = point.replace('!', '').split(':');
    return { y: Number(y), r: Number(r), corner: point.endsWith('!') };
  });
  // A third of the way along the line between its neighbours, halved: the smooth curve through all points.
  const slopes = points.map(({ corner }, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    return corner || !before || !after ? { y: 0, r: 0 } : { y: (after.y - before.y) / 6, r: (after.r - before.r) / 6 };
  });
  const shape = outline(cx + points[0]!.r, points[0]!.y);
  const join = (a: number, b: number, side: 1 | -1, way: 1 | -1) => {
    const [from, to, leave, arrive] = [points[a]!, points[b]!, slopes[a]!, slopes[b]!];
    const straight = [leave, arrive].every((slope) => slope.y === 0 && slope.r === 0);
    const handles = [
      cx + side * (from.r + way * leave.r),
      from.y + way * leave.y,
      cx + side * (to.r - way * arrive.r),
      to.y - way * arrive.y,
    ];
    shape.to(...(straight ? [] : handles), cx + side * to.r, to.y);
  };
  const last = points.length - 1;
  for (let i = 0; i < last; i++) join(i, i + 1, 1, 1);
  shape.bow(points[last]!.r, bow);
  for (let i = last; i > 0; i--) join(i, i - 1, -1, -1);
  return shape.close();
}

/** A row of threads, ribs or teeth: a line of `width` cut into dashes, square at both ends. */
export function dashed(d: string, stroke: string, width: number, dashes: string, opacity = 1): string {
  return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-dasharray="${dashes}" stroke-linecap="butt"${alpha(opacity)}/>`;
}

/** A row of round dots: as wide as `width`, `step` from middle to middle. */
export function dotted(d: string, fill: string, width: number, step: number, opacity = 1): string {
  return `<path d="${d}" fill="none" stroke="${fill}" stroke-width="${width}" stroke-dasharray="0 ${step}"${alpha(opacity)}/>`;
}

/** `count` marks around a dial, the first at twelve o'clock. */
export function ticks(cx: number, cy: number, r: number, count: number, length: number, stroke: string): string {
  return `<circle cx="${cx}" cy="${cy}" r="${r}" fill="none" stroke="${stroke}" stroke-width="${length}" pathLength="${count * 100}" stroke-dasharray="5 95" stroke-dashoffset="2.5" stroke-linecap="butt"/>`;
}

/** An open mouth seen a little from above: the rim, and the inside within it. */
export function mouth(c: Tones, cx: number, cy: number, r: number, ry: number, wall = 10): string {
  return ellipse(cx, cy, r, ry, c.light) + ellipse(cx, cy + 2, r - wall, Math.max(2, ry - wall * 0.45), c.deep);
}

/** A soft stroke of light down the left of something round. */
export function gleam(d: string, width = 10, opacity = 0.35): string {
  return line(d, '#fff', width, opacity);
}
