/** Drawings of stationery and books. */

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
  line,
  mirrored,
  move,
  PAPER,
  type Paint,
  path,
  rect,
  STEEL,
  turned,
} from '../shapes.ts';

/** A closed book or notebook: pages below and right, cover above. */
function volume(c: Paint, cover: string): string {
  return (
    rect(214, 176, 404, 664, 10, c.deep) +
    rect(212, 170, 398, 660, 6, PAPER.base) +
    line('M604 190L604 816M598 190L598 820M230 824L596 824', PAPER.line, 3, 0.5) +
    rect(196, 160, 402, 660, 10, c.fall) +
    cover
  );
}

/** A book lying in a pile, its back to the left. */
function closed(x: number, y: number, width: number, height: number, cover: string, back: string): string {
  return (
    rect(x + 20, y + 10, width - 26, height - 20, 3, PAPER.base) +
    line(
      `M${x + 50} ${y + height * 0.4}l${width - 64} 0M${x + 50} ${y + height * 0.64}l${width - 64} 0`,
      PAPER.line,
      3,
      0.6,
    ) +
    rect(x, y, width, 13, 6, cover) +
    rect(x, y + height - 13, width, 13, 6, back) +
    rect(x - 4, y, 46, height, 10, cover)
  );
}

/** Two open pages with lines or dots on them. */
function spread(c: Paint, marks: string): string {
  return (
    path(mirrored('M400 290C470 262 600 262 690 280L690 736C600 718 470 718 400 746'), c.base) +
    path(mirrored('M400 282C470 250 590 250 676 268L676 720C590 704 470 704 400 736'), '#faf6ec') +
    line('M400 282L400 736', PAPER.line, 5, 0.6) +
    path('M400 282C420 272 440 266 460 262L460 708C440 712 420 722 400 736Z', PAPER.shade, 0.3) +
    both(marks)
  );
}

const penBody = (c: Paint, x: number) =>
  path(`M${x - 20} 200C${x - 20} 176 ${x + 20} 176 ${x + 20} 200L${x + 22} 660L${x - 22} 660Z`, c.round) +
  rect(x - 24, 416, 48, 18, 5, BRASS.base) +
  path(`M${x - 22} 660L${x + 22} 660L${x + 8} 730L${x - 8} 730Z`, BRASS.base) +
  path(
    `M${x - 9} 728L${x + 9} 728C${x + 16} 756 ${x + 6} 800 ${x} 824C${x - 6} 800 ${x - 16} 756 ${x - 9} 728Z`,
    BRASS.light,
  ) +
  line(`M${x} 750L${x} 818`, BRASS.shade, 3) +
  rect(x + 12, 210, 11, 190, 5, BRASS.base) +
  line(`M${x - 10} 214L${x - 12} 640`, '#fff', 6, 0.35);

const pencil = (x: number, color: string, shade: string) =>
  rect(x - 22, 240, 44, 470, 0, color) +
  rect(x + 6, 240, 16, 470, 0, shade) +
  rect(x - 22, 210, 44, 40, 0, BRASS.base) +
  path(`M${x - 22} 214C${x - 22} 168 ${x + 22} 168 ${x + 22} 214Z`, '#d8928c') +
  path(`M${x - 22} 710L${x} 820L${x + 22} 710C${x + 12} 700 ${x - 12} 700 ${x - 22} 710Z`, '#e5c79b') +
  path(`M${x - 7} 786L${x} 824L${x + 7} 786Z`, INK);

export const DESK = {
  notebook: lying('fan', (c, open) =>
    open
      ? spread(
          c,
          line(
            'M430 330C510 310 590 306 650 316M430 390C510 370 590 366 650 376M430 450C510 430 590 426 650 436M430 510C510 490 590 486 650 496M430 570C510 550 590 546 650 556M430 630C510 610 590 606 650 616',
            PAPER.line,
            4,
            0.55,
          ),
        )
      : volume(
          c,
          line('M238 164L238 816', c.line, 4, 0.45) +
            rect(524, 160, 22, 660, 0, c.deep, 0.75) +
            rect(300, 300, 176, 110, 4, PAPER.base) +
            line('M326 338L450 338M326 370L410 370', PAPER.line, 5) +
            path('M330 818L352 818L352 880L341 866L330 880Z', c.deep),
        ),
  ),
  planner: lying('fan', (c, open) =>
    open
      ? spread(
          c,
          line(
            'M430 340C510 318 590 314 650 322M480 330L480 690M540 320L540 684M600 318L600 684M430 460C510 440 590 436 650 446M430 580C510 560 590 556 650 566',
            PAPER.line,
            4,
            0.55,
          ),
        )
      : rect(226, 176, 380, 660, 12, PAPER.base) +
        rect(206, 160, 396, 660, 14, c.fall) +
        dotted('M240 204L240 800', c.deep, 18, 52) +
        dashed('M217 200L217 800', STEEL.base, 46, '8 44') +
        circle(430, 440, 92, c.light) +
        path('M338 452C380 400 440 500 522 440C520 490 480 532 430 532C380 532 342 496 338 452Z', c.deep, 0.6) +
        line('M340 640L520 640M370 676L490 676', c.light, 9),
  ),
  book: lying('fan', (c, open) =>
    open
      ? spread(c, dashed('M540 320L540 690', PAPER.line, 210, '3 20', 0.6))
      : volume(
          c,
          line('M226 162L226 818', c.deep, 8, 0.35) +
            circle(414, 420, 118, c.light) +
            path(
              'M296 426C350 360 400 480 460 420C490 390 516 400 532 412C530 490 476 538 414 538C350 538 300 490 296 426Z',
              c.deep,
            ) +
            line('M300 640L528 640M340 684L488 684', PAPER.base, 11) +
            line('M264 196L564 196L564 784L264 784Z', PAPER.base, 4, 0.6),
        ),
  ),
  books: standing(
    190,
    1.25,
    'beside',
    (c) =>
      closed(206, 690, 392, 80, c.base, c.shade) +
      closed(232, 618, 350, 70, '#e6d8bd', '#cdb98f') +
      closed(218, 532, 352, 84, '#b3654a', '#8d4a34') +
      line('M216 560L244 560M216 592L244 592M204 716L232 716M204 746L232 746', BRASS.light, 5),
  ),
  pen: lying('fan', (c) => move('rotate(36 400 500)', penBody(c, 400))),
  pencils: lying('fan', (c) =>
    move(
      'rotate(-14 400 500)',
      pencil(300, '#e6d9bf', '#cdbd9b') +
        pencil(366, c.base, c.shade) +
        pencil(432, c.light, c.base) +
        pencil(498, c.deep, c.deep),
    ),
  ),
  scissors: lying('fan', (c) =>
    move(
      'rotate(24 400 500)',
      path('M384 560L440 160C452 190 452 240 446 290L420 580Z', STEEL.base) +
        path('M416 560L360 160C348 190 348 240 354 290L380 580Z', STEEL.light) +
        circle(400, 520, 14, STEEL.shade) +
        `<ellipse cx="330" cy="720" rx="62" ry="96" fill="none" stroke="${c.base}" stroke-width="34" transform="rotate(14 330 720)"/>` +
        `<ellipse cx="470" cy="720" rx="62" ry="96" fill="none" stroke="${c.shade}" stroke-width="34" transform="rotate(-14 470 720)"/>` +
        line('M388 560L366 640', c.base, 34) +
        line('M412 560L434 640', c.shade, 34),
    ),
  ),
  cards: lying(
    'fan',
    (c) =>
      move(
        'rotate(-7 400 560)',
        rect(170, 430, 460, 320, 6, PAPER.base) + line('M174 434L400 610L626 434', PAPER.line, 5, 0.6),
      ) +
      move(
        'rotate(6 430 420)',
        rect(270, 190, 330, 450, 5, c.fall) +
          rect(288, 208, 294, 414, 3, c.light, 0.35) +
          circle(435, 380, 84, PAPER.base) +
          path('M435 320C480 350 490 410 435 450C380 410 390 350 435 320Z', c.base) +
          line('M435 330L435 520M435 460C460 450 480 470 490 490', c.deep, 6) +
          line('M370 560L500 560', PAPER.base, 8),
      ),
  ),
  'pencil-cup': standing(
    110,
    1.2,
    'pair',
    (c) =>
      line('M350 520L330 310', '#b1593c', 22) +
      path('M319 312L322 270L341 309Z', '#e5c79b') +
      line('M400 520L404 260', '#d0a13f', 22) +
      path('M393 262L404 216L415 262Z', '#e5c79b') +
      line('M450 520L474 330', INK, 18) +
      rect(366, 330, 18, 190, 4, STEEL.base) +
      path(turned(400, '500:112! 752:104! 770:94', 15), c.round) +
      ellipse(400, 500, 112, 20, c.light) +
      path('M298 504C320 518 480 518 502 504C490 484 310 484 298 504Z', c.deep, 0) +
      line('M292 560C330 580 470 580 508 560', c.line, 4, 0.35) +
      gleam('M306 590L310 730'),
  ),
} as const satisfies Record<string, Kind>;
