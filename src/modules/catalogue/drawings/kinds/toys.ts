/** Drawings of toys. */

import { type Kind, lying, standing } from '../kind.ts';
import { BRASS, both, circle, ellipse, gleam, INK, line, move, PAPER, path, rect, WOOD } from '../shapes.ts';

const woodenWheel = (c: { shade: string; light: string }, x: number, y: number, r = 46) =>
  circle(x, y, r, c.shade) + circle(x - 3, y - 3, r - 6, c.light) + circle(x, y, 10, WOOD.line);

export const TOYS = {
  horse: standing(
    220,
    1.12,
    'boxed',
    (c) =>
      rect(190, 700, 420, 30, 12, WOOD.base) +
      rect(190, 700, 420, 12, 6, WOOD.light) +
      woodenWheel(c, 260, 730, 40) +
      woodenWheel(c, 540, 730, 40) +
      path(
        'M250 700L262 540C250 470 290 450 350 456C410 460 440 440 462 390L480 316L500 336L520 310L530 346C560 370 600 400 622 430C632 452 610 474 590 464C570 456 548 452 530 466C528 520 540 560 540 600L552 700L490 700L470 610C430 630 380 630 340 610L312 700Z',
        c.round,
      ) +
      path('M490 330C450 350 430 400 420 452C440 450 452 440 462 420C474 390 484 360 490 330Z', c.deep) +
      line('M262 500C210 510 200 580 216 640', c.deep, 20) +
      path('M330 456C350 500 420 500 440 440L452 480C430 540 340 540 318 456Z', '#f4eee1') +
      line('M322 474C350 536 430 536 450 474', BRASS.base, 5) +
      circle(546, 398, 8, INK) +
      line('M536 462C560 440 580 430 600 426', '#8a5f3c', 6),
  ),
  blocks: standing(
    220,
    1.2,
    'boxed',
    (c) =>
      rect(200, 590, 170, 180, 10, c.round) +
      rect(392, 600, 170, 170, 10, '#e6d4ae') +
      rect(300, 414, 166, 172, 10, '#c97a58') +
      circle(285, 680, 44, c.light) +
      path('M477 636L524 726L430 726Z', '#7f9d77') +
      rect(346, 462, 74, 76, 8, '#f1dfbb') +
      path(
        'M200 590L370 590L370 600L200 600ZM392 600L562 600L562 610L392 610ZM300 414L466 414L466 424L300 424Z',
        '#fff',
        0.3,
      ),
  ),
  bear: standing(
    170,
    1.14,
    'pair',
    (c) =>
      both(
        circle(490, 360, 46, c.base) +
          circle(492, 362, 26, c.light) +
          path('M510 540C580 560 610 620 590 660C570 690 530 660 500 620Z', c.shade) +
          ellipse(500, 724, 72, 50, c.base) +
          ellipse(512, 728, 40, 32, c.light),
      ) +
      ellipse(400, 630, 142, 134, c.round) +
      ellipse(400, 650, 84, 88, c.light, 0.8) +
      circle(400, 430, 128, c.round) +
      ellipse(400, 474, 58, 44, c.light) +
      both(circle(446, 420, 10, INK)) +
      ellipse(400, 454, 20, 14, INK) +
      line('M400 468L400 486C390 500 374 500 368 492M400 486C410 500 426 500 432 492', INK, 5) +
      path(
        'M356 556C380 540 390 552 400 560C410 552 420 540 444 556C440 590 420 580 400 570C380 580 360 590 356 556Z',
        '#b8413c',
      ),
  ),
  rabbit: standing(
    150,
    1.1,
    'pair',
    (c) =>
      both(
        path('M420 360C410 260 420 170 460 170C500 170 490 280 466 370Z', c.base) +
          path('M436 350C432 270 440 204 458 204C476 204 470 280 454 356Z', '#e9b9b4', 0.8) +
          ellipse(470, 732, 64, 40, c.light) +
          path('M480 560C530 580 540 650 516 670C490 680 470 640 462 610Z', c.shade),
      ) +
      ellipse(400, 640, 118, 128, c.round) +
      ellipse(400, 440, 112, 104, c.round) +
      both(circle(440, 430, 9, INK)) +
      path('M388 462L412 462L400 476Z', '#c8828c') +
      line('M400 476L400 490M400 490C392 500 382 500 376 494M400 490C408 500 418 500 424 494', INK, 4) +
      path('M300 560C360 590 440 590 500 560L508 596C440 624 360 624 292 596Z', '#44699b') +
      line('M316 576C370 600 430 600 484 576', '#fff', 5, 0.6),
  ),
  train: standing(
    290,
    1.06,
    'boxed',
    (c) =>
      rect(150, 560, 330, 150, 18, c.round) +
      rect(430, 420, 190, 290, 14, '#c97a58') +
      rect(462, 452, 126, 110, 10, '#dfe9e6') +
      rect(414, 396, 222, 36, 14, c.deep) +
      rect(206, 440, 66, 130, 8, c.deep) +
      ellipse(239, 440, 50, 18, c.shade) +
      circle(336, 556, 34, BRASS.base) +
      rect(130, 700, 510, 26, 10, WOOD.base) +
      [220, 330, 540].map((x) => woodenWheel({ shade: '#8f5a3a', light: '#d9b48a' }, x, 726, 44)).join('') +
      circle(152, 620, 20, '#f7dc85') +
      gleam('M180 596L390 596', 9, 0.25),
  ),
  car: standing(
    270,
    1.14,
    'trio',
    (c) =>
      path(
        'M150 700C140 600 190 590 260 584C300 500 340 480 420 480C520 480 550 520 570 584C650 590 670 630 660 700Z',
        c.round,
      ) +
      path('M296 584C320 520 350 512 396 512L396 584ZM420 512C490 512 516 530 532 584L420 584Z', '#dfe9e6') +
      woodenWheel({ shade: '#5d4330', light: '#d9b48a' }, 266, 710, 60) +
      woodenWheel({ shade: '#5d4330', light: '#d9b48a' }, 546, 710, 60) +
      circle(640, 640, 15, '#f7dc85') +
      line('M180 640L220 634M410 600L410 690', c.line, 4, 0.4),
  ),
  boat: standing(
    200,
    1.1,
    'trio',
    (c) =>
      line('M400 300L400 660', WOOD.shade, 15) +
      path('M420 316C520 400 580 520 590 630L420 630Z', '#f6f0e2') +
      path('M380 370C320 440 270 540 256 630L380 630Z', c.light) +
      path('M420 316L480 330L420 346Z', '#b8413c') +
      path('M180 656L620 656C600 730 560 770 500 770L300 770C240 770 200 730 180 656Z', c.round) +
      line('M196 692C320 706 480 706 604 692', '#fff', 9, 0.5) +
      line('M436 420C490 440 540 470 560 490', '#cfc3a8', 4),
  ),
  stacker: standing(
    150,
    1.14,
    'boxed',
    (c) =>
      rect(386, 400, 28, 330, 10, WOOD.base) +
      circle(400, 400, 44, c.base) +
      circle(390, 390, 22, c.light) +
      [
        ['#e8c766', 92, 452],
        ['#7f9d77', 112, 518],
        ['#c97a58', 132, 586],
      ]
        .map(
          ([f, r, y]) =>
            rect(400 - Number(r), Number(y), Number(r) * 2, 62, 31, String(f)) +
            rect(400 - Number(r) + 22, Number(y) + 10, Number(r) * 0.8, 12, 6, '#fff', 0.3),
        )
        .join('') +
      rect(248, 654, 304, 64, 32, c.round) +
      rect(240, 724, 320, 46, 20, WOOD.base) +
      rect(240, 724, 320, 18, 9, WOOD.light),
  ),
  kite: lying(
    'pair',
    (c) =>
      line('M400 660C330 720 480 780 400 840C340 880 400 920 420 940', '#8a7a5c', 5) +
      [
        [372, 728, -20],
        [438, 786, 24],
        [380, 856, -10],
      ]
        .map(([x, y, a]) =>
          move(
            `rotate(${a} ${x} ${y})`,
            path(
              `M${x! - 34} ${y! - 18}L${x} ${y}L${x! - 34} ${y! + 18}ZM${x! + 34} ${y! - 18}L${x} ${y}L${x! + 34} ${y! + 18}Z`,
              c.light,
            ),
          ),
        )
        .join('') +
      path('M400 120L600 360L400 660L200 360Z', c.base) +
      path('M400 120L600 360L400 360Z', '#f4eee1') +
      path('M200 360L400 360L400 660Z', '#e8c766') +
      path('M400 360L600 360L400 660Z', c.shade) +
      line('M400 120L400 660M200 360L600 360', WOOD.shade, 6),
  ),
  'spinning-top': standing(
    60,
    1.25,
    'trio',
    (c) =>
      rect(386, 400, 28, 130, 10, WOOD.base) +
      circle(400, 398, 24, WOOD.light) +
      path(
        'M250 560C250 500 550 500 550 560C540 640 440 700 410 760C404 772 396 772 390 760C360 700 260 640 250 560Z',
        c.round,
      ) +
      ellipse(400, 556, 150, 42, c.light) +
      ellipse(400, 552, 100, 26, '#f4eee1') +
      ellipse(400, 550, 58, 14, c.base) +
      line('M262 604C330 640 470 640 538 604', '#f7dc85', 13),
  ),
  puzzle: lying(
    'fan',
    (c) =>
      path('M190 300L340 300C320 250 420 250 400 300L400 300L400 500L190 500Z', c.base) +
      path('M190 300L400 300L400 380C450 356 450 444 400 420L400 500L190 500Z', c.fall) +
      path(
        'M420 300L610 300L610 500L530 500C550 550 470 550 490 500L420 500L420 434C470 460 470 340 420 366Z',
        '#e8c766',
      ) +
      path('M190 520L280 520C260 470 350 470 330 520L400 520L400 720L190 720Z', '#7f9d77') +
      move(
        'translate(44 44) rotate(12 520 640)',
        path(
          'M420 530L484 530C464 570 556 570 536 530L610 530L610 720L420 720L420 650C370 670 370 580 420 600Z',
          '#c97a58',
        ),
      ) +
      line('M190 300L400 300M420 300L610 300M190 720L400 720', '#fff', 4, 0.3),
  ),
  dice: standing(
    200,
    1.3,
    'trio',
    (c) =>
      rect(220, 560, 210, 210, 34, c.round) +
      [
        [280, 620],
        [370, 620],
        [325, 665],
        [280, 710],
        [370, 710],
      ]
        .map(([x, y]) => circle(x!, y!, 17, '#f8f4ec'))
        .join('') +
      move(
        'rotate(14 520 660)',
        rect(450, 590, 160, 160, 28, '#f4eee1') +
          [
            [490, 630],
            [530, 670],
            [570, 710],
          ]
            .map(([x, y]) => circle(x!, y!, 14, c.deep))
            .join(''),
      ) +
      line('M250 570L400 570', '#fff', 7, 0.3),
  ),
  doll: standing(
    120,
    1.1,
    'boxed',
    (c) =>
      path('M330 560C250 600 240 700 262 744C300 780 500 780 538 744C560 700 550 600 470 560Z', c.round) +
      circle(400, 460, 130, c.base) +
      circle(400, 474, 92, '#f0d6bb') +
      path(
        'M308 470C320 400 380 380 400 386C420 380 480 400 492 470C470 430 430 420 400 420C370 420 330 430 308 470Z',
        '#6f4e3a',
      ) +
      both(circle(434, 476, 8, INK) + circle(456, 506, 15, '#e2958b', 0.6)) +
      line('M386 516C394 526 406 526 414 516', '#a2493f', 5) +
      circle(400, 656, 46, c.light) +
      [0, 72, 144, 216, 288].map((a) => move(`rotate(${a} 400 656)`, ellipse(400, 632, 12, 18, '#f4eee1'))).join('') +
      circle(400, 656, 11, BRASS.base) +
      path('M340 572C370 600 430 600 460 572L440 610C420 600 380 600 360 610Z', c.deep) +
      line(`M276 690C290 740 510 740 524 690`, '#f7dc85', 7, 0.8),
  ),
  'card-deck': lying(
    'fan',
    (c) =>
      move(
        'rotate(16 470 560)',
        rect(340, 280, 270, 390, 22, '#fbf8f1') + line('M360 310L360 340', c.base, 9) + circle(475, 475, 58, c.base),
      ) +
      move(
        'rotate(-8 330 500)',
        rect(190, 290, 280, 400, 22, PAPER.shade) +
          rect(186, 284, 280, 400, 22, '#fbf8f1') +
          rect(206, 304, 240, 360, 12, c.fall) +
          [0, 1, 2]
            .map((i) =>
              path(
                `M326 ${334 + i * 100}L376 ${384 + i * 100}L326 ${434 + i * 100}L276 ${384 + i * 100}Z`,
                c.light,
                0.7,
              ),
            )
            .join(''),
      ),
  ),
} as const satisfies Record<string, Kind>;
