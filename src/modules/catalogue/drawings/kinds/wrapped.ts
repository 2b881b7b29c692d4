/** Drawings of wrapped things, which stand for anything that has no drawing of its own. */

import { type Kind, standing } from '../kind.ts';
import { BRASS, circle, LEAF, line, PAPER, type Paint, path, rect } from '../shapes.ts';

/** A round flower head: petals as thick dots on a circle. */
function blossom(c: Paint, x: number, y: number, r: number): string {
  return (
    `<circle cx="${x}" cy="${y}" r="${r - 20}" fill="${c.shade}" stroke="${c.light}" stroke-width="34" pathLength="70" stroke-dasharray="0 10"/>` +
    circle(x, y, 13, BRASS.light)
  );
}

export const WRAPPED = {
  box: standing(
    220,
    1.2,
    'trio',
    (c) =>
      path('M190 470L400 420L610 470L610 740L400 770L190 740Z', c.base) +
      path('M400 500L610 470L610 740L400 770Z', c.shade) +
      path('M190 470L400 420L610 470L400 500Z', c.light) +
      path('M280 449L330 437L536 481L486 488Z', PAPER.base, 0.8) +
      path('M486 488L536 481L536 560L486 568Z', PAPER.shade, 0.8) +
      path('M230 560L340 576L340 660L230 642Z', PAPER.base) +
      line('M252 592L318 602M252 616L296 622', PAPER.line, 5),
  ),
  parcel: standing(
    230,
    1.2,
    'trio',
    (c) =>
      rect(180, 470, 440, 300, 8, c.round) +
      path('M180 478C180 472 184 470 190 470L610 470C616 470 620 472 620 478L620 520L180 520Z', c.light, 0.7) +
      line('M320 470L320 770M180 640L620 640', '#f1e7d3', 9) +
      line('M320 640C260 580 250 640 320 640C390 640 380 580 320 640M320 640L280 700M320 640L366 696', '#f1e7d3', 8) +
      path('M440 560L560 540L572 600L452 620Z', PAPER.base) +
      line('M462 576L546 562M466 598L520 589', PAPER.line, 5),
  ),
  gift: standing(
    210,
    1.2,
    'trio',
    (c) =>
      rect(214, 540, 372, 230, 6, c.round) +
      rect(200, 480, 400, 72, 8, c.round) +
      line('M214 556L586 556', c.deep, 6, 0.35) +
      rect(372, 480, 56, 290, 0, PAPER.base) +
      path(
        'M400 480C330 480 260 440 290 404C330 370 384 420 400 480C416 420 470 370 510 404C540 440 470 480 400 480Z',
        PAPER.base,
      ) +
      path(
        'M400 480C360 470 310 448 318 430C340 412 384 440 400 480C416 440 460 412 482 430C490 448 440 470 400 480Z',
        PAPER.shade,
      ) +
      circle(400, 476, 22, PAPER.base),
  ),
  bag: standing(
    180,
    1.15,
    'pair',
    (c) =>
      line('M330 430C330 330 470 330 470 430', '#8a7350', 9) +
      path('M236 420L564 420L580 770L220 770Z', c.fall) +
      path('M480 420L564 420L580 770L520 770Z', c.shade, 0.5) +
      line('M480 420L520 770', c.line, 4, 0.35) +
      rect(296, 540, 130, 130, 65, c.light, 0.9) +
      path('M361 566C390 590 396 630 361 650C326 630 332 590 361 566Z', c.base) +
      line('M238 440L562 440', c.line, 3, 0.3),
  ),
  bouquet: standing(
    110,
    1.1,
    'pair',
    (c) =>
      line('M360 480L330 330M400 480L400 280M440 480L470 330M380 480L350 420M420 480L450 410', LEAF.base, 6) +
      path(
        'M300 470C270 420 270 380 290 350C320 390 330 430 330 470ZM500 470C530 420 530 380 510 350C480 390 470 430 470 470Z',
        LEAF.shade,
      ) +
      blossom(c, 330, 320, 46) +
      blossom(c, 400, 260, 50) +
      blossom(c, 474, 318, 46) +
      blossom(c, 364, 404, 44) +
      blossom(c, 446, 406, 44) +
      path('M262 440C340 470 460 470 538 440L446 770L354 770Z', PAPER.base) +
      path('M262 440C320 460 370 466 420 465L354 770Z', PAPER.shade, 0.7) +
      line('M346 650C380 664 420 664 454 650', c.base, 13) +
      line('M400 660L380 710M402 660L426 706', c.base, 8),
  ),
} as const satisfies Record<string, Kind>;
