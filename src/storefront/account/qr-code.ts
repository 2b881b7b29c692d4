import { encode } from 'uqr';
import { html, type SafeHtml } from '../../kernel/html.ts';

/** Modules of clear ground around it (ISO/IEC 18004, 6.3.8). */
const BORDER = 4;

/** A QR code as a drawing in the page itself: nothing is asked for elsewhere, and the text is in no address. */
export function qrCode(text: string, label: string): SafeHtml {
  const { size, data } = encode(text, { ecc: 'M', border: BORDER });
  const path = data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('');
  return html`<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" width="240" height="240" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${path}"/></svg>`;
}
