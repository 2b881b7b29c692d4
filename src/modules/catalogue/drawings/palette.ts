/**
 * The colours of the drawn product pictures. The four tones of a colour were worked out in OKLCH from its first (shade
 * −0.085 lightness, light +0.075, deep −0.2) and then set by eye, so that every object is lit alike.
 */

export type Tones = {
  /** The thing itself. */
  readonly base: string;
  /** Its side away from the light. */
  readonly shade: string;
  /** Its lit side. */
  readonly light: string;
  /** Inside it: openings, soles, the back of a collar. */
  readonly deep: string;
  /** Seams, folds and rims; lighter than the thing where the thing is dark. */
  readonly line: string;
};

function tones(base: string, shade: string, light: string, deep: string, line = deep): Tones {
  return Object.freeze({ base, shade, light, deep, line });
}

const COLORS = {
  white: tones('#f3efe7', '#d6d1c8', '#fefcf8', '#b9b1a4', '#9c9384'),
  cream: tones('#e8dcc3', '#cdbfa3', '#f4ecdd', '#a3967c', '#8d8066'),
  black: tones('#323134', '#1e1d1f', '#4c4b4f', '#141315', '#77757a'),
  charcoal: tones('#4d4e53', '#37383c', '#67686d', '#292a2e', '#85868b'),
  grey: tones('#9b9a97', '#81807d', '#b4b3b0', '#605f5c'),
  silver: tones('#c2c6c9', '#a2a7ab', '#e0e3e5', '#7c8185', '#6d7276'),
  navy: tones('#2f3f5f', '#1c2a48', '#4a5a79', '#121d38', '#6f7f9e'),
  blue: tones('#44699b', '#2d5184', '#6285b3', '#1c3a64'),
  sky: tones('#9bbbd1', '#80a1b7', '#b8d5e8', '#5e7e93'),
  teal: tones('#2f7577', '#155c5e', '#4e8e90', '#0c4446'),
  green: tones('#427a57', '#2a6243', '#5d9370', '#17472d'),
  olive: tones('#757746', '#5d5f2f', '#8e9062', '#43451b'),
  sage: tones('#a2b096', '#88967b', '#bbc8b0', '#66745a'),
  yellow: tones('#e7c65a', '#cda93a', '#f7dc85', '#9a7a1c'),
  mustard: tones('#cb9a38', '#ae7f1c', '#dfb35f', '#845c0c'),
  orange: tones('#db8446', '#c06a2b', '#eda06b', '#954a14'),
  rust: tones('#af593b', '#933f22', '#c47659', '#6c2a13'),
  terracotta: tones('#c47a5d', '#a96042', '#d89579', '#834328'),
  red: tones('#b8413c', '#992725', '#cc605a', '#741616'),
  burgundy: tones('#75323e', '#5a1d2a', '#8e4c57', '#45121d', '#a2666f'),
  pink: tones('#e2aab0', '#ca8f95', '#f4c5ca', '#a36c73'),
  rose: tones('#c8828c', '#ae6772', '#dc9ca5', '#894652'),
  purple: tones('#6b5184', '#533a6b', '#836b9b', '#38214e', '#9d87b3'),
  lilac: tones('#b7a6cb', '#9d8bb1', '#cdbfdf', '#7a6a8e'),
  brown: tones('#6f4e3a', '#563826', '#866753', '#3c2314', '#9d8069'),
  tan: tones('#bf9a71', '#a58056', '#d4b28e', '#7f5d36'),
  gold: tones('#c9a34d', '#a98330', '#e3c57f', '#83611a'),
} as const satisfies Record<string, Tones>;

export type ColorKey = keyof typeof COLORS;

export const COLOR_KEYS = Object.freeze(Object.keys(COLORS)) as readonly ColorKey[];

export function isColorKey(text: string): text is ColorKey {
  return Object.hasOwn(COLORS, text);
}

export function tonesOf(color: ColorKey): Tones {
  return COLORS[color];
}

/** What stands beside a thing in an arrangement: the two colours of a collection that go with its own. */
const COMPANIONS: Readonly<Record<ColorKey, readonly [ColorKey, ColorKey]>> = {
  white: ['sage', 'terracotta'],
  cream: ['rust', 'olive'],
  black: ['cream', 'grey'],
  charcoal: ['cream', 'mustard'],
  grey: ['white', 'navy'],
  silver: ['navy', 'white'],
  navy: ['cream', 'rust'],
  blue: ['white', 'mustard'],
  sky: ['cream', 'navy'],
  teal: ['cream', 'terracotta'],
  green: ['cream', 'mustard'],
  olive: ['cream', 'rust'],
  sage: ['white', 'terracotta'],
  yellow: ['white', 'blue'],
  mustard: ['cream', 'navy'],
  orange: ['cream', 'teal'],
  rust: ['cream', 'sage'],
  terracotta: ['cream', 'sage'],
  red: ['cream', 'navy'],
  burgundy: ['cream', 'rose'],
  pink: ['cream', 'burgundy'],
  rose: ['cream', 'burgundy'],
  purple: ['cream', 'lilac'],
  lilac: ['white', 'purple'],
  brown: ['cream', 'tan'],
  tan: ['cream', 'brown'],
  gold: ['cream', 'burgundy'],
};

export function companionsOf(color: ColorKey): readonly [ColorKey, ColorKey] {
  return COMPANIONS[color];
}

/** A ground has a pale tone, and a deeper one on which pale things still stand out. */
const GROUNDS = {
  sand: { pale: '#eae1d3', deep: '#d4c6b0' },
  blush: { pale: '#eedfd8', deep: '#d9c0b5' },
  mist: { pale: '#dfe5e4', deep: '#bccacc' },
  moss: { pale: '#e1e5d8', deep: '#bfc8b1' },
  stone: { pale: '#e5e2dd', deep: '#c8c3bb' },
  butter: { pale: '#f0e6cd', deep: '#dccca3' },
  dusk: { pale: '#e0e1e9', deep: '#bfc2d2' },
  clay: { pale: '#ead9cb', deep: '#d2b59e' },
  heather: { pale: '#e7e0e7', deep: '#cabecd' },
  sea: { pale: '#d9e5e2', deep: '#b3cac4' },
} as const;

export type GroundKey = keyof typeof GROUNDS;

export const GROUND_KEYS = Object.freeze(Object.keys(GROUNDS)) as readonly GroundKey[];

export function isGroundKey(text: string): text is GroundKey {
  return Object.hasOwn(GROUNDS, text);
}

/** The ground of a thing that names none: warm under cool colours and the other way about. */
const GROUND_OF: Readonly<Record<ColorKey, GroundKey>> = {
  white: 'sand',
  cream: 'moss',
  black: 'stone',
  charcoal: 'butter',
  grey: 'blush',
  silver: 'dusk',
  navy: 'sand',
  blue: 'butter',
  sky: 'sand',
  teal: 'blush',
  green: 'butter',
  olive: 'sand',
  sage: 'clay',
  yellow: 'mist',
  mustard: 'stone',
  orange: 'mist',
  rust: 'sea',
  terracotta: 'moss',
  red: 'stone',
  burgundy: 'blush',
  pink: 'stone',
  rose: 'sand',
  purple: 'heather',
  lilac: 'butter',
  brown: 'sand',
  tan: 'mist',
  gold: 'heather',
};

const PALE_THINGS: ReadonlySet<ColorKey> = new Set([
  'white',
  'cream',
  'silver',
  'sky',
  'pink',
  'yellow',
  'lilac',
  'sage',
]);

export function groundFor(color: ColorKey, ground: GroundKey | undefined): string {
  return GROUNDS[ground ?? GROUND_OF[color]][PALE_THINGS.has(color) ? 'deep' : 'pale'];
}
