/** Drawings of what makes a room: vases, textiles, candles, plants. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  both,
  circle,
  dashed,
  dotted,
  ellipse,
  gleam,
  INK,
  LEAF,
  line,
  mirrored,
  mouth,
  move,
  PAPER,
  path,
  rect,
  turned,
} from '../shapes.ts';

const leaf = (d: string, turn: string, fill: string = LEAF.base) => move(turn, path(d, fill));

/** Short threads hanging from x1 to x2 at y. */
function fringe(x1: number, x2: number, y: number, step: number, color: string): string {
  return dashed(`M${x1} ${y + 11}L${x2} ${y + 11}`, color, 24, `5 ${step - 5}`, 0.8);
}

export const HOME = {
  vase: standing(
    110,
    1.1,
    'pair',
    (c) =>
      line(
        'M398 470C390 380 350 310 310 236M402 470C408 380 440 320 480 262M400 470C398 380 398 300 404 214',
        '#8a7350',
        5,
      ) +
      dotted('M308 230L352 310M484 256L450 306M404 208L401 310', '#d9c193', 24, 32) +
      path(turned(400, '452:42 480:34 520:46 590:124 670:136 740:96 770:80', 11), c.round) +
      mouth(c, 400, 452, 42, 9, 6) +
      gleam('M296 620C284 660 294 700 310 722', 10),
  ),
  urn: standing(
    120,
    1.12,
    'trio',
    (c) =>
      path(turned(400, '410:92 440:84 480:112 560:170 640:166 720:110 770:90', 13), c.round) +
      both(line('M492 470C570 440 590 520 556 548', c.shade, 20)) +
      mouth(c, 400, 410, 92, 18) +
      line('M246 520C340 548 460 548 554 520M242 620C330 650 470 650 558 620', c.line, 5, 0.28) +
      gleam('M252 570C246 620 262 660 284 690', 11),
  ),
  blanket: lying(
    'fan',
    (c) =>
      fringe(196, 600, 806, 14, c.shade) +
      rect(186, 214, 452, 560, 16, c.shade) +
      rect(176, 206, 448, 580, 16, c.base) +
      rect(166, 196, 444, 606, 18, c.fall) +
      fringe(178, 600, 800, 14, c.line) +
      line('M170 300L606 300M170 324L606 324M170 690L606 690M170 714L606 714', c.light, 12, 0.85) +
      line('M170 348L606 348M170 666L606 666', c.deep, 6, 0.35) +
      line('M388 200C384 400 392 600 388 798', c.line, 4, 0.22) +
      line('M186 230C176 320 178 400 180 480M596 520C602 600 600 700 594 780', c.line, 4, 0.18),
  ),
  cushion: lying(
    'fan',
    (c, back) =>
      path(
        mirrored(
          'M400 224C500 222 590 222 654 214C674 214 684 230 682 250C692 420 692 580 682 750C684 770 674 786 654 786C590 778 500 778 400 776',
        ),
        c.fall,
      ) +
      line(
        mirrored(
          'M400 242C500 240 586 240 644 234C658 236 664 246 663 260C673 420 673 580 663 740C664 754 658 764 644 766C586 760 500 760 400 758',
        ),
        c.line,
        3,
        0.35,
      ) +
      (back
        ? line('M176 640C300 654 500 654 626 640', c.line, 5, 0.5) + circle(400, 646, 12, BRASS.base)
        : line(
            'M180 330C320 344 480 344 622 330M178 400C320 412 480 412 622 400M176 600C320 612 480 612 624 600M178 670C320 684 480 684 622 670',
            c.light,
            13,
            0.8,
          )) +
      line('M150 226q38 40 52 76M650 226q-38 40-52 76M150 774q38-40 52-76M650 774q-38-40-52-76', c.line, 5, 0.25),
  ),
  pillow: standing(
    250,
    1.08,
    'pair',
    (c) =>
      path(
        'M150 640C140 610 170 600 220 610C340 590 460 590 580 610C630 600 660 610 650 640C664 690 664 720 650 758C560 776 240 776 150 758C136 720 136 690 150 640Z',
        c.fall,
      ) +
      path(
        'M170 500C160 474 190 464 236 472C340 456 460 456 564 472C610 464 640 474 630 500C644 550 644 580 630 622C540 640 260 640 170 622C156 580 156 550 170 500Z',
        c.fall,
      ) +
      line(
        'M170 500C220 524 250 530 290 532M630 500C590 520 560 530 520 532M170 620C220 600 250 594 280 592M152 756C200 734 240 726 280 724M648 756C600 736 570 728 530 724',
        c.line,
        4,
        0.3,
      ) +
      line('M190 636C320 652 480 652 610 636', c.deep, 5, 0.3),
  ),
  towels: standing(
    210,
    1.15,
    'beside',
    (c) =>
      [694, 618, 542]
        .map(
          (y, i) =>
            rect(188 + i * 6, y, 424 - i * 12, 74, 34, c.round) +
            line(`M${216 + i * 6} ${y + 38}L${570 - i * 6} ${y + 38}`, c.line, 4, 0.28) +
            line(`M470 ${y + 4}L470 ${y + 70}M490 ${y + 4}L490 ${y + 70}`, c.light, 7, 0.75),
        )
        .join('') +
      rect(206, 470, 388, 72, 34, c.light) +
      line('M236 508L556 508', c.line, 4, 0.25) +
      line('M470 474L470 538M490 474L490 538', c.base, 7),
  ),
  candle: standing(
    120,
    1.28,
    'trio',
    (c) =>
      path(turned(400, '470:126! 740:126 770:112', 17), c.round) +
      mouth(c, 400, 470, 126, 24, 9) +
      ellipse(400, 476, 112, 18, '#f7efdd') +
      line('M400 474L400 446', INK, 6) +
      path('M400 452C374 436 388 400 402 372C416 402 428 434 400 452Z', '#f3b74e') +
      path('M400 450C388 440 392 420 401 404C410 422 414 440 400 450Z', '#fdeab0') +
      rect(334, 556, 132, 124, 3, PAPER.base) +
      line('M360 596L440 596M372 620L428 620', PAPER.line, 5) +
      circle(400, 648, 8, c.base) +
      gleam('M294 530L294 720'),
  ),
  tapers: standing(150, 1.08, 'boxed', (c) =>
    [
      [310, 400],
      [480, 330],
    ]
      .map(
        ([x, y]) =>
          path(
            `M${x! - 17} 690L${x! - 12} ${y}C${x! - 10} ${y! - 10} ${x! + 10} ${y! - 10} ${x! + 12} ${y}L${x! + 17} 690Z`,
            c.round,
          ) +
          line(`M${x} ${y! - 6}l0-22`, INK, 5) +
          path(turned(x!, '680:28! 706:26 722:12 744:20 758:66! 770:66', 10), BRASS.base) +
          path(turned(x! - 10, '684:12! 706:8 722:2 744:6 758:40! 766:40', 6), BRASS.light, 0.7),
      )
      .join(''),
  ),
  diffuser: standing(
    110,
    1.18,
    'boxed',
    (c) =>
      line('M380 500L300 250M396 500L380 220M404 500L440 236M416 500L500 270', '#a98a62', 7) +
      path(turned(400, '486:34! 520:36 556:104 600:118! 744:118 770:106', 13), c.round) +
      ellipse(400, 486, 36, 8, BRASS.light) +
      rect(364, 486, 72, 34, 4, BRASS.base) +
      rect(338, 620, 124, 90, 3, PAPER.base) +
      line('M362 652L438 652M374 676L426 676', PAPER.line, 5) +
      gleam('M300 610L300 724'),
  ),
  rug: lying(
    'fan',
    (c) =>
      fringe(190, 610, 822, 14, c.line) +
      move('matrix(1 0 0 -1 0 1000)', fringe(190, 610, 822, 14, c.line)) +
      rect(180, 178, 440, 644, 4, c.fall) +
      line('M206 214L594 214M206 786L594 786', c.light, 16) +
      line('M206 246L594 246M206 754L594 754', c.deep, 7, 0.5) +
      [330, 500, 670]
        .map(
          (y) =>
            path(`M400 ${y - 70}L500 ${y}L400 ${y + 70}L300 ${y}Z`, c.light, 0.85) +
            path(`M400 ${y - 36}L452 ${y}L400 ${y + 36}L348 ${y}Z`, c.deep, 0.7),
        )
        .join('') +
      line('M230 300L230 700M570 300L570 700', c.light, 9, 0.7),
  ),
  basket: standing(190, 1.12, 'beside', (c) => {
    const weave = [520, 566, 612, 658, 704]
      .map((y, i) => `M${214 + i * 7} ${y}C300 ${y + 26} 500 ${y + 26} ${586 - i * 7} ${y}`)
      .join('');
    const ribs = [250, 300, 350, 400, 450, 500, 550]
      .map((x) => `M${x} ${482 + (x % 100 ? 4 : 0)}L${400 + (x - 400) * 0.84} 764`)
      .join('');
    return (
      both(line('M586 486C640 420 640 400 560 424', c.shade, 16)) +
      path(turned(400, '470:196 560:186 700:166 770:148', 18), c.round) +
      line(weave, c.line, 5, 0.42) +
      line(ribs, c.line, 4, 0.3) +
      mouth(c, 400, 470, 196, 36, 11)
    );
  }),
  plant: standing(
    120,
    1.08,
    'beside',
    (c) =>
      [-62, -34, 60, 30, -8]
        .map(
          (turn, i) =>
            leaf(
              'M400 590C340 520 330 380 400 250C470 380 460 520 400 590Z',
              `rotate(${turn} 400 590)`,
              [LEAF.shade, LEAF.base, LEAF.shade, LEAF.light, LEAF.base][i],
            ) + move(`rotate(${turn} 400 590)`, line('M400 580L400 300', LEAF.shade, 4, 0.6)),
        )
        .join('') +
      path(turned(400, '560:132! 740:106 770:94', 14), c.round) +
      ellipse(400, 560, 132, 22, c.light) +
      ellipse(400, 563, 118, 16, '#4b3a2c') +
      leaf('M400 570C370 520 368 450 400 380C432 450 430 520 400 570Z', 'rotate(14 400 570)', LEAF.light) +
      gleam('M292 610L304 726'),
  ),
  tray: lying(
    'fan',
    (c) =>
      ellipse(400, 500, 290, 200, c.shade) +
      ellipse(398, 494, 287, 197, c.base) +
      ellipse(400, 500, 256, 168, c.deep, 0.75) +
      ellipse(402, 506, 252, 163, c.light) +
      both(rect(638, 450, 30, 92, 14, c.deep) + rect(644, 462, 16, 68, 8, c.light, 0.5)) +
      circle(330, 480, 62, PAPER.base) +
      circle(330, 482, 44, '#6a452d') +
      path('M430 560C470 500 520 480 570 470C560 520 510 560 440 576Z', LEAF.base) +
      line('M430 572C470 530 520 500 560 480', LEAF.shade, 4),
  ),
} as const satisfies Record<string, Kind>;
