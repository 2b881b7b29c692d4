/** Drawings of what is taken outside. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  both,
  circle,
  ellipse,
  gleam,
  INK,
  line,
  mirrored,
  move,
  PAPER,
  path,
  rect,
  ring,
  STEEL,
  ticks,
  turned,
} from '../shapes.ts';

const wheel = (x: number, y: number, r: number) =>
  ring(x, y, r, '#2f2e2f', 13) +
  ring(x, y, r - 10, STEEL.base, 4) +
  line(
    [0, 1, 2, 3]
      .map((i) => {
        const [dx, dy] = [
          Math.round((r - 12) * Math.cos((i * Math.PI) / 4)),
          Math.round((r - 12) * Math.sin((i * Math.PI) / 4)),
        ];
        return `M${x - dx} ${y - dy}L${x + dx} ${y + dy}`;
      })
      .join(''),
    STEEL.base,
    2,
    0.8,
  ) +
  circle(x, y, 13, STEEL.shade);

export const OUTDOOR = {
  bicycle: standing(
    320,
    1.0,
    'beside',
    (c) =>
      wheel(210, 640, 124) +
      wheel(590, 640, 124) +
      line('M210 640L300 470L520 470L390 640ZL390 640L282 430', c.base, 17) +
      line('M210 640L390 640', c.shade, 13) +
      line('M590 640L506 420', c.base, 17) +
      line('M300 466L516 466', c.light, 5, 0.7) +
      path('M236 414C250 396 330 400 336 414C330 432 300 430 280 436C260 436 240 430 236 414Z', '#7b5236') +
      line('M506 420L496 386C530 366 580 376 580 400C580 416 560 420 544 414', INK, 13) +
      circle(390, 640, 32, STEEL.base) +
      circle(390, 640, 14, STEEL.shade) +
      line('M390 640L420 700M404 704L440 700', INK, 10),
  ),
  tent: standing(
    310,
    1.04,
    'pair',
    (c, open) =>
      path('M400 330L700 756L100 756Z', c.fall) +
      path('M400 330L700 756L500 756Z', c.shade, 0.7) +
      path('M400 330L490 756L300 756Z', c.deep) +
      (open
        ? path('M400 330L330 756L296 756Z', c.light) +
          path('M400 330L470 756L494 756Z', c.light) +
          path('M340 690L460 690L470 756L330 756Z', '#e8cf9a', 0.8)
        : path('M400 330L448 756L300 756Z', c.base) + line('M400 330L448 756', c.line, 5)) +
      line('M400 330L400 306M130 714L60 766M670 714L740 766', '#8a7a5c', 6) +
      line('M160 670C300 690 320 690 340 690M640 670C560 690 520 690 480 690', c.line, 4, 0.3) +
      line('M100 756L700 756', c.deep, 8, 0.5),
  ),
  lantern: standing(
    120,
    1.14,
    'pair',
    (c, lit) =>
      line('M300 470C290 250 510 250 500 470', STEEL.base, 11) +
      path('M320 440C320 380 480 380 480 440L490 470L310 470Z', c.round) +
      rect(380, 366, 40, 30, 6, c.shade) +
      path(turned(400, '468:80! 560:104 650:80!', 12), lit ? '#ffe7a6' : '#eef0ea', lit ? 1 : 0.75) +
      (lit ? ellipse(400, 560, 190, 180, '#ffe9b0', 0.28) : '') +
      path('M400 620C374 610 386 560 402 530C414 560 428 610 400 620Z', '#f0a94a') +
      line('M330 470C300 540 300 590 336 650M470 470C500 540 500 590 464 650', STEEL.shade, 7) +
      path(turned(400, '646:92! 690:104! 740:112 770:112', 15), c.round) +
      line('M296 700C340 718 460 718 504 700', c.line, 4, 0.4) +
      circle(500, 676, 16, BRASS.base) +
      gleam('M314 700L312 750', 9),
  ),
  flask: standing(
    105,
    1.16,
    'pair',
    (c) =>
      path(turned(400, '360:76! 460:84!', 12), STEEL.base) +
      path(turned(400, '330:70 350:78 452:86!', 12), c.steel) +
      ellipse(400, 332, 68, 11, STEEL.light) +
      path(turned(400, '462:90! 500:106 750:106 770:96', 13), c.round) +
      path(turned(400, '726:107! 770:100!', 13), STEEL.shade, 0.9) +
      line('M506 520C580 520 580 680 506 680', c.shade, 20) +
      gleam('M316 530L316 700', 11),
  ),
  ball: standing(
    150,
    1.22,
    'trio',
    (c) =>
      circle(400, 590, 180, c.round) +
      path('M400 410C330 470 330 710 400 770M400 410C470 470 470 710 400 770', 'none') +
      line(
        'M400 410C320 470 320 710 400 770M400 410C480 470 480 710 400 770M222 570C300 600 500 600 578 570',
        c.line,
        5,
        0.45,
      ) +
      path('M400 410C320 470 320 710 400 770C440 720 440 470 400 410Z', c.light, 0.55) +
      gleam('M262 520C280 480 310 456 336 446', 13),
  ),
  football: standing(
    150,
    1.22,
    'trio',
    (c) =>
      circle(400, 590, 180, '#f4f1ea') +
      path('M400 520L466 566L440 644L360 644L334 566Z', c.base) +
      path(
        'M400 412L440 420L400 462L360 420ZM576 560L540 580L516 532L546 488ZM224 560L260 580L284 532L254 488ZM500 736L480 696L526 668L552 682ZM300 736L320 696L274 668L248 682Z',
        c.base,
      ) +
      line('M400 462L400 520M516 532L466 566M480 696L440 644M320 696L360 644M284 532L334 566', '#8f897d', 5) +
      path('M540 480C600 580 560 720 440 766C560 700 580 580 540 480Z', '#3b2a1c', 0.14) +
      gleam('M270 510C286 480 310 460 330 452', 11, 0.7),
  ),
  'sleeping-bag': lying(
    'fan',
    (c, open) =>
      path(mirrored('M400 140C500 140 560 200 572 320C580 480 550 690 520 810C506 860 460 868 400 868'), c.fall) +
      line(
        [330, 430, 530, 630, 730, 810]
          .map(
            (y) =>
              `M${228 + (y > 480 ? (y - 480) * 0.2 : 0)} ${y}C330 ${y + 16} 470 ${y + 16} ${572 - (y > 480 ? (y - 480) * 0.2 : 0)} ${y}`,
          )
          .join(''),
        c.line,
        5,
        0.35,
      ) +
      ellipse(400, 236, 118, 72, c.deep) +
      ellipse(400, 244, 104, 58, PAPER.base) +
      (open
        ? path('M400 300C470 300 520 420 500 640L440 660C450 500 440 400 400 300Z', PAPER.base)
        : line('M520 260C560 400 530 600 500 700', STEEL.base, 8)) +
      line('M260 340C250 460 276 640 300 780', '#fff', 9, 0.2),
  ),
  'yoga-mat': standing(
    150,
    1.12,
    'trio',
    (c) =>
      path(turned(400, '330:92! 756:92!', 22), c.round) +
      ellipse(400, 330, 92, 24, c.light) +
      line(
        'M400 330C420 322 440 332 430 340C400 350 360 342 362 328C370 312 440 310 462 328C468 344 400 356 346 342',
        c.deep,
        6,
        0.7,
      ) +
      rect(304, 420, 192, 26, 4, '#8a5f3c') +
      rect(304, 640, 192, 26, 4, '#8a5f3c') +
      line('M480 432C560 460 560 620 480 652', '#8a5f3c', 13) +
      gleam('M330 470L330 620', 11),
  ),
  'watering-can': standing(
    180,
    1.12,
    'boxed',
    (c) =>
      line('M330 470C330 330 570 340 566 560C566 640 540 690 520 700', c.shade, 22) +
      path('M300 690L150 470L124 486C110 440 190 400 210 434L186 452L330 600Z', c.round) +
      ellipse(164, 448, 52, 22, c.deep) +
      path(turned(400, '500:118! 560:124 760:134! 770:128', 16), c.round) +
      ellipse(400, 500, 118, 20, c.deep) +
      path('M282 500C282 476 400 470 420 500Z', c.light) +
      line('M270 720C330 744 470 744 530 720', c.line, 4, 0.4) +
      gleam('M306 560L298 700'),
  ),
  trowel: lying('fan', (c) =>
    move(
      'rotate(30 400 500)',
      path(
        'M330 500C330 440 360 430 400 430C440 430 470 440 470 500C474 640 440 800 400 870C360 800 326 640 330 500Z',
        STEEL.base,
      ) +
        path('M330 500C330 440 360 430 400 430L400 870C360 800 326 640 330 500Z', STEEL.light) +
        line('M400 440L400 350', STEEL.shade, 24) +
        path('M372 340L428 340C440 260 440 180 428 130C420 104 380 104 372 130C360 180 360 260 372 340Z', c.round) +
        line('M400 130L400 90', '#8a5f3c', 9) +
        rect(368, 330, 64, 24, 5, BRASS.base),
    ),
  ),
  compass: lying(
    'fan',
    (c) =>
      circle(400, 530, 236, BRASS.shade) +
      circle(396, 525, 232, BRASS.base) +
      ring(396, 525, 210, BRASS.light, 5) +
      circle(398, 528, 188, '#f8f4ea') +
      ticks(398, 528, 166, 8, 18, INK) +
      ticks(398, 528, 158, 4, 34, INK) +
      move(
        'rotate(28 398 528)',
        path('M398 372L424 528L372 528Z', c.base) + path('M398 684L424 528L372 528Z', '#b5afa2'),
      ) +
      circle(398, 528, 13, INK) +
      ring(396, 264, 34, BRASS.base, 15) +
      path('M250 480A160 160 0 0 1 400 362L290 620Z', '#fff', 0.3),
  ),
  binoculars: standing(
    190,
    1.2,
    'boxed',
    (c) =>
      rect(370, 500, 60, 120, 14, INK) +
      circle(400, 520, 26, STEEL.base) +
      both(
        path('M430 450L500 450L548 740C548 776 414 776 414 740Z', c.round) +
          rect(424, 410, 84, 60, 16, INK) +
          ellipse(481, 742, 67, 22, INK) +
          ellipse(481, 744, 50, 15, '#2f4a55') +
          line('M424 560L526 560', c.line, 5, 0.4),
      ) +
      gleam('M448 500L438 690', 8, 0.25),
  ),
  hammock: lying(
    'pair',
    (c) =>
      line(
        'M60 300L180 430M740 300L620 430M60 300L170 460M740 300L630 460M60 300L190 400M740 300L610 400',
        '#b39a6c',
        5,
      ) +
      path('M180 396C260 520 540 520 620 396L640 470C560 740 240 740 160 470Z', c.fall) +
      path('M180 396C260 520 540 520 620 396L628 426C540 560 260 560 172 426Z', c.deep) +
      line('M200 520C300 660 500 660 600 520M220 570C310 690 490 690 580 570', c.light, 14, 0.8) +
      line('M170 470C260 610 540 610 630 470', c.line, 4, 0.4),
  ),
  dumbbells: standing(
    230,
    1.15,
    'pair',
    (c) =>
      line('M280 620L520 620', STEEL.shade, 30) +
      line('M280 612L520 612', STEEL.light, 8) +
      both(
        rect(496, 500, 74, 240, 22, c.round) +
          rect(566, 540, 44, 160, 16, c.deep) +
          rect(606, 596, 26, 48, 8, STEEL.base),
      ) +
      gleam('M246 530L246 700', 8, 0.25),
  ),
} as const satisfies Record<string, Kind>;
