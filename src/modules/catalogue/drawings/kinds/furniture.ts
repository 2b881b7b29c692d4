/** Drawings of furniture, lamps, and what hangs on a wall. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  circle,
  ellipse,
  gleam,
  INK,
  LEAF,
  line,
  mirrored,
  move,
  PAPER,
  path,
  rect,
  ring,
  ticks,
  turned,
  WOOD,
} from '../shapes.ts';

const leaf = (d: string, turn: string, fill: string = LEAF.base) => move(turn, path(d, fill));

export const FURNITURE = {
  lamp: standing(
    120,
    1.08,
    'pair',
    (c, lit) =>
      rect(392, 430, 16, 60, 2, BRASS.base) +
      path(turned(400, '470:34 500:44 560:100 640:118 720:92 760:70! 770:74', 12), c.round) +
      rect(378, 458, 44, 18, 4, BRASS.shade) +
      path('M276 436L318 200C318 186 482 186 482 200L524 436C524 462 276 462 276 436Z', c.paper) +
      (lit ? path('M300 436L330 214C360 204 440 204 470 214L500 436C460 452 340 452 300 436Z', '#ffe9b0', 0.75) : '') +
      line('M276 436C276 462 524 462 524 436M318 200C318 212 482 212 482 200', '#b8a98c', 4, 0.5) +
      gleam('M300 590C290 630 294 670 306 692', 10),
  ),
  pendant: lying(
    'pair',
    (c, lit) =>
      line('M400 -40L400 330', INK, 6) +
      rect(384, 300, 32, 50, 6, BRASS.base) +
      (lit ? ellipse(400, 700, 240, 90, '#ffe9b0', 0.35) : '') +
      path(mirrored('M400 336C430 336 440 350 446 380C470 450 610 470 630 640L400 640'), c.round) +
      ellipse(400, 640, 230, 36, lit ? '#fff3cf' : c.deep) +
      circle(400, 648, 26, '#fff6dd') +
      line('M170 640C170 588 192 540 222 510', '#fff', 8, 0.35),
  ),
  chair: standing(
    190,
    1.02,
    'pair',
    (c) =>
      line('M272 250C264 360 270 470 280 560M528 250C536 360 530 470 520 560', WOOD.shade, 22) +
      path('M248 236C300 206 500 206 552 236L546 300C500 276 300 276 254 300Z', c.fall) +
      line('M340 290L344 560M400 282L400 560M460 290L456 560', WOOD.base, 12) +
      line('M290 590L268 600L250 764M510 590L532 600L550 764', WOOD.base, 24) +
      line('M300 600L310 720M500 600L490 720', WOOD.shade, 18) +
      line('M264 690L536 690', WOOD.shade, 12) +
      path(
        'M268 546C330 532 470 532 532 546C560 560 584 586 586 604C500 632 300 632 214 604C216 586 240 560 268 546Z',
        c.fall,
      ) +
      path('M214 604C300 632 500 632 586 604L584 622C500 648 300 648 216 622Z', c.shade),
  ),
  armchair: standing(
    230,
    1.05,
    'pair',
    (c) =>
      line('M236 690L216 766M564 690L584 766', WOOD.shade, 22) +
      path(mirrored('M400 296C500 292 560 310 562 380L572 640L400 650'), c.fall) +
      line('M400 300L400 540', c.line, 4, 0.3) +
      path('M252 560C252 534 548 534 548 560L556 640L244 640Z', c.light) +
      path('M244 612C340 636 460 636 556 612L560 706C460 720 340 720 240 706Z', c.round) +
      path('M180 500C180 440 268 440 272 500L276 716C250 724 200 722 186 712Z', c.round) +
      path('M620 500C620 440 532 440 528 500L524 716C550 724 600 722 614 712Z', c.round) +
      line('M200 470C216 456 240 458 254 474M546 474C560 458 584 456 600 470', c.line, 4, 0.35),
  ),
  sofa: standing(
    330,
    0.98,
    'beside',
    (c) =>
      line('M120 720L110 768M680 720L690 768', WOOD.shade, 18) +
      path(mirrored('M400 420L620 420C650 420 660 440 660 470L660 640L400 640'), c.fall) +
      line('M400 424L400 580', c.line, 4, 0.35) +
      path(
        'M140 590C140 566 396 566 398 590L398 650L140 650ZM402 590C404 566 660 566 660 590L660 650L402 650Z',
        c.light,
      ) +
      path('M120 640L680 640L684 726C500 740 300 740 116 726Z', c.round) +
      path('M60 560C60 500 150 500 152 560L154 730C130 740 84 738 66 728Z', c.round) +
      path('M740 560C740 500 650 500 648 560L646 730C670 740 716 738 734 728Z', c.round) +
      move('rotate(-10 230 520)', rect(186, 470, 104, 104, 16, PAPER.base)) +
      line('M186 700L620 700', c.line, 3, 0.25),
  ),
  stool: standing(
    150,
    1.12,
    'pair',
    (c) =>
      line('M322 520L276 760M478 520L524 760', WOOD.base, 24) +
      line('M400 520L400 740', WOOD.shade, 22) +
      line('M300 660L500 660', WOOD.shade, 12) +
      path('M230 486C230 452 570 452 570 486L566 520C540 556 260 556 234 520Z', c.round) +
      ellipse(400, 484, 170, 30, c.light) +
      line('M300 478C340 466 440 464 500 476', c.line, 3, 0.25),
  ),
  table: standing(
    190,
    1.1,
    'beside',
    (c) =>
      line('M296 500L250 762M504 500L550 762', c.shade, 22) +
      line('M400 510L400 738', c.deep, 20) +
      path('M160 466C160 500 640 500 640 466L640 486C640 524 160 524 160 486Z', c.shade) +
      ellipse(400, 466, 240, 40, c.base) +
      ellipse(394, 463, 228, 35, c.light, 0.6) +
      path(turned(350, '370:22 400:34 440:36 462:26', 6), PAPER.base) +
      line('M350 372C344 330 330 310 312 290M352 372C360 330 372 316 384 300', LEAF.shade, 5) +
      rect(420, 444, 110, 16, 3, WOOD.shade) +
      rect(428, 428, 96, 16, 3, PAPER.base),
  ),
  shelf: lying(
    'pair',
    (c) =>
      rect(110, 560, 580, 30, 4, c.fall) +
      line('M196 590L196 660M604 590L604 660', BRASS.base, 12) +
      rect(160, 396, 34, 164, 3, '#a9563c') +
      rect(196, 420, 28, 140, 3, '#e6d8bd') +
      rect(226, 384, 40, 176, 3, '#54707a') +
      move('rotate(9 290 560)', rect(272, 410, 30, 150, 3, '#c9a24f')) +
      path(turned(430, '420:22 450:26 490:54 540:46 558:34', 6), PAPER.base) +
      line('M430 420C424 370 410 340 392 316M432 420C440 380 452 350 470 330', LEAF.shade, 5) +
      path(turned(580, '480:56! 558:44!', 6), '#c47a5d') +
      leaf('M580 480C540 450 530 400 552 372C580 400 590 440 580 480Z', 'rotate(-14 580 480)') +
      leaf('M580 480C540 450 540 390 580 350C612 390 614 450 580 480Z', 'rotate(12 580 480)', LEAF.light),
  ),
  clock: lying(
    'pair',
    (c) =>
      circle(400, 500, 250, c.shade) +
      circle(397, 496, 247, c.base) +
      circle(400, 500, 212, '#f8f4ea') +
      ring(400, 500, 212, c.deep, 5, 0.4) +
      ticks(400, 500, 182, 12, 22, INK) +
      ticks(400, 500, 172, 4, 42, INK) +
      line('M400 500L300 424', INK, 13) +
      line('M400 500L470 350', INK, 9) +
      line('M400 540L400 370', c.base, 4) +
      circle(400, 500, 15, INK) +
      line('M190 430C206 370 240 326 286 296', '#fff', 9, 0.35),
  ),
  mirror: lying(
    'pair',
    (c) =>
      circle(400, 500, 262, c.shade) +
      circle(397, 496, 259, c.base) +
      ring(398, 498, 246, c.light, 5) +
      circle(400, 500, 234, '#cfd9da') +
      path('M232 660A234 234 0 0 1 470 276L300 712A234 234 0 0 1 232 660Z', '#e8eeee', 0.8) +
      path('M330 722L520 298A234 234 0 0 1 548 318L366 732Z', '#e8eeee', 0.6),
  ),
  frame: lying(
    'fan',
    (c) =>
      rect(190, 200, 420, 600, 3, WOOD.shade) +
      rect(190, 200, 416, 596, 3, c.fall) +
      rect(212, 222, 376, 556, 0, '#fbf8f1') +
      rect(262, 282, 276, 436, 0, PAPER.base) +
      circle(430, 400, 68, '#d08a5e') +
      path('M262 560C330 480 380 520 430 560C470 590 510 560 538 540L538 718L262 718Z', c.base) +
      path('M262 640C330 590 400 640 460 650C500 656 520 640 538 630L538 718L262 718Z', c.deep, 0.8) +
      path('M212 222L360 222L212 470Z', '#fff', 0.25),
  ),
} as const satisfies Record<string, Kind>;
