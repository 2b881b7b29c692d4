import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import {
  DRAWING_COLORS,
  DRAWING_GROUNDS,
  DRAWING_KINDS,
  type Drawing,
  drawingKey,
  drawSvg,
  parseDrawingKey,
} from './index.ts';

const VIEWS = [1, 2, 3] as const;

const ELEMENTS = [
  'svg',
  'defs',
  'g',
  'path',
  'rect',
  'circle',
  'ellipse',
  'linearGradient',
  'radialGradient',
  'stop',
  'filter',
  'feDropShadow',
];

/** What stands in the document: names of elements and attributes, ids, and what is referred to. Throws if malformed. */
function read(svg: string) {
  const elements = new Set<string>();
  const attributes = new Set<string>();
  const ids: string[] = [];
  const references = new Set<string>();
  let text = '';
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('text', (part) => {
    text += part;
  });
  parser.on('opentag', (tag) => {
    elements.add(tag.name);
    expect(tag.uri).toBe('http://www.w3.org/2000/svg');
    for (const { name, value } of Object.values(tag.attributes)) {
      attributes.add(name);
      if (name === 'id') ids.push(value);
      const reference = /url\((.*)\)/.exec(value)?.[1];
      if (reference !== undefined) references.add(reference);
      if (name !== 'xmlns') expect(value).not.toMatch(/:|NaN|undefined|Infinity/);
    }
  });
  parser.write(svg).close();
  return { elements, attributes, ids, references, text };
}

/** Each kind in each view, the colours and grounds taking turns. */
const SAMPLES: Drawing[] = DRAWING_KINDS.flatMap((kind, i) =>
  VIEWS.map((view) => ({
    kind,
    view,
    color: DRAWING_COLORS[(i * 3 + view) % DRAWING_COLORS.length]!,
    ground: view === 1 ? undefined : DRAWING_GROUNDS[(i + view) % DRAWING_GROUNDS.length],
  })),
);

describe('drawSvg', () => {
  test('there is enough to draw', () => {
    expect(DRAWING_KINDS.length).toBeGreaterThanOrEqual(50);
    expect(DRAWING_COLORS.length).toBeGreaterThanOrEqual(24);
    expect(new Set(DRAWING_KINDS).size).toBe(DRAWING_KINDS.length);
  });

  test.each(SAMPLES.map((drawing) => [drawingKey(drawing), drawing] as const))(
    '%s is well-formed, and refers to nothing but itself',
    (_key, drawing) => {
      const { elements, attributes, ids, references, text } = read(drawSvg(drawing));
      expect([...elements].filter((name) => !ELEMENTS.includes(name))).toEqual([]);
      expect([...attributes].filter((name) => /^on|href|style|class|src/i.test(name))).toEqual([]);
      expect(new Set(ids).size).toBe(ids.length);
      expect([...references].filter((reference) => !ids.includes(reference.slice(1)))).toEqual([]);
      expect(text).toBe('');
    },
  );

  test('every kind in every colour and view is whole and at most 4 kB', () => {
    const faults: string[] = [];
    for (const kind of DRAWING_KINDS) {
      for (const color of DRAWING_COLORS) {
        for (const view of VIEWS) {
          const drawing = { kind, color, view, ground: 'heather' } as const;
          const svg = drawSvg(drawing);
          if (Buffer.byteLength(svg) > 4096) faults.push(`${drawingKey(drawing)} has ${svg.length} bytes`);
          if (/NaN|undefined|Infinity/.test(svg)) faults.push(`${drawingKey(drawing)} has a number that is none`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test('the same drawing gives the same bytes, another colour or view others', () => {
    const mug: Drawing = { kind: 'mug', color: 'teal', view: 1 };
    expect(drawSvg(mug)).toBe(drawSvg({ ...mug }));
    expect(drawSvg({ ...mug, color: 'rust' })).not.toBe(drawSvg(mug));
    expect(new Set(VIEWS.map((view) => drawSvg({ ...mug, view }))).size).toBe(3);
  });

  test('two drawings in one page do not share the names of their gradients', () => {
    const idsOf = (color: 'teal' | 'rust') => read(drawSvg({ kind: 'mug', color, view: 1 })).ids;
    expect(idsOf('teal').filter((id) => idsOf('rust').includes(id))).toEqual([]);
  });

  test('a pale thing stands on a deeper tone of its ground than a dark one', () => {
    const wall = (color: 'white' | 'navy') =>
      /<\/defs><rect[^>]*fill="([^"]*)"/.exec(drawSvg({ kind: 'mug', color, view: 1, ground: 'sand' }))?.[1];
    expect(wall('white')).toBe('#d4c6b0');
    expect(wall('navy')).toBe('#eae1d3');
  });
});

describe('keys', () => {
  test('every drawing comes back from its key', () => {
    for (const drawing of SAMPLES) expect(parseDrawingKey(drawingKey(drawing))).toEqual(drawing);
    expect(drawingKey({ kind: 'mug', color: 'teal', view: 1 })).toBe('mug.teal.1');
    expect(drawingKey({ kind: 'phone-case', color: 'red', view: 3, ground: 'sea' })).toBe('phone-case.red.3.sea');
  });

  test('every key is fit for a URL and a file name', () => {
    for (const drawing of SAMPLES) expect(drawingKey(drawing)).toMatch(/^[a-z.\-123]+$/);
  });

  test.each([
    '',
    'mug',
    'mug.teal',
    'mug.teal.',
    'mug.teal.0',
    'mug.teal.4',
    'mug.teal.01',
    'mug.teal.1.',
    'mug.teal.1.sand.',
    'mug.teal.1.sand.x',
    'mug.teal.1.sand.x.y',
    'mug.teal.1.nowhere',
    'mug.teal.1\n',
    ' mug.teal.1',
    'Mug.teal.1',
    'mug.TEAL.1',
    'mug.teal.１',
    'mug.#fff.1',
    '../../etc/passwd',
    '..%2f.teal.1',
    'constructor.teal.1',
    '__proto__.teal.1',
    'mug.constructor.1',
    'mug.__proto__.1',
    'mug.teal.1.toString',
    'mug.teal.1.__proto__',
    '<script>.teal.1',
    'mug.teal"onload="alert(1).1',
    `mug.teal.${'1'.repeat(100_000)}`,
  ])('%j is the key of nothing', (key) => {
    expect(parseDrawingKey(key)).toBeNull();
  });
});
