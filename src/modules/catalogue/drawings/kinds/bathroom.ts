/** Drawings of what stands in a bathroom. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  circle,
  dashed,
  dotted,
  ellipse,
  gleam,
  INK,
  line,
  mirrored,
  move,
  PAPER,
  type Paint,
  path,
  rect,
  STEEL,
  turned,
  WOOD,
} from '../shapes.ts';

/** A paper label with a mark and two lines where words would be. */
function label(c: Paint, x: number, y: number, width: number, height: number): string {
  const middle = x + width / 2;
  return (
    rect(x, y, width, height, 3, PAPER.base) +
    circle(middle, y + height * 0.32, Math.min(width, height) * 0.13, c.base) +
    line(
      `M${x + width * 0.2} ${Math.round(y + height * 0.62)}l${width * 0.6} 0M${x + width * 0.3} ${Math.round(y + height * 0.8)}l${width * 0.4} 0`,
      PAPER.line,
      5,
    )
  );
}

export const BATHROOM = {
  soap: standing(
    210,
    1.2,
    'trio',
    (c) =>
      ellipse(400, 742, 230, 30, WOOD.shade) +
      ellipse(400, 732, 230, 30, WOOD.light) +
      path('M210 640C210 610 590 610 590 640L598 704C598 740 202 740 202 704Z', c.round) +
      ellipse(400, 636, 188, 44, c.light) +
      ellipse(400, 638, 128, 27, c.base, 0.6) +
      line('M330 638C360 626 440 626 470 638M360 648C380 642 420 642 440 648', c.line, 4, 0.5),
  ),
  tube: standing(
    90,
    1.12,
    'pair',
    (c) =>
      path('M280 250L520 250L470 690L330 690Z', c.round) +
      rect(274, 232, 252, 36, 4, c.shade) +
      dashed('M284 250L520 250', c.line, 24, '3 19', 0.45) +
      rect(332, 688, 136, 82, 10, '#f4eee1') +
      dashed('M348 730L462 730', '#cfc4b0', 60, '5 20') +
      label(c, 336, 370, 128, 150) +
      gleam('M306 300L338 650', 12),
  ),
  dropper: standing(
    100,
    1.22,
    'boxed',
    (c) =>
      path('M372 330C366 260 434 260 428 330Z', INK) +
      rect(352, 326, 96, 74, 8, c.shade) +
      dashed('M366 363L440 363', c.line, 56, '4 14', 0.4) +
      path(turned(400, '400:46! 430:50 470:104 500:112! 750:112! 770:102', 14), '#8a5a33') +
      path(turned(400, '400:46! 430:50 470:104 500:112! 750:112! 770:102', 14), c.round, 0.55) +
      label(c, 312, 540, 176, 170) +
      gleam('M306 500L306 730', 11),
  ),
  pump: standing(
    120,
    1.12,
    'pair',
    (c) =>
      path('M250 330C250 300 300 296 330 296L440 296L440 330L330 330C290 330 280 340 276 356Z', INK) +
      rect(388, 326, 24, 70, 4, STEEL.base) +
      rect(350, 386, 100, 54, 8, INK) +
      path(turned(400, '438:56! 452:90 484:120 520:124! 752:124! 770:114', 15), c.round) +
      label(c, 312, 550, 176, 160) +
      gleam('M298 520L298 730', 12),
  ),
  perfume: standing(
    140,
    1.26,
    'boxed',
    (c) =>
      rect(352, 372, 96, 92, 10, INK) +
      rect(362, 380, 14, 76, 6, '#fff', 0.2) +
      rect(366, 462, 68, 30, 2, BRASS.base) +
      rect(266, 490, 268, 280, 28, c.light, 0.85) +
      rect(286, 540, 228, 212, 16, c.round) +
      rect(266, 490, 268, 280, 28, '#fff', 0.2) +
      label(c, 336, 580, 128, 120) +
      line('M284 520L284 736', '#fff', 9, 0.6),
  ),
  'cream-jar': standing(
    170,
    1.3,
    'trio',
    (c) =>
      path(turned(400, '610:158! 740:158 770:144', 19), c.round) +
      path(turned(400, '520:164! 606:164!', 22), PAPER.base) +
      path(turned(400, '520:164! 606:164!', 22), c.wood) +
      ellipse(400, 520, 164, 28, WOOD.light) +
      line('M290 516C350 504 450 504 510 516M330 530C370 524 430 524 470 530', WOOD.line, 3, 0.35) +
      rect(330, 656, 140, 70, 3, PAPER.base) +
      line('M354 682l92 0M372 704l56 0', PAPER.line, 5) +
      gleam('M264 650L264 740', 10),
  ),
  lipstick: standing(
    70,
    1.2,
    'trio',
    (c) =>
      path('M356 490L356 390C380 350 420 336 444 330L444 490Z', c.round) +
      path('M356 390C380 350 420 336 444 330C440 372 400 396 356 400Z', c.light) +
      rect(346, 486, 108, 76, 4, BRASS.base) +
      rect(358, 486, 20, 76, 0, BRASS.light) +
      rect(330, 558, 140, 212, 8, INK) +
      rect(344, 566, 14, 196, 6, '#fff', 0.2),
  ),
  brush: lying('fan', (c) =>
    move(
      'rotate(28 400 500)',
      path(
        mirrored(
          'M400 140C480 140 520 200 520 300C520 410 470 470 432 510C428 560 446 760 436 840C430 870 416 874 400 874',
        ),
        c.wood,
      ) +
        ellipse(400, 306, 96, 140, c.base) +
        dotted('M346 206L346 412M382 190L382 430M418 190L418 430M454 206L454 412', c.light, 16, 34) +
        line('M386 560C384 660 382 760 388 830', '#fff', 6, 0.35),
    ),
  ),
  toothbrush: lying('fan', (c) =>
    [0, 1]
      .map((i) =>
        move(
          `rotate(${i ? 12 : -14} 400 600)`,
          rect(382, 150, 36, 150, 12, i ? WOOD.base : c.base) +
            rect(338, 162, 48, 122, 6, '#fbf8f1') +
            dashed('M361 178L361 270', c.light, 42, '5 19') +
            path(
              'M384 290C390 400 376 640 380 820C382 850 418 850 420 820C424 640 410 400 416 290Z',
              i ? c.wood : c.round,
            ),
        ),
      )
      .join(''),
  ),
  razor: lying('fan', (c) =>
    move(
      'rotate(30 400 500)',
      path('M386 300L414 300C424 420 430 700 422 850C418 876 382 876 378 850C370 700 376 420 386 300Z', c.round) +
        rect(290, 232, 220, 62, 16, STEEL.base) +
        rect(290, 232, 220, 24, 12, STEEL.light) +
        line('M306 268L494 268M306 280L494 280', STEEL.shade, 4) +
        line('M388 330C386 480 384 680 388 820', '#fff', 6, 0.35),
    ),
  ),
} as const satisfies Record<string, Kind>;
