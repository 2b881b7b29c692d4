/** Drawings of what plays, rings and takes pictures. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  both,
  circle,
  dashed,
  ellipse,
  gleam,
  INK,
  line,
  PAPER,
  path,
  rect,
  ring,
  STEEL,
  turned,
} from '../shapes.ts';

export const DEVICES = {
  headphones: lying(
    'fan',
    (c) =>
      line('M232 560C190 220 610 220 568 560', c.shade, 46) +
      line('M230 552C196 226 604 226 570 552', c.base, 32) +
      line('M262 420C290 300 360 268 420 268', c.light, 8, 0.7) +
      line('M300 330C340 270 460 270 500 330', c.deep, 20, 0.5) +
      both(
        rect(548, 470, 30, 90, 10, STEEL.base) +
          rect(506, 520, 126, 240, 58, c.shade) +
          rect(548, 516, 92, 248, 44, c.round) +
          rect(490, 540, 50, 200, 25, '#38363a') +
          line('M614 580L614 690', '#fff', 7, 0.3),
      ),
  ),
  earbuds: lying(
    'fan',
    (c) =>
      rect(232, 520, 336, 260, 90, c.shade) +
      rect(228, 514, 336, 258, 90, c.round) +
      line('M232 600L560 600', c.line, 4, 0.5) +
      circle(396, 650, 9, '#7fc4a8') +
      both(
        path(
          'M500 250C450 250 440 320 470 350C480 362 486 380 488 420C490 470 526 470 528 430L540 330C546 280 534 250 500 250Z',
          c.fall,
        ) +
          ellipse(462, 306, 22, 36, '#4a484b') +
          line('M512 372L508 430', c.line, 4, 0.4),
      ),
  ),
  speaker: standing(
    140,
    1.15,
    'pair',
    (c) =>
      path(turned(400, '400:130! 430:146 720:146 770:126', 18), c.round) +
      ellipse(400, 400, 130, 26, c.light) +
      ellipse(400, 400, 104, 19, c.shade) +
      dashed('M268 580C320 600 480 600 536 580', c.line, 262, '6 18', 0.26) +
      line('M254 724C300 752 500 752 546 724', c.line, 4, 0.4) +
      line('M520 380C580 350 590 440 556 470', '#8a5f3c', 15) +
      circle(400, 400, 10, '#f4eee1') +
      gleam('M276 470L276 700', 9, 0.25),
  ),
  soundbox: standing(
    230,
    1.1,
    'pair',
    (c) =>
      rect(180, 440, 440, 316, 26, c.fall) +
      rect(204, 464, 392, 268, 12, c.shade, 0.65) +
      both(circle(490, 598, 86, c.deep) + circle(490, 598, 66, '#3c3a3c') + circle(488, 594, 28, '#5b585a')) +
      line('M250 756L240 770M550 756L560 770', '#8a5f3c', 16) +
      ellipse(400, 492, 9, 9, BRASS.light) +
      line('M206 466L594 466', '#fff', 4, 0.3),
  ),
  radio: standing(
    240,
    1.1,
    'boxed',
    (c) =>
      line('M560 450L650 210', STEEL.base, 8) +
      line('M270 450C270 390 480 390 480 450', '#8a5f3c', 18) +
      rect(160, 446, 480, 310, 40, c.round) +
      rect(196, 490, 240, 222, 18, c.deep, 0.55) +
      dashed('M316 512L316 700', c.light, 208, '6 16', 0.6) +
      rect(466, 490, 138, 84, 10, PAPER.base) +
      line('M484 520l0 22M508 520l0 22M532 520l0 22M556 520l0 22M580 520l0 22', '#6d6658', 4) +
      line('M546 506L546 560', '#b8413c', 5) +
      circle(502, 652, 38, BRASS.shade) +
      circle(499, 648, 36, BRASS.base) +
      circle(576, 652, 26, PAPER.base) +
      line('M499 648L499 620', BRASS.shade, 6) +
      rect(200, 754, 60, 16, 4, INK) +
      rect(540, 754, 60, 16, 4, INK),
  ),
  turntable: lying(
    'fan',
    (c) =>
      rect(150, 240, 500, 500, 26, c.shade) +
      rect(144, 234, 500, 496, 26, c.fall) +
      circle(360, 480, 186, '#262528') +
      [160, 132, 104].map((r) => ring(360, 480, r, '#4a484c', 4)).join('') +
      circle(360, 480, 62, '#c8823f') +
      circle(360, 480, 9, '#f4eee1') +
      path('M200 420A170 170 0 0 1 270 336L340 450Z', '#fff', 0.12) +
      circle(582, 308, 36, STEEL.shade) +
      circle(580, 305, 30, STEEL.light) +
      line('M582 308L582 520L500 590', STEEL.base, 13) +
      line('M506 586L482 606', INK, 20) +
      circle(582, 660, 22, c.deep) +
      circle(520, 676, 12, c.deep),
  ),
  camera: standing(
    220,
    1.2,
    'boxed',
    (c, turn) =>
      rect(256, 410, 130, 60, 12, STEEL.base) +
      rect(520, 428, 60, 34, 10, STEEL.shade) +
      rect(560, 414, 24, 20, 6, STEEL.base) +
      rect(180, 450, 440, 320, 34, STEEL.base) +
      rect(180, 450, 440, 70, 34, STEEL.light) +
      rect(180, 510, 440, 200, 0, c.round) +
      rect(180, 706, 440, 64, 28, STEEL.shade) +
      rect(180, 706, 440, 30, 0, STEEL.base) +
      (turn
        ? rect(250, 538, 250, 150, 12, '#2a2b2d') +
          rect(262, 550, 226, 126, 6, '#9db4b8') +
          path('M262 640C320 590 380 640 430 600L488 620L488 676L262 676Z', '#4e6f61') +
          circle(556, 590, 28, STEEL.shade) +
          circle(556, 650, 14, INK)
        : circle(400, 606, 132, STEEL.shade) +
          circle(398, 603, 126, '#2b2b2d') +
          circle(398, 603, 98, '#454548') +
          circle(398, 603, 74, '#1b2327') +
          circle(398, 603, 52, '#2f4a55') +
          circle(378, 582, 20, '#9dbcc4', 0.8) +
          ring(398, 603, 112, '#77777a', 4)) +
      rect(288, 424, 66, 32, 6, '#2a2b2d') +
      circle(566, 486, 13, '#c8823f'),
  ),
  phone: lying('fan', (c, back) =>
    back
      ? rect(254, 150, 300, 700, 48, c.shade) +
        rect(248, 146, 300, 700, 48, c.fall) +
        rect(272, 172, 130, 130, 34, c.light, 0.7) +
        circle(312, 212, 26, '#2a2b2d') +
        circle(362, 262, 26, '#2a2b2d') +
        circle(306, 206, 9, '#7d98a3') +
        circle(356, 256, 9, '#7d98a3') +
        circle(362, 210, 10, '#fbf1d0')
      : rect(254, 150, 300, 700, 48, c.shade) +
        rect(248, 146, 300, 700, 48, c.base) +
        rect(260, 158, 276, 676, 38, '#22262a') +
        path(
          'M260 420C340 360 440 480 536 400L536 796C536 818 520 834 498 834L298 834C276 834 260 818 260 796Z',
          c.light,
          0.75,
        ) +
        path(
          'M260 600C340 540 440 660 536 560L536 796C536 818 520 834 498 834L298 834C276 834 260 818 260 796Z',
          c.base,
        ) +
        rect(354, 176, 88, 22, 11, '#0d0e10') +
        circle(440, 320, 44, '#e8cf9a'),
  ),
  'phone-case': lying(
    'fan',
    (c, inside) =>
      rect(248, 146, 308, 712, 54, c.shade) +
      rect(242, 142, 308, 710, 54, c.fall) +
      (inside
        ? rect(262, 162, 268, 670, 40, c.deep) + rect(270, 172, 252, 650, 34, c.shade)
        : rect(258, 158, 276, 678, 44, c.light, 0.3)) +
      rect(270, 172, 140, 140, 36, c.deep) +
      circle(314, 216, 26, '#2a2b2d') +
      circle(366, 268, 26, '#2a2b2d') +
      circle(308, 210, 9, '#7d98a3') +
      circle(360, 262, 9, '#7d98a3') +
      line('M548 330L548 420', c.deep, 7, 0.6),
  ),
  laptop: standing(
    280,
    1.02,
    'beside',
    (c) =>
      rect(190, 340, 420, 320, 18, c.shade) +
      rect(202, 352, 396, 292, 8, '#22262a') +
      path(
        'M202 560C300 480 420 600 598 490L598 636C598 642 594 644 590 644L210 644C206 644 202 642 202 636Z',
        '#4e8e90',
      ) +
      path(
        'M202 610C320 560 440 640 598 570L598 636C598 642 594 644 590 644L210 644C206 644 202 642 202 636Z',
        '#2f7577',
      ) +
      circle(500, 430, 30, '#e8cf9a') +
      path('M190 656L610 656L690 748L110 748Z', c.fall) +
      path('M214 668L586 668L610 706L190 706Z', c.deep, 0.7) +
      path('M330 716L470 716L480 740L320 740Z', c.shade) +
      path('M110 748L690 748C690 764 676 770 660 770L140 770C124 770 110 764 110 748Z', c.shade),
  ),
  charger: lying(
    'fan',
    (c) =>
      line('M420 470C600 520 640 640 520 700C400 750 300 690 330 800', c.shade, 15) +
      line('M420 468C600 516 636 636 518 696C398 746 296 690 326 796', c.light, 6, 0.7) +
      rect(306, 786, 46, 76, 8, c.base) +
      rect(314, 856, 30, 36, 3, STEEL.base) +
      rect(196, 240, 240, 280, 44, c.shade) +
      rect(190, 234, 236, 276, 44, c.fall) +
      rect(250, 176, 24, 62, 5, STEEL.base) +
      rect(340, 176, 24, 62, 5, STEEL.base) +
      rect(276, 440, 66, 22, 10, c.deep) +
      circle(232, 280, 7, '#7fc4a8'),
  ),
} as const satisfies Record<string, Kind>;
