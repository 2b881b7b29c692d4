/** Drawings of bags, watches and jewellery. */

import { type Kind, lying, standing } from '../kind.ts';
import {
  BRASS,
  both,
  circle,
  dotted,
  ellipse,
  INK,
  line,
  move,
  type Paint,
  path,
  rect,
  ring,
  STEEL,
  ticks,
  WOOD,
} from '../shapes.ts';

function lens(c: Paint, cx: number, dark: boolean): string {
  return (
    ellipse(cx, 500, 112, 96, c.base) +
    ellipse(cx, 500, 96, 81, dark ? '#3a3936' : '#e3eaea') +
    path(`M${cx - 60} 540C${cx - 70} 490 ${cx - 30} 440 ${cx + 30} 436L${cx - 30} 560Z`, '#fff', dark ? 0.14 : 0.5)
  );
}

function strapWatch(c: Paint, face: string): string {
  return (
    path(
      'M338 120C338 100 462 100 462 120L470 372L330 372ZM330 628L470 628L462 884C462 908 338 908 338 884Z',
      c.round,
    ) +
    line('M354 140L348 360M446 140L452 360M348 640L354 860M452 640L446 860', c.line, 3, 0.5) +
    dotted('M400 768L400 834', c.deep, 13, 32) +
    rect(352, 172, 96, 26, 8, c.shade) +
    face
  );
}

const beads = (c: Paint, d: string, width: number) =>
  dotted(d, c.base, width, width + 4) + dotted(d, c.light, Math.round(width * 0.45), width + 4, 0.8);

const metal = (c: Paint, d: string, width: number) =>
  line(d, c.shade, width) + line(d, c.base, width * 0.7) + line(d, c.light, width * 0.25, 0.9);

export const ACCESSORIES = {
  belt: lying(
    'fan',
    (c) =>
      ring(400, 510, 200, c.shade, 64) +
      ring(400, 506, 200, c.base, 58) +
      ring(400, 506, 222, c.line, 3, 0.5) +
      ring(400, 506, 178, c.line, 3, 0.5) +
      path('M396 660C480 664 560 650 640 700L626 760C560 716 470 722 396 724Z', c.fall) +
      [470, 520, 570].map((x, i) => circle(x, 694 + i * 6, 7, c.deep)).join('') +
      `<rect x="336" y="648" width="76" height="92" rx="14" fill="none" stroke="${BRASS.base}" stroke-width="15"/>` +
      line('M340 694L404 694', BRASS.shade, 10) +
      rect(430, 648, 30, 84, 6, c.shade),
  ),
  sunglasses: lying(
    'fan',
    (c) =>
      line('M186 470C150 420 150 330 200 250M614 470C650 420 650 330 600 250', c.shade, 16) +
      lens(c, 272, true) +
      lens(c, 528, true) +
      line('M372 474C388 456 412 456 428 474', c.base, 20),
  ),
  glasses: lying(
    'fan',
    (c) =>
      line('M186 470C150 420 150 330 200 250M614 470C650 420 650 330 600 250', c.shade, 13) +
      lens(c, 272, false) +
      lens(c, 528, false) +
      line('M372 474C388 456 412 456 428 474', c.base, 16),
  ),
  watch: lying('fan', (c) =>
    strapWatch(
      c,
      rect(566, 486, 24, 32, 5, STEEL.shade) +
        circle(400, 500, 172, STEEL.shade) +
        circle(397, 496, 168, STEEL.light) +
        circle(400, 500, 142, '#f8f4ea') +
        ticks(400, 500, 122, 12, 14, INK) +
        ticks(400, 500, 116, 4, 26, INK) +
        line('M400 500L350 440', INK, 9) +
        line('M400 500L460 424', INK, 7) +
        circle(400, 500, 9, c.base),
    ),
  ),
  smartwatch: lying('fan', (c) =>
    strapWatch(
      c,
      rect(548, 446, 16, 60, 6, '#55575b') +
        rect(250, 352, 300, 296, 76, '#55575b') +
        rect(256, 356, 288, 288, 72, '#1d1e20') +
        `<circle cx="400" cy="500" r="86" fill="none" stroke="#3a3d40" stroke-width="18"/>` +
        line('M400 414A86 86 0 1 1 318 526', '#7fc4a8', 18) +
        line('M400 500L400 452M400 500L434 520', '#f4eee1', 9),
    ),
  ),
  ring: lying(
    'fan',
    (c) =>
      ring(400, 570, 170, c.shade, 40) +
      ring(398, 566, 170, c.base, 34) +
      line('M242 520A170 170 0 0 1 330 412', c.light, 14) +
      path('M342 300L458 300L500 350L400 446L300 350Z', '#dbe7ea') +
      path('M342 300L400 350L458 300L500 350L400 446L300 350Z', '#b7cdd3', 0.7) +
      path('M342 300L400 350L300 350ZM458 300L400 350L500 350ZM400 350L400 446L344 350Z', '#fff', 0.5) +
      line('M310 362L340 420M490 362L460 420', c.base, 12),
  ),
  band: lying(
    'fan',
    (c) =>
      ring(470, 590, 130, c.shade, 34) +
      ring(468, 587, 130, c.light, 24) +
      ring(330, 430, 160, c.shade, 44) +
      ring(328, 426, 160, c.base, 38) +
      line('M186 390A160 160 0 0 1 280 276', '#fff', 12, 0.6) +
      line('M340 600C340 560 350 520 372 500', '#fff', 8, 0.5),
  ),
  necklace: lying(
    'fan',
    (c) =>
      metal(c, 'M230 180C220 420 300 620 400 640C500 620 580 420 570 180', 11) +
      metal(c, 'M266 180C262 360 320 500 400 510C480 500 538 360 534 180', 6) +
      circle(400, 510, 13, c.base) +
      ring(400, 656, 14, c.shade, 6) +
      circle(400, 730, 62, c.shade) +
      circle(397, 726, 60, c.base) +
      ring(397, 726, 44, c.light, 5) +
      [0, 45, 90, 135].map((a) => move(`rotate(${a} 397 726)`, line('M397 696L397 756', c.light, 4))).join(''),
  ),
  pearls: lying(
    'fan',
    (c) =>
      beads(
        c,
        'M400 250C520 250 590 350 590 470C590 620 500 720 400 750C300 720 210 620 210 470C210 350 280 250 400 250',
        44,
      ) + rect(380, 226, 40, 46, 10, BRASS.base),
  ),
  earrings: lying('fan', (c) =>
    both(
      circle(530, 330, 24, c.shade) +
        circle(527, 326, 20, c.light) +
        `<ellipse cx="530" cy="500" rx="88" ry="146" fill="none" stroke="${c.shade}" stroke-width="30"/>` +
        `<ellipse cx="528" cy="497" rx="88" ry="146" fill="none" stroke="${c.base}" stroke-width="22"/>` +
        line('M448 560C436 500 446 420 486 376', c.light, 8) +
        circle(530, 668, 30, '#f1ebe1') +
        circle(522, 660, 14, '#fff'),
    ),
  ),
  bracelet: lying(
    'fan',
    (c) =>
      metal(
        c,
        'M250 420C210 520 260 690 400 700C540 690 590 520 550 420C520 350 460 320 400 320C340 320 280 350 250 420',
        20,
      ) +
      beads(c, 'M276 640C330 720 470 720 524 640', 26) +
      circle(400, 700, 38, c.shade) +
      circle(397, 696, 36, c.light) +
      circle(400, 699, 24, c.base),
  ),
  bangle: lying(
    'fan',
    (c) =>
      `<ellipse cx="430" cy="560" rx="200" ry="170" fill="none" stroke="${c.shade}" stroke-width="34"/>` +
      `<ellipse cx="428" cy="556" rx="200" ry="170" fill="none" stroke="${c.light}" stroke-width="20"/>` +
      `<ellipse cx="376" cy="446" rx="206" ry="174" fill="none" stroke="${c.shade}" stroke-width="42"/>` +
      `<ellipse cx="373" cy="441" rx="206" ry="174" fill="none" stroke="${c.base}" stroke-width="34"/>` +
      line('M178 410C190 340 240 290 300 272', '#fff', 10, 0.6),
  ),
  umbrella: lying('fan', (c) =>
    move(
      'rotate(18 400 500)',
      line('M400 160L400 760C400 830 480 830 480 770', WOOD.shade, 17) +
        path(
          'M400 176C420 176 424 200 430 230C470 400 480 560 470 690C450 720 420 700 400 720C380 700 350 720 330 690C320 560 330 400 370 230C376 200 380 176 400 176Z',
          c.round,
        ) +
        line(
          'M400 190C396 400 396 560 400 716M388 210C360 400 352 560 360 700M412 210C440 400 448 560 440 700',
          c.line,
          4,
          0.4,
        ) +
        rect(336, 520, 128, 26, 8, c.shade) +
        circle(444, 533, 9, BRASS.base) +
        rect(392, 130, 16, 50, 6, STEEL.base),
    ),
  ),
  backpack: standing(
    190,
    1.12,
    'pair',
    (c, back) =>
      line('M350 316C350 256 450 256 450 316', c.shade, 18) +
      path('M222 460C222 350 290 300 400 300C510 300 578 350 578 460L590 740C590 776 210 776 210 740Z', c.round) +
      (back
        ? line('M320 330C290 460 300 600 280 740M480 330C510 460 500 600 520 740', c.deep, 40) +
          rect(300, 420, 200, 240, 30, c.light, 0.35)
        : path('M222 450C240 330 560 330 578 450L574 520C520 556 280 556 226 520Z', c.light) +
          path('M250 590C250 570 550 570 550 590L556 740C500 756 300 756 244 740Z', c.shade, 0.55) +
          line('M250 592C330 604 470 604 550 592', c.line, 4, 0.5) +
          rect(322, 500, 30, 110, 6, '#8a5f3c') +
          rect(448, 500, 30, 110, 6, '#8a5f3c') +
          rect(318, 556, 38, 26, 5, BRASS.base) +
          rect(444, 556, 38, 26, 5, BRASS.base)) +
      line('M236 700C226 640 230 560 236 480', '#fff', 9, 0.2),
  ),
  tote: standing(
    210,
    1.1,
    'pair',
    (c, back) =>
      line('M310 460C310 250 490 250 490 460', c.shade, 20) +
      path('M196 440L604 440L624 756C560 776 240 776 176 756Z', c.fall) +
      line('M330 440C330 280 470 280 470 440M330 440L328 520M470 440L472 520', c.line, 3, 0.3) +
      line('M316 446L312 530M484 446L488 530', c.base, 22) +
      line('M196 462L604 462', c.line, 4, 0.45) +
      (back
        ? rect(300, 540, 200, 150, 6, c.shade, 0.5) + line('M300 560L500 560', c.line, 4, 0.4)
        : circle(400, 620, 58, c.line, 0.28) +
          path('M400 580C430 600 440 640 400 664C360 640 370 600 400 580Z', c.light)) +
      line('M240 500C246 600 230 690 216 752M560 500C554 600 570 690 584 752', c.line, 4, 0.28),
  ),
  handbag: standing(
    230,
    1.1,
    'pair',
    (c, back) =>
      line('M290 500C270 300 530 300 510 500', c.shade, 20) +
      path('M196 500C196 470 604 470 604 500L626 730C626 776 174 776 174 730Z', c.round) +
      (back
        ? rect(270, 590, 260, 110, 12, c.shade, 0.45) + line('M270 610L530 610', c.line, 4, 0.5)
        : path('M190 500C196 470 604 470 610 500C610 590 560 640 400 644C240 640 190 590 190 500Z', c.fall) +
          line('M204 540C230 610 300 628 400 630C500 628 570 610 596 540', c.line, 3, 0.5) +
          rect(372, 610, 56, 60, 10, BRASS.base) +
          circle(400, 636, 11, BRASS.shade)) +
      circle(290, 500, 13, BRASS.base) +
      circle(510, 500, 13, BRASS.base),
  ),
  wallet: lying('fan', (c, open) =>
    open
      ? rect(150, 330, 500, 380, 24, c.fall) +
        line('M400 334L400 706', c.line, 6, 0.5) +
        [0, 1, 2].map((i) => rect(184, 400 + i * 74, 186, 110, 10, ['#d9c7a4', '#7d98a3', c.shade][i]!)).join('') +
        rect(436, 384, 180, 270, 10, c.shade, 0.55) +
        rect(460, 352, 140, 60, 4, '#dfe4d3')
      : rect(196, 330, 420, 340, 26, c.shade) +
        rect(190, 324, 416, 336, 26, c.fall) +
        line(
          'M214 340L582 340C590 340 592 344 592 350L592 634C592 642 588 644 582 644L214 644C206 644 204 640 204 634L204 350C204 344 206 340 214 340Z',
          c.line,
          3,
          0.45,
        ) +
        path('M606 450L500 450C470 450 470 534 500 534L606 534Z', c.shade) +
        circle(512, 492, 17, BRASS.base) +
        circle(508, 488, 8, BRASS.light),
  ),
  suitcase: standing(
    180,
    1.08,
    'pair',
    (c) =>
      line('M330 330L330 220L470 220L470 330', STEEL.shade, 15) +
      rect(318, 206, 164, 26, 12, INK) +
      circle(270, 752, 20, INK) +
      circle(530, 752, 20, INK) +
      rect(218, 320, 364, 428, 36, c.round) +
      line([280, 340, 400, 460, 520].map((x) => `M${x} 352L${x} 716`).join(''), c.line, 7, 0.28) +
      line([274, 334, 394, 454, 514].map((x) => `M${x} 352L${x} 716`).join(''), '#fff', 4, 0.22) +
      rect(350, 308, 100, 22, 10, c.deep) +
      rect(372, 520, 56, 34, 6, STEEL.light),
  ),
} as const satisfies Record<string, Kind>;
