/** Drawings of what a pharmacy sells. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  circle,
  dashed,
  dotted,
  ellipse,
  gleam,
  INK,
  line,
  move,
  PAPER,
  type Paint,
  path,
  rect,
  ring,
  STEEL,
  turned,
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

/** A folding box seen from the front and a little from the side. */
function carton(c: Paint, x: number, y: number, width: number, height: number): string {
  return (
    path(`M${x + width} ${y}l50-30l0 ${height - 14}l-50 44z`, c.deep) +
    path(`M${x} ${y}l56-30l${width - 6} 0l-50 30z`, c.light) +
    rect(x, y, width, height, 0, c.round)
  );
}

export const PHARMACY = {
  tablets: standing(
    230,
    1.12,
    'boxed',
    (c) =>
      carton(c, 220, 430, 330, 320) +
      rect(220, 480, 330, 130, 0, '#fbf8f1') +
      rect(244, 510, 70, 70, 35, c.base) +
      line('M340 530L520 530M340 562L480 562', PAPER.line, 8) +
      path('M170 690L480 690L530 770L130 770Z', STEEL.light) +
      [200, 264, 328, 392, 456]
        .map((x, i) => ellipse(x + (i - 2) * -3, 714, 22, 10, '#fff') + ellipse(x + (i - 2) * 4, 748, 25, 11, '#fff'))
        .join('') +
      line('M130 770L530 770', STEEL.shade, 5),
  ),
  syrup: standing(
    120,
    1.18,
    'boxed',
    (c) =>
      path(turned(400, '400:46! 440:50 490:110 520:120! 750:120! 770:110', 14), '#7d4a26') +
      path(turned(400, '560:118! 750:118! 768:108', 14), '#5d3318', 0.6) +
      rect(344, 320, 112, 84, 8, '#f8f4ec') +
      dashed('M360 362L446 362', '#cfc4b0', 62, '5 14') +
      rect(281, 540, 238, 170, 0, '#fbf8f1') +
      rect(281, 540, 238, 52, 0, c.base) +
      line('M310 628L480 628M310 664L430 664', PAPER.line, 7) +
      gleam('M304 500L304 736', 10),
  ),
  spray: standing(
    90,
    1.14,
    'pair',
    (c) =>
      path(turned(400, '300:60 320:66 420:70!', 10), '#f8f4ec') +
      rect(372, 276, 56, 30, 10, '#e2dacb') +
      circle(424, 320, 7, INK) +
      rect(330, 418, 140, 20, 4, STEEL.base) +
      path(turned(400, '438:72! 460:92 490:98! 756:98! 770:90', 13), c.round) +
      label(c, 322, 540, 156, 160) +
      gleam('M320 500L320 730', 10),
  ),
  powder: standing(
    130,
    1.24,
    'trio',
    (c) =>
      path(turned(400, '420:120! 500:124 740:132 770:122', 16), c.round) +
      path(turned(400, '356:112! 418:124!', 16), '#f8f4ec') +
      ellipse(400, 356, 112, 18, '#fff') +
      dotted('M360 355L442 355', '#b3a58b', 10, 27) +
      path('M276 520C340 540 460 540 524 520L528 680C460 702 340 702 272 680Z', '#fbf8f1') +
      path('M274 560C340 640 380 520 440 590C480 620 510 580 526 570L528 680C460 702 340 702 272 680Z', c.light) +
      gleam('M294 450L294 500', 10),
  ),
  thermometer: lying('fan', (c) =>
    move(
      'rotate(38 400 500)',
      path('M360 170C360 130 440 130 440 170L446 640L412 800C408 826 392 826 388 800L354 640Z', '#fbf8f1') +
        path('M354 640L446 640L412 800C408 826 392 826 388 800Z', c.base) +
        path('M388 760L412 760L408 806C406 824 394 824 392 806Z', STEEL.base) +
        rect(372, 300, 56, 180, 10, '#c9d3c4') +
        line('M386 330l28 0M386 360l28 0M386 390l18 0M386 420l28 0', '#53604e', 6) +
        circle(400, 560, 22, c.light) +
        line('M368 190L366 620', PAPER.shade, 5),
    ),
  ),
  bandage: standing(
    180,
    1.2,
    'pair',
    (c) =>
      path('M400 700L640 726C660 730 660 764 640 768L400 770Z', c.light) +
      dashed('M430 736L640 748', c.line, 42, '3 19', 0.35) +
      circle(350, 620, 150, c.shade) +
      circle(346, 616, 147, c.base) +
      [124, 98, 72, 46].map((r) => ring(348, 618, r, c.line, 4, 0.35)).join('') +
      circle(348, 618, 24, c.deep, 0.6),
  ),
  plasters: lying('fan', (c) =>
    [-24, 20]
      .map((turn, i) =>
        move(
          `translate(0 ${i * 150 - 70}) rotate(${turn} 400 500)`,
          rect(160, 430, 480, 140, 70, i ? c.light : c.fall) +
            rect(320, 430, 160, 140, 0, '#f1e3cd') +
            dotted(
              'M360 465L444 465M360 500L444 500M360 535L444 535M220 480L264 480M220 520L264 520M540 480L584 480M540 520L584 520',
              c.shade,
              12,
              40,
            ),
        ),
      )
      .join(''),
  ),
  syringe: lying('fan', (c) =>
    move(
      'rotate(40 400 500)',
      rect(394, 700, 12, 60, 2, STEEL.base) +
        line('M400 760L400 880', STEEL.shade, 4) +
        rect(352, 320, 96, 380, 14, '#fff', 0.7) +
        rect(360, 470, 80, 224, 8, c.light, 0.85) +
        rect(362, 446, 76, 30, 6, INK) +
        rect(392, 190, 16, 260, 3, STEEL.light) +
        rect(346, 170, 108, 24, 10, STEEL.base) +
        rect(316, 308, 168, 24, 10, STEEL.base) +
        line('M430 520l16 0M430 560l16 0M430 600l16 0M430 640l16 0', STEEL.line, 4),
    ),
  ),
  'first-aid': standing(
    240,
    1.14,
    'boxed',
    (c) =>
      line('M330 470C330 400 470 400 470 470', c.deep, 20) +
      rect(170, 466, 460, 304, 36, c.round) +
      line('M172 580L628 580', c.line, 5, 0.5) +
      // White on a ground of its own: a red cross on white is a protected emblem.
      circle(400, 618, 92, c.deep) +
      path(
        'M376 556L424 556L424 594L462 594L462 642L424 642L424 680L376 680L376 642L338 642L338 594L376 594Z',
        '#fbf8f1',
      ) +
      rect(226, 562, 46, 40, 6, STEEL.base) +
      rect(528, 562, 46, 40, 6, STEEL.base),
  ),
  'baby-bottle': standing(
    95,
    1.16,
    'pair',
    (c) =>
      path('M368 330C366 280 386 270 390 240C392 222 408 222 410 240C414 270 434 280 432 330Z', '#ead7b6') +
      path('M318 344C318 322 482 322 482 344L482 404L318 404Z', c.round) +
      dashed('M338 366L470 366', c.line, 62, '4 20', 0.3) +
      path(turned(400, '404:78! 470:92 560:84 660:92 756:96 770:86', 12), '#fff', 0.6) +
      path(turned(400, '540:85! 660:90 752:92 766:82', 12), '#fdfaf2') +
      ellipse(400, 540, 85, 13, '#fff') +
      line('M440 560l26 0M440 600l26 0M440 640l26 0M440 680l26 0', c.base, 5) +
      gleam('M326 470C322 560 322 640 322 720', 9, 0.7),
  ),
} as const satisfies Record<string, Kind>;
