/** Drawings of clothes, laid flat. */

import { type Kind, lying } from '../kind.ts';
import { BRASS, both, circle, dashed, dotted, line, mirrored, type Paint, path, rect } from '../shapes.ts';

const BODY =
  'L566 284C618 312 650 400 674 500L588 530C578 486 570 450 560 424C562 560 566 700 570 806C510 818 450 820 400 820';
const LONG =
  'L556 276C612 300 640 400 662 560C670 640 674 720 674 776L600 782C592 690 582 560 562 440C564 580 568 700 570 806C510 818 450 820 400 820';
const CREW = 'M400 236C440 236 456 228 470 216';

/** What shows inside a neck from the front: the back of the collar. */
function neck(c: Paint, depth: number, back: boolean): string {
  const low = back ? 240 : 216 + depth;
  return (
    path(`M330 216C340 ${low} 460 ${low} 470 216C450 236 350 236 330 216Z`, c.deep) +
    line(`M333 228C346 ${low + 4} 454 ${low + 4} 467 228`, c.shade, 14) +
    line(`M326 232C340 ${low + 15} 460 ${low + 15} 474 232`, c.line, 3, 0.4)
  );
}

const sideFolds = (c: Paint) =>
  line('M246 480q10 120-2 240M554 480q-10 120 2 240M300 640q8 80-2 158M500 620q-8 90 4 180', c.line, 4, 0.22);

function knit(c: Paint, back: boolean, more: string): string {
  return (
    path(mirrored(CREW + LONG), c.fall) +
    both(
      line('M604 756L672 750M608 770L673 764', c.line, 3, 0.35) +
        line('M560 440C556 400 548 360 532 330', c.line, 4, 0.35),
    ) +
    sideFolds(c) +
    more +
    line('M232 770C330 784 470 784 568 770', c.line, 3, 0.4) +
    dashed('M242 790C330 804 470 804 560 790', c.line, 34, '3 18', 0.25) +
    neck(c, 84, back)
  );
}

function tee(c: Paint, back: boolean, more: string): string {
  return (
    path(mirrored(CREW + BODY), c.fall) +
    more +
    both(line('M594 512L668 486', c.line, 3, 0.5) + line('M560 424C558 390 548 350 530 320', c.line, 4, 0.3)) +
    sideFolds(c) +
    line('M232 788C330 800 470 800 568 788', c.line, 3, 0.45) +
    neck(c, 84, back)
  );
}

/** A line of buttons down the middle. */
function buttons(from: number, to: number, count: number, x: number, fill: string): string {
  return dotted(`M${x} ${from}L${x} ${to + 2}`, fill, 16, Math.floor((to - from) / (count - 1)));
}

function shirtLike(c: Paint, back: boolean, body: string, details: string): string {
  const cuffs =
    body === BLOUSE
      ? line('M596 628C620 634 650 622 668 598', c.line, 4, 0.4)
      : line('M602 736L673 728', c.line, 3, 0.5);
  return (
    path(mirrored(body), c.fall) +
    both(line('M560 440C556 400 548 350 534 316', c.line, 4, 0.35) + cuffs) +
    sideFolds(c) +
    (back
      ? line('M268 316C340 340 460 340 532 316M400 336L400 560', c.line, 4, 0.4) +
        path('M326 214C350 250 450 250 474 214C450 196 350 196 326 214Z', c.light)
      : path('M336 214q14 56 64 82q50-26 64-82q-64 24-128 0z', c.deep) +
        details +
        both(path('M466 206q20 64-20 122l-46-38q44-26 66-84z', c.light) + line('M446 328l-46-38', c.line, 4, 0.45)))
  );
}

function legs(c: Paint, back: boolean, end: number, wide: number, pockets: string): string {
  return (
    path(
      mirrored(`M400 180L512 180C524 260 536 380 ${540 + wide} ${end}L${432 - wide} ${end + 8}L404 420L400 420`),
      c.fall,
    ) +
    rect(288, 180, 224, 38, 4, c.base) +
    line('M288 218L512 218', c.line, 4, 0.5) +
    dashed('M306 202L500 202', c.shade, 46, '12 50') +
    (back
      ? both(path('M424 262L494 262L494 330L460 346L424 330Z', c.shade, 0.5) + line('M424 270L494 270', c.line, 4, 0.5))
      : line('M400 220L400 360C392 374 380 380 374 384', c.line, 4, 0.5) +
        both(line('M504 232C490 262 480 286 476 300', c.line, 4, 0.5)) +
        circle(400, 199, 9, BRASS.base)) +
    pockets +
    both(
      line(`M470 470C478 580 484 700 ${486 + wide} ${end - 10}M416 450C430 462 444 470 452 480`, c.line, 4, 0.22) +
        line(`M${436 - wide} ${end - 16}L${538 + wide} ${end - 24}`, c.line, 3, 0.4),
    )
  );
}

const SHIRT =
  'M400 226C440 226 456 214 466 206L556 262C616 290 640 390 664 560C672 630 674 690 674 752L600 760C592 660 580 540 562 440C564 580 566 690 574 780C540 820 470 832 400 832';
const COAT =
  'M400 190C440 190 456 178 466 170L566 214C626 246 648 380 668 540C676 620 680 690 680 742L598 750C592 640 582 500 566 400C572 560 586 720 600 868C540 880 470 884 400 884';
const JACKET =
  'M400 226C440 226 456 214 466 206L560 258C624 290 652 400 674 560C682 640 684 700 684 756L600 764C594 660 584 540 568 430C568 560 570 670 572 770C520 784 460 786 400 786';
const BLOUSE =
  'M400 226C440 226 456 214 466 206L546 262C620 300 670 420 676 560C680 620 650 650 600 650C580 580 570 500 554 440C560 560 580 680 590 760C530 780 460 784 400 784';

export const CLOTHES = {
  tshirt: lying('folded', (c, back) => tee(c, back, '')),
  'striped-tee': lying('folded', (c, back) =>
    tee(
      c,
      back,
      line(
        [370, 430, 490, 550, 610, 670, 730]
          .map((y) => `M${y < 420 ? 252 : 240} ${y}C330 ${y + 8} 470 ${y + 8} ${y < 420 ? 548 : 560} ${y}`)
          .join(''),
        c.light,
        19,
        0.95,
      ) + both(line('M600 352L566 372M634 420L572 446', c.light, 19, 0.95)),
    ),
  ),
  sweater: lying('folded', (c, back) =>
    knit(
      c,
      back,
      line(
        [300, 340, 460, 500]
          .map((x) => `M${x} 330C${x + 14} 400 ${x - 14} 460 ${x} 530C${x + 14} 600 ${x - 14} 680 ${x} 760`)
          .join(''),
        c.line,
        5,
        0.26,
      ),
    ),
  ),
  cardigan: lying('folded', (c, back) =>
    shirtLike(
      c,
      back,
      JACKET,
      path('M336 214L400 470L464 214L478 206L484 230L412 470L412 784L388 784L388 470L316 230L322 206Z', c.shade) +
        buttons(500, 750, 5, 400, '#7a5a3c') +
        both(rect(456, 600, 92, 104, 6, c.shade, 0.4) + line('M456 620L548 620', c.line, 4, 0.4)),
    ),
  ),
  hoodie: lying(
    'folded',
    (c, back) =>
      knit(
        c,
        back,
        back
          ? ''
          : path('M300 600L500 600L536 740L264 740Z', c.shade, 0.35) +
              line('M300 600L264 740M500 600L536 740', c.line, 4, 0.45),
      ) +
      (back
        ? path('M316 226C300 330 350 390 400 396C450 390 500 330 484 226C450 196 350 196 316 226Z', c.light) +
          line('M400 210L400 394', c.line, 4, 0.4)
        : path(
            'M322 240C290 150 360 110 400 110C440 110 510 150 478 240C460 290 430 310 400 322C370 310 340 290 322 240Z',
            c.light,
          ) +
          path(
            'M346 240C336 176 370 150 400 150C430 150 464 176 454 240C440 276 420 290 400 296C380 290 360 276 346 240Z',
            c.deep,
          ) +
          line('M374 312L368 424M426 312L432 410', '#f4eee1', 7)),
  ),
  shirt: lying('folded', (c, back) =>
    shirtLike(
      c,
      back,
      SHIRT,
      line('M386 300L386 830M416 300L416 830', c.line, 3, 0.45) +
        buttons(350, 780, 6, 401, c.line) +
        path('M448 420L524 420L524 490L486 508L448 490Z', c.shade, 0.4) +
        line('M448 434L524 434', c.line, 3, 0.45),
    ),
  ),
  'checked-shirt': lying('folded', (c, back) =>
    shirtLike(
      c,
      back,
      SHIRT,
      line([360, 450, 540, 630, 720].map((y) => `M246 ${y}L554 ${y}`).join(''), c.light, 15, 0.6) +
        line([280, 340, 460, 520].map((x) => `M${x} 320L${x} 810`).join(''), c.deep, 10, 0.28) +
        line('M386 300L386 830M416 300L416 830', c.line, 3, 0.5) +
        buttons(350, 780, 6, 401, '#f4eee1'),
    ),
  ),
  blouse: lying('rail', (c, back) =>
    shirtLike(
      c,
      back,
      BLOUSE,
      line('M400 300L400 780', c.line, 4, 0.45) +
        buttons(350, 720, 6, 401, '#f4eee1') +
        line('M330 300C320 420 330 560 310 770M470 300C480 420 470 560 490 770', c.line, 4, 0.3),
    ),
  ),
  dress: lying(
    'rail',
    (c, back) =>
      path(
        mirrored(
          `M400 ${back ? 180 : 250}C430 ${back ? 180 : 250} 450 ${back ? 172 : 220} 456 150L500 150C504 220 530 270 556 300C540 370 530 410 528 450C580 580 620 720 640 860C560 884 480 888 400 888`,
        ),
        c.fall,
      ) +
      (back
        ? line('M341 164C354 198 446 198 459 164', c.line, 4, 0.5)
        : path('M344 150C350 290 450 290 456 150C440 170 360 170 344 150Z', c.deep) +
          line('M344 150C350 292 450 292 456 150', c.line, 4, 0.5)) +
      path('M272 440C350 456 450 456 528 440L532 468C450 486 350 486 268 468Z', c.shade) +
      line(
        'M320 480C300 620 280 740 260 860M370 484C364 620 352 760 340 876M430 484C436 620 448 760 460 876M480 480C500 620 520 740 540 860',
        c.line,
        4,
        0.3,
      ) +
      (back ? line('M400 186L400 440', c.line, 4, 0.5) : '') +
      line('M166 836C320 866 480 866 634 836', c.line, 3, 0.4),
  ),
  skirt: lying(
    'rail',
    (c, back) =>
      path(
        mirrored('M400 220L500 220C520 260 530 300 540 340C590 500 620 650 634 780C560 806 480 812 400 812'),
        c.fall,
      ) +
      path('M300 220L500 220L506 264L294 264Z', c.shade) +
      line(
        'M330 266C310 460 270 640 236 790M372 266C366 460 344 640 330 804M428 266C434 460 456 640 470 804M470 266C490 460 530 640 564 790',
        c.line,
        5,
        0.32,
      ) +
      (back ? line('M400 222L400 420', c.line, 5, 0.6) : circle(470, 242, 9, '#7a5a3c')) +
      line('M170 762C320 790 480 790 630 762', c.line, 3, 0.4),
  ),
  trousers: lying('fan', (c, back) => legs(c, back, 846, 4, '')),
  jeans: lying('fan', (c, back) =>
    legs(
      c,
      back,
      840,
      -8,
      line('M300 420L310 800M500 420L490 800', '#c9a05a', 3, 0.55) +
        path('M340 480C330 560 340 640 350 700M460 480C470 560 460 640 450 700', c.light, 0.35),
    ),
  ),
  shorts: lying(
    'fan',
    (c, back) =>
      path(mirrored('M400 270L536 270C560 400 590 540 604 660L428 684L404 500L400 500'), c.fall) +
      rect(264, 268, 272, 46, 8, c.base) +
      dashed('M276 291L530 291', c.line, 36, '3 18', 0.3) +
      (back
        ? rect(440, 370, 90, 96, 8, c.shade, 0.5)
        : line('M376 300C366 360 356 390 350 410M424 300C432 350 440 380 452 400', '#f4eee1', 8)) +
      line('M400 316L400 460', c.line, 4, 0.4) +
      both(line('M528 330C512 370 500 400 496 430M436 656L598 634', c.line, 4, 0.4)),
  ),
  coat: lying('rail', (c, back) =>
    shirtLike(
      c,
      back,
      COAT,
      line('M420 340L420 880', c.line, 4, 0.5) +
        buttons(470, 690, 3, 390, '#2b2724') +
        buttons(470, 690, 3, 450, '#2b2724') +
        both(path('M466 600l90-10l4 26l-90 12z', c.shade)) +
        both(
          path('M472 196q34 100-16 224l-56-70q52-60 72-154z', c.light) + line('M456 420l30-100l-24-14', c.line, 4, 0.4),
        ),
    ),
  ),
  jacket: lying('rail', (c, back) =>
    shirtLike(
      c,
      back,
      JACKET,
      line('M400 300L400 784', c.line, 7, 0.6) +
        both(
          path('M440 400L530 400L530 486L440 486Z', c.shade, 0.45) +
            path('M436 394L534 394L530 420L485 434L440 420Z', c.light) +
            path('M440 610L548 600L548 690L440 696Z', c.shade, 0.4),
        ) +
        buttons(350, 740, 5, 414, BRASS.base),
    ),
  ),
  raincoat: lying(
    'rail',
    (c, back) =>
      shirtLike(
        c,
        back,
        COAT,
        line('M400 330L400 880', c.line, 4, 0.5) +
          buttons(420, 780, 4, 424, '#f4eee1') +
          both(rect(454, 610, 110, 120, 8, c.shade, 0.4) + rect(450, 600, 118, 34, 6, c.light)),
      ) +
      (back
        ? path('M322 196C300 300 350 350 400 356C450 350 500 300 478 196C450 166 350 166 322 196Z', c.light)
        : path(
            'M326 214C290 120 360 84 400 84C440 84 510 120 474 214C460 254 430 280 400 294C370 280 340 254 326 214Z',
            c.light,
          ) +
          path(
            'M350 210C338 150 370 122 400 122C430 122 462 150 450 210C436 240 420 254 400 260C380 254 364 240 350 210Z',
            c.deep,
          )),
  ),
  gilet: lying(
    'rail',
    (c, back) =>
      path(
        mirrored(
          'M400 236C440 236 456 216 470 190L540 226C530 320 560 390 584 430C582 580 580 700 578 800C520 812 460 814 400 814',
        ),
        c.fall,
      ) +
      path('M330 196C350 172 450 172 470 196L466 238C440 256 360 256 334 238Z', back ? c.light : c.deep) +
      line(
        [340, 430, 520, 610, 700]
          .map((y) => `M${y < 400 ? 256 : 224} ${y}C320 ${y + 16} 480 ${y + 16} ${y < 400 ? 544 : 576} ${y}`)
          .join(''),
        c.line,
        5,
        0.38,
      ) +
      (back
        ? ''
        : both(
            path('M470 192C486 236 452 284 400 290L400 250C430 240 452 222 456 180Z', c.light) +
              line('M474 214C478 256 446 288 402 290', c.line, 4, 0.4),
          ) +
          line('M400 270L400 812', '#8b8f92', 8) +
          rect(393, 292, 14, 34, 5, '#5f6469')),
  ),
  romper: lying(
    'fan',
    (c, back) =>
      path(
        mirrored(
          'M400 276C430 276 444 266 452 254L540 290C590 320 620 400 634 470L566 500C556 450 548 430 540 420C546 520 556 600 570 690C560 740 530 770 490 780C470 740 440 720 400 720',
        ),
        c.fall,
      ) +
      neck({ ...c, shade: c.light }, 60, back) +
      line('M330 740C356 730 440 730 470 740', c.line, 4, 0.4) +
      (back ? '' : buttons(330, 430, 3, 400, '#f4eee1')) +
      dotted('M330 480l1 0M460 460l1 0M400 560l1 0M300 600l1 0M500 600l1 0M390 660l1 0', c.light, 20, 20) +
      both(line('M572 490L628 466', c.line, 4, 0.4)),
  ),
  saree: lying(
    'fan',
    (c) =>
      path('M196 226C196 206 604 206 604 226L604 790C604 806 196 806 196 790Z', c.shade) +
      path('M184 214C184 194 592 194 592 214L592 776C592 794 184 794 184 776Z', c.fall) +
      rect(184, 690, 408, 74, 0, BRASS.base) +
      line('M184 702L592 702M184 752L592 752', BRASS.light, 5) +
      dashed('M192 728L584 728', BRASS.shade, 26, '10 22', 0.6) +
      path('M480 196L592 196L592 690L440 690C470 520 484 360 480 196Z', c.light, 0.5) +
      rect(530, 200, 20, 490, 0, BRASS.base, 0.9) +
      dotted('M250 300L440 300M295 400L400 400M250 500L440 500M295 600L400 600', BRASS.light, 16, 90, 0.9) +
      line('M480 200C484 360 470 520 440 690', c.line, 4, 0.4),
  ),
} as const satisfies Record<string, Kind>;
