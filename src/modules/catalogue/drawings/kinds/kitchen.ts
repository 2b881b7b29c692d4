/** Drawings of what stands in a kitchen and on a table. */

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
  mouth,
  move,
  path,
  rect,
  ring,
  STEEL,
  turned,
  WOOD,
} from '../shapes.ts';

/** Clear glass: what stands behind still shows. */
function glass(d: string): string {
  return path(d, '#fff', 0.38) + line(d, '#fff', 4, 0.75);
}

export const KITCHEN = {
  mug: standing(
    170,
    1.35,
    'trio',
    (c) =>
      line('M500 506C622 482 640 668 486 676', c.shade, 34) +
      line('M506 504C606 490 620 650 496 664', c.light, 7, 0.6) +
      path(turned(375, '440:140 500:140 680:130 744:116 770:92', 14), c.round) +
      mouth(c, 375, 440, 140, 27) +
      line('M262 726C320 746 430 746 488 726', c.line, 4, 0.3) +
      gleam('M262 500C262 570 268 630 274 676'),
    390,
  ),
  cup: standing(
    210,
    1.25,
    'trio',
    (c) =>
      ellipse(400, 748, 214, 34, c.shade) +
      ellipse(400, 741, 214, 32, c.light) +
      ellipse(400, 744, 150, 20, c.base) +
      line('M506 556C600 540 606 660 476 668', c.shade, 24) +
      path(turned(400, '520:128 560:127 640:106 700:74 734:62', 10), c.round) +
      mouth(c, 400, 520, 128, 25, 8) +
      ellipse(400, 527, 112, 16, '#4a2f1f') +
      gleam('M296 570C302 606 312 636 326 660', 9),
  ),
  teapot: standing(
    190,
    1.15,
    'boxed',
    (c) =>
      line('M236 560C110 530 96 726 262 712', c.shade, 30) +
      line('M232 556C130 540 116 690 236 696', c.light, 6, 0.5) +
      path('M540 700C628 690 606 566 664 496C676 482 710 496 704 514C660 580 690 716 548 752Z', c.shade) +
      path('M540 690C616 676 604 560 664 496C676 484 690 490 690 498C640 570 640 690 548 720Z', c.base) +
      path(turned(395, '478:86 520:148 600:184 680:172 744:120 770:98', 13), c.round) +
      path('M305 486C305 436 485 436 485 486C470 502 320 502 305 486Z', c.base) +
      path('M305 486C305 500 485 500 485 486C485 512 305 512 305 486Z', c.shade) +
      circle(395, 430, 24, c.shade) +
      circle(391, 426, 19, c.light) +
      gleam('M244 590C244 650 266 696 290 720', 12),
  ),
  kettle: standing(
    200,
    1.12,
    'boxed',
    (c) =>
      line('M290 490C250 330 560 320 530 490', INK, 26) +
      line('M334 398C370 368 450 366 486 396', WOOD.base, 30) +
      path('M540 620C600 600 630 520 690 494L712 520C670 560 660 660 556 690Z', c.shade) +
      path('M540 610C600 590 630 520 690 494L698 504C650 540 640 630 552 660Z', c.base) +
      path(turned(400, '478:80 500:122 580:172 700:196 750:192 770:178', 20), c.round) +
      ellipse(400, 478, 84, 15, c.light) +
      ellipse(400, 474, 62, 10, c.shade) +
      circle(400, 456, 17, INK) +
      line('M206 728C300 756 500 756 594 728', c.line, 4, 0.35) +
      gleam('M256 580C236 630 226 670 224 704', 12),
  ),
  jug: standing(
    150,
    1.25,
    'pair',
    (c) =>
      line('M498 440C640 420 640 640 510 660', c.shade, 30) +
      line('M502 438C620 430 620 610 528 642', c.light, 6, 0.5) +
      path(turned(390, '370:92 430:96 520:132 620:148 710:126 770:104', 14), c.round) +
      path('M300 372C280 350 268 350 256 356C270 392 290 400 304 420Z', c.base) +
      mouth(c, 390, 370, 93, 20, 8) +
      line('M256 640C330 664 460 664 526 640', c.line, 4, 0.25) +
      gleam('M272 560C262 610 266 660 280 690', 11),
    395,
  ),
  bowl: standing(
    170,
    1.25,
    'trio',
    (c) =>
      path(turned(400, '560:226 590:222 660:180 720:116 748:90 770:94', 12), c.round) +
      mouth(c, 400, 560, 226, 48, 11) +
      line('M302 736C360 752 440 752 498 736', c.line, 4, 0.35) +
      gleam('M204 612C222 652 246 682 276 706', 11),
  ),
  plate: lying(
    'fan',
    (c) =>
      circle(400, 500, 262, c.shade) +
      circle(398, 497, 259, c.base) +
      ring(398, 497, 246, c.light, 6) +
      circle(400, 501, 176, c.shade, 0.55) +
      circle(401, 504, 172, c.light) +
      circle(403, 507, 166, c.base) +
      line('M196 400C226 326 290 276 366 260', '#fff', 8, 0.4),
  ),
  pan: lying('fan', (c, turn) =>
    move(
      turn ? 'rotate(-34 400 500)' : 'rotate(28 400 500)',
      path('M378 130C376 104 424 104 422 130L428 400L372 400Z', INK) +
        path('M384 134C384 118 400 116 402 126L404 392L380 392Z', '#55524f') +
        circle(400, 146, 9, '#d8d2c8') +
        path('M366 372L434 372L446 430L354 430Z', STEEL.shade) +
        circle(400, 596, 196, c.shade) +
        circle(398, 593, 193, c.base) +
        circle(400, 597, 166, c.deep) +
        circle(402, 602, 160, c.shade) +
        line('M276 560C290 510 330 474 380 464', '#fff', 8, 0.22),
    ),
  ),
  pot: standing(
    220,
    1.2,
    'boxed',
    (c) =>
      both(path('M592 552C660 540 664 610 596 606L596 588C630 590 630 566 594 572Z', c.shade)) +
      path(turned(400, '524:206! 700:200 748:190 770:168', 18), c.round) +
      path('M190 516C200 440 310 416 400 416C490 416 600 440 610 516Z', c.fall) +
      path('M184 512C184 540 616 540 616 512L616 528C616 560 184 560 184 528Z', c.shade) +
      path('M384 418L388 396L412 396L416 418Z', BRASS.shade) +
      ellipse(400, 390, 36, 15, BRASS.base) +
      ellipse(396, 386, 24, 8, BRASS.light) +
      gleam('M222 590C222 640 226 680 234 708', 11) +
      line('M256 474C300 446 350 440 390 439', '#fff', 8, 0.3),
  ),
  glass: standing(
    110,
    1.35,
    'trio',
    (c) =>
      path(turned(400, '420:118! 756:98! 768:84', 13), c.base, 0.34) +
      path(turned(400, '720:99! 756:97 768:84', 13), c.base, 0.5) +
      path(turned(400, '530:104! 704:93! 718:84', 12), c.light, 0.45) +
      ellipse(400, 530, 104, 17, '#fff', 0.5) +
      ellipse(400, 420, 118, 20, '#fff', 0.22) +
      `<ellipse cx="400" cy="420" rx="118" ry="20" fill="none" stroke="${c.light}" stroke-width="5"/>` +
      gleam('M304 470L318 700', 11, 0.55) +
      gleam('M500 470L490 640', 6, 0.4),
  ),
  carafe: standing(
    140,
    1.15,
    'pair',
    (c) =>
      path(turned(400, '560:118! 620:138 700:134 756:106 768:96', 14), c.base, 0.45) +
      ellipse(400, 560, 118, 18, c.light, 0.6) +
      glass(turned(400, '330:74! 400:58 460:66 540:112 640:140 730:124 770:98', 14)) +
      ellipse(400, 330, 74, 13, '#fff', 0.55) +
      circle(400, 300, 34, WOOD.base) +
      circle(393, 292, 22, WOOD.light) +
      gleam('M288 590C280 640 286 690 300 716', 12, 0.6),
  ),
  bottle: standing(
    100,
    1.15,
    'trio',
    (c) =>
      path(turned(400, '392:52! 420:58 460:96 500:104! 752:104! 770:92', 13), c.round) +
      rect(344, 372, 112, 26, 6, STEEL.shade) +
      rect(344, 372, 70, 26, 6, STEEL.light, 0.6) +
      rect(340, 286, 120, 90, 14, INK) +
      rect(352, 292, 12, 78, 6, '#fff', 0.2) +
      line('M372 284C372 236 428 236 428 284', INK, 14) +
      line('M297 706C350 720 450 720 503 706', c.line, 4, 0.3) +
      gleam('M322 520L322 690', 12),
  ),
  jar: standing(
    130,
    1.28,
    'pair',
    (c) =>
      path(turned(400, '500:118! 730:118 756:104', 14), c.base) +
      ellipse(400, 500, 118, 20, c.light) +
      path('M300 560C340 580 400 584 430 580M330 640C390 664 460 650 500 630', c.shade, 0.35) +
      glass(turned(400, '424:104 450:132 500:136 724:136 770:112', 16)) +
      path(turned(400, '366:112! 424:110!', 16), c.wood) +
      ellipse(400, 366, 112, 18, WOOD.light) +
      line('M326 364C350 354 430 352 470 364', WOOD.line, 3, 0.4) +
      gleam('M288 490L288 700', 12, 0.6),
  ),
  canister: standing(
    130,
    1.28,
    'trio',
    (c) =>
      path(turned(400, '430:134! 760:134! 768:130', 20), c.round) +
      path(turned(400, '392:140! 446:140!', 21), c.round) +
      ellipse(400, 392, 140, 23, c.light) +
      ellipse(400, 391, 118, 17, c.base) +
      line('M260 446C300 474 500 474 540 446', c.line, 4, 0.4) +
      rect(340, 560, 120, 84, 8, '#f4eee1') +
      line('M362 590L438 590M374 614L426 614', '#b3a58b', 5) +
      gleam('M288 500L288 730', 12),
  ),
  knife: lying('fan', (c, turn) =>
    move(
      turn ? 'rotate(-38 400 500)' : 'rotate(32 400 500)',
      path('M378 610L378 190C378 160 392 130 400 116C440 200 450 420 446 610Z', STEEL.base) +
        path('M378 610L378 190C378 160 392 130 400 116C412 260 412 440 408 610Z', STEEL.light) +
        rect(372, 606, 78, 30, 4, STEEL.shade) +
        path('M374 636L448 636C458 730 460 800 446 872C438 896 392 896 384 872C372 800 368 720 374 636Z', c.round) +
        circle(411, 690, 9, BRASS.base) +
        circle(412, 760, 9, BRASS.base) +
        circle(413, 830, 9, BRASS.base) +
        line('M388 660C384 730 386 800 394 850', '#fff', 6, 0.25),
    ),
  ),
  board: lying('fan', (c) =>
    move(
      'rotate(14 400 500)',
      path(
        mirrored(
          'M400 170C440 170 446 196 446 230L446 290C450 318 560 300 560 360L560 780C560 812 540 826 510 826L400 826',
        ),
        c.wood,
      ) +
        line(
          'M300 380C296 520 304 640 298 780M352 330C362 480 346 640 354 800M430 340C424 500 440 660 430 806M500 350C508 500 494 640 502 790',
          WOOD.line,
          4,
          0.28,
        ) +
        line('M400 206L400 96', c.base, 12) +
        circle(400, 220, 17, WOOD.line) +
        line('M400 214C360 150 380 90 400 90C420 90 440 150 400 214', c.base, 10),
    ),
  ),
  press: standing(
    130,
    1.15,
    'boxed',
    (c) =>
      line('M514 470C630 460 630 690 514 684', c.shade, 26) +
      path(turned(390, '540:112! 750:112!', 16), '#4a2f1f') +
      ellipse(390, 540, 112, 17, '#7a5335') +
      glass(turned(390, '410:120! 756:120!', 18)) +
      rect(384, 284, 12, 120, 4, STEEL.base) +
      circle(390, 280, 24, c.base) +
      circle(384, 273, 14, c.light) +
      path('M262 412C262 366 518 366 518 412C518 430 262 430 262 412Z', c.fall) +
      path('M266 470C300 490 480 490 514 470L514 492C480 512 300 512 266 492Z', c.base) +
      path('M266 716C300 740 480 740 514 716L514 768C480 792 300 792 266 768Z', c.round) +
      gleam('M294 520L294 690', 11, 0.5),
    395,
  ),
  mill: standing(
    80,
    1.15,
    'pair',
    (c) =>
      path(turned(400, '430:74! 470:66 540:52 620:66 700:88 760:92! 770:88', 13), c.round) +
      path(turned(400, '330:40 350:72 390:78 424:66!', 10), c.round) +
      rect(334, 420, 132, 16, 6, STEEL.base) +
      circle(400, 306, 24, STEEL.base) +
      circle(394, 299, 13, STEEL.light) +
      line('M314 726C350 742 450 742 486 726', c.line, 4, 0.35) +
      gleam('M346 490C344 560 340 640 330 700', 9),
  ),
  cutlery: lying(
    'fan',
    (c) =>
      path('M234 200C214 200 206 340 214 400C220 430 250 430 256 400C264 340 256 200 234 200Z', STEEL.base) +
      line('M222 200L222 330M235 196L235 330M248 200L248 330', c.line, 5, 0.25) +
      path('M222 420L248 420L252 560L218 560Z', STEEL.base) +
      path('M384 190C420 220 428 420 420 560L384 560Z', STEEL.base) +
      path('M384 190C400 240 402 420 398 560L384 560Z', STEEL.light) +
      ellipse(570, 272, 46, 74, STEEL.base) +
      ellipse(566, 268, 34, 58, STEEL.light) +
      path('M558 340L582 340L586 560L554 560Z', STEEL.base) +
      [216, 382, 552]
        .map((x) =>
          path(
            `M${x} 556L${x + 38} 556C${x + 46} 660 ${x + 46} 760 ${x + 34} 806C${x + 28} 820 ${x + 10} 820 ${x + 4} 806C${x - 8} 760 ${x - 8} 660 ${x} 556Z`,
            c.round,
          ),
        )
        .join(''),
  ),
  apron: lying('pair', (c, turn) => {
    const strap = line('M336 250C330 120 470 120 464 250', c.shade, 14);
    const body = path(mirrored('M400 244L476 244C482 330 510 390 570 430L586 800C540 816 470 820 400 820'), c.fall);
    return (
      strap +
      both(line('M566 440C620 460 640 540 626 640', c.shade, 12)) +
      body +
      (turn
        ? line(
            'M300 470C360 500 440 500 500 470M400 490C380 560 360 600 352 640M402 490C430 560 440 590 452 626',
            c.shade,
            12,
          )
        : path(mirrored('M400 540L490 540L490 640C490 664 470 670 400 670'), c.shade, 0.45) +
          line('M310 556L490 556M400 556L400 668', c.line, 4, 0.45)) +
      line('M330 262L470 262M222 786C330 800 470 800 578 786', c.line, 4, 0.4) +
      line('M300 700C296 740 300 770 298 792M500 700C506 740 500 770 504 792', c.line, 4, 0.25)
    );
  }),
} as const satisfies Record<string, Kind>;
