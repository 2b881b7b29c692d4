/** A thing, or several, on their ground: how the three pictures of a thing are composed. */

import type { Kind, Setting } from './kind.ts';
import { type ColorKey, companionsOf, type GroundKey, groundFor, tonesOf } from './palette.ts';
import { collar, FLOOR, folded, giftBox, HORIZON, hung, pottedPlant, sheet, stage } from './props.ts';
import { BRASS, ellipse, flip, line, move, type Paint, rect, STEEL, WOOD } from './shapes.ts';

export type Scene = { color: ColorKey; view: 1 | 2 | 3; ground?: GroundKey | undefined };

/** Where each thing of a setting stands: offset from the middle, size, and which colour of the collection it has. */
type Place = { dx: number; dy: number; size: number; color: 0 | 1 | 2; turn?: number };

const PLACES: Readonly<Record<Exclude<Setting, 'folded' | 'rail'>, readonly Place[]>> = {
  pair: [
    { dx: 140, dy: -50, size: 0.68, color: 1 },
    { dx: -115, dy: 26, size: 0.76, color: 0 },
  ],
  trio: [
    { dx: 10, dy: -62, size: 0.55, color: 1 },
    { dx: 194, dy: 4, size: 0.6, color: 2 },
    { dx: -158, dy: 34, size: 0.66, color: 0 },
  ],
  fan: [
    { dx: 105, dy: 130, size: 0.64, color: 1, turn: 14 },
    { dx: -105, dy: -110, size: 0.72, color: 0, turn: -8 },
  ],
  boxed: [{ dx: -90, dy: 34, size: 0.78, color: 0 }],
  beside: [{ dx: -70, dy: 30, size: 0.76, color: 0 }],
};

/** The whole picture as SVG text; the names of its gradients begin with `id`. */
export function paintScene(kind: Kind, scene: Scene, id: string): string {
  const colors = [scene.color, ...companionsOf(scene.color)] as const;
  const paints = colors.map((color, i) => paintOf(color, i, id)) as [Paint, Paint, Paint];
  const mirror = scene.view === 2 && kind.mirror;
  const content = compose(kind, scene.view, paints, id, mirror);
  const wall = rect(0, 0, 800, 1000, 0, groundFor(scene.color, scene.ground));
  // A floor a little lighter than the wall, under what stands.
  const floor = content.includes(floorShadow(id)) ? rect(0, HORIZON, 800, 1000 - HORIZON, 0, '#fff', 0.26) : '';
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 1000" stroke-linecap="round" stroke-linejoin="round">' +
    `<defs>${definitions(content, paints, id, mirror)}</defs>${wall}${floor}${content}</svg>`
  );
}

function paintOf(color: ColorKey, index: number, id: string): Paint {
  return {
    ...tonesOf(color),
    round: `url(#${id}r${index})`,
    fall: `url(#${id}f${index})`,
    steel: `url(#${id}m)`,
    wood: `url(#${id}w)`,
    paper: `url(#${id}p)`,
  };
}

function floorShadow(id: string): string {
  return `url(#${id}s)`;
}

function compose(
  kind: Kind,
  view: Scene['view'],
  paints: readonly [Paint, Paint, Paint],
  id: string,
  mirror: boolean,
): string {
  const [own, second, third] = paints;
  const shadow = floorShadow(id);
  const float = (content: string) => `<g filter="url(#${id}d)">${content}</g>`;
  const thing = (paint: Paint, turned = false) => {
    const drawn = kind.draw(paint, turned);
    return kind.foot ? ellipse(kind.foot[0] + 14, 772, kind.foot[1] * 1.32, 30, shadow) + drawn : float(drawn);
  };
  // Things are placed and scaled by the point they stand on or lie around.
  const [anchor, level] = kind.foot ? [770, FLOOR] : [500, 500];
  const place = (x: number, y: number, size: number, content: string, turn = 0) =>
    move(
      `translate(${x} ${y})${turn ? `rotate(${turn})` : ''}scale(${Math.round(size * kind.size * 100) / 100})translate(-400 -${anchor})`,
      content,
    );

  if (view === 1) return place(400, level, 1, thing(own));
  if (view === 2) {
    const turned = mirror ? flip(thing(own, true)) : thing(own, true);
    return kind.foot
      ? stage(kind.foot[1] * kind.size, own.paper, shadow) + place(400, FLOOR - 76, 0.88, turned)
      : sheet() + place(400, 500, 0.9, turned);
  }
  if (kind.setting === 'folded') {
    const pile = folded(third, 694, 152) + folded(second, 598, 168) + folded(own, 502, 158);
    return ellipse(410, FLOOR, 330, 34, shadow) + collar(own, 502) + pile;
  }
  if (kind.setting === 'rail') {
    return (
      line('M70 150L730 150', BRASS.shade, 12) +
      float(hung(second, 190) + hung(third, 610)) +
      line('M400 150C420 128 430 170 402 190L402 330', STEEL.shade, 8) +
      place(400, 566, 0.86, thing(own))
    );
  }
  const behind = { boxed: giftBox, beside: pottedPlant, pair: null, trio: null, fan: null }[kind.setting];
  return (
    (behind?.(second, shadow) ?? '') +
    PLACES[kind.setting]
      .map(({ dx, dy, size, color, turn }) => place(400 + dx, level + dy, size, thing(paints[color]), turn))
      .join('')
  );
}

/** The gradients and the shadow that the content asks for. */
function definitions(content: string, paints: readonly Paint[], id: string, mirror: boolean): string {
  const asked = (name: string, definition: string) => (content.includes(`url(#${id}${name})`) ? definition : '');
  const stop = (offset: string, color: string) => `<stop offset="${offset}" stop-color="${color}"/>`;
  const linear = (name: string, stops: string, along = '') =>
    asked(name, `<linearGradient id="${id}${name}"${along}>${stops}</linearGradient>`);
  const shade = (offset: string, opacity: string) =>
    `<stop offset="${offset}" stop-color="#3b2a1c" stop-opacity="${opacity}"/>`;
  // A mirrored thing is still lit from the left.
  const fromLeft = mirror ? ' x1="1" x2="0"' : '';
  return (
    paints
      .map(
        ({ light, base, shade }, i) =>
          linear(`r${i}`, stop('0', light) + stop('.4', base) + stop('1', shade), fromLeft) +
          linear(`f${i}`, stop('0', light) + stop('.45', base) + stop('1', shade), ' x2=".35" y2="1"'),
      )
      .join('') +
    linear('m', stop('0', STEEL.light) + stop('.45', STEEL.base) + stop('1', STEEL.shade)) +
    linear('p', stop('0', '#f6f1e8') + stop('1', '#d8cfc2')) +
    linear('w', stop('0', WOOD.light) + stop('1', WOOD.base), ' x2="0" y2="1"') +
    asked(
      's',
      `<radialGradient id="${id}s">${shade('0', '.5')}${shade('.55', '.22')}${shade('1', '0')}</radialGradient>`,
    ) +
    asked(
      'd',
      `<filter id="${id}d" x="-.2" y="-.2" width="1.4" height="1.4"><feDropShadow dx="8" dy="14" stdDeviation="11" flood-color="#3b2a1c" flood-opacity=".3"/></filter>`,
    )
  );
}
