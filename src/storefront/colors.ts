import { html, type SafeHtml } from '../kernel/html.ts';

/**
 * A dot beside a colour's name, where the name is one that we know. The colour is an SVG attribute: the pages'
 * Content-Security-Policy allows no inline style.
 */
const KNOWN: Readonly<Record<string, string>> = {
  white: '#f7f4ee',
  chalk: '#efebe2',
  snow: '#fbfaf7',
  ivory: '#f4eddc',
  cream: '#e8dcc3',
  oat: '#ded0b6',
  oatmeal: '#d9cbb0',
  beige: '#d9c7a8',
  champagne: '#ead9b5',
  nude: '#e3c5ae',
  sand: '#d8c3a0',
  black: '#242326',
  ink: '#23283a',
  ebony: '#37302b',
  charcoal: '#4d4e53',
  anthracite: '#3d3f44',
  graphite: '#55575c',
  slate: '#5d6872',
  steel: '#8693a0',
  smoke: '#a3a3a4',
  fog: '#c3c5c4',
  grey: '#9b9a97',
  gray: '#9b9a97',
  silver: '#c2c6c9',
  taupe: '#8f8377',
  navy: '#2f3f5f',
  midnight: '#24304d',
  indigo: '#39467a',
  blue: '#44699b',
  sky: '#9bbbd1',
  aqua: '#8fcdd0',
  turquoise: '#4aa3a0',
  petrol: '#1f5a66',
  lagoon: '#2b7c86',
  peacock: '#17626b',
  teal: '#2f7577',
  green: '#427a57',
  forest: '#2f5640',
  pine: '#33594a',
  bottle: '#22523f',
  emerald: '#1f7d5c',
  fern: '#5c8a56',
  moss: '#6f7a45',
  olive: '#757746',
  lichen: '#a3a886',
  khaki: '#8b8560',
  sage: '#a2b096',
  eucalyptus: '#8aa698',
  celadon: '#a9c7b0',
  mint: '#b5d8c4',
  lime: '#a8c455',
  yellow: '#e7c65a',
  sunflower: '#ecc04a',
  saffron: '#e2a52e',
  mustard: '#cb9a38',
  ochre: '#c38a35',
  honey: '#d49b3c',
  amber: '#cf8a2e',
  gold: '#c9a34d',
  brass: '#b9964f',
  orange: '#db8446',
  apricot: '#eab081',
  peach: '#f0b999',
  persimmon: '#d9653b',
  rust: '#af593b',
  copper: '#b06c49',
  terracotta: '#c47a5d',
  clay: '#b9765a',
  brick: '#a4503f',
  coral: '#e0796b',
  red: '#b8413c',
  poppy: '#cf4436',
  cinnabar: '#bb4430',
  cranberry: '#97303c',
  berry: '#84304a',
  burgundy: '#75323e',
  oxblood: '#5f2529',
  maroon: '#6b2630',
  wine: '#6a2436',
  pink: '#e2aab0',
  rose: '#c8828c',
  rosé: '#dea59b',
  plum: '#6a3a57',
  aubergine: '#48304a',
  fig: '#5c3a4e',
  purple: '#6b5184',
  violet: '#7a5fa3',
  lilac: '#b7a6cb',
  lavender: '#bcb1d6',
  brown: '#6f4e3a',
  cocoa: '#5d4032',
  chestnut: '#7b4630',
  cognac: '#a05a2c',
  walnut: '#6d4c35',
  rosewood: '#6e3b36',
  oak: '#bd9563',
  tan: '#bf9a71',
  camel: '#b98d5a',
};

/** The last word that names a colour counts: "dark sky blue" is a blue. Null for a colour that we do not know. */
export function colorDot(name: string): SafeHtml | null {
  const word = name
    .toLowerCase()
    .split(/[^a-zé]+/)
    .findLast((part) => Object.hasOwn(KNOWN, part));
  return word === undefined ? null : dot(KNOWN[word]!);
}

/** Where others have a dot: an empty place, which keeps the names in one line. */
export function noDot(): SafeHtml {
  return dot('none');
}

function dot(fill: string): SafeHtml {
  return html`<svg class="dot${fill === 'none' && ' dot-none'}" aria-hidden="true" viewBox="0 0 16 16" width="16" height="16"><circle cx="8" cy="8" r="7.5" fill="${fill}"/></svg>`;
}
