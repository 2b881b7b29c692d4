import { html, type SafeHtml } from './html.ts';

/**
 * A dot beside a colour's name, where the name is one that we know. The colour is an SVG attribute: the pages'
 * Content-Security-Policy allows no inline style.
 */
const KNOWN: Readonly<Record<string, string>> = {
  white: '#f7f4ee',
  ivory: '#f4eddc',
  cream: '#e8dcc3',
  beige: '#d9c7a8',
  sand: '#d8c3a0',
  black: '#242326',
  charcoal: '#4d4e53',
  anthracite: '#3d3f44',
  graphite: '#55575c',
  grey: '#9b9a97',
  gray: '#9b9a97',
  silver: '#c2c6c9',
  navy: '#2f3f5f',
  blue: '#44699b',
  sky: '#9bbbd1',
  turquoise: '#4aa3a0',
  teal: '#2f7577',
  green: '#427a57',
  olive: '#757746',
  khaki: '#8b8560',
  sage: '#a2b096',
  mint: '#b5d8c4',
  yellow: '#e7c65a',
  mustard: '#cb9a38',
  orange: '#db8446',
  rust: '#af593b',
  terracotta: '#c47a5d',
  coral: '#e0796b',
  red: '#b8413c',
  burgundy: '#75323e',
  pink: '#e2aab0',
  rose: '#c8828c',
  purple: '#6b5184',
  violet: '#7a5fa3',
  lilac: '#b7a6cb',
  lavender: '#bcb1d6',
  brown: '#6f4e3a',
  tan: '#bf9a71',
  camel: '#b98d5a',
  gold: '#c9a34d',
  copper: '#b06c49',
};

/** The last word that names a colour counts: "dark sky blue" is a blue. */
export function colorDot(name: string): SafeHtml | false {
  const word = name
    .toLowerCase()
    .split(/[^a-z]+/)
    .findLast((part) => Object.hasOwn(KNOWN, part));
  return (
    word !== undefined &&
    html`<svg class="dot" aria-hidden="true" viewBox="0 0 16 16" width="16" height="16"><circle cx="8" cy="8" r="7.5" fill="${KNOWN[word]}"/></svg>`
  );
}
