import { drawHtml } from './draw-html.ts';
import { drawText } from './draw-text.ts';
import type { Block, Letterhead, Words } from './templates/words.ts';

/** A message as it is sent: both parts say the same. */
export type Drawn = { subject: string; html: string; text: string };

/** Lists of messages show less than half of this. */
const SUBJECT_LENGTH = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Throws for a button or a link whose address is none of the web: no template has such a one. */
export function draw(words: Words, letterhead: Letterhead): Drawn {
  const clean: Words = mapTexts(words, (text) => text.replace(/\r\n?/g, '\n').replace(CONTROL, ' ').toWellFormed());
  const subject = oneLine(clean.subject, SUBJECT_LENGTH);
  for (const block of clean.blocks)
    for (const url of addressesOf(block))
      if (!/^https?:\/\/\S+$/.test(url)) throw new Error(`A button or link of the message “${subject}” leads nowhere.`);
  const message = { ...clean, subject };
  return { subject, html: drawHtml(message, letterhead), text: drawText(message, letterhead) };
}

function addressesOf(block: Block): string[] {
  if (typeof block === 'string') return [];
  if ('button' in block) return [block.button.url];
  if (!('table' in block)) return [];
  return block.table.rows
    .flat()
    .flatMap((cell) => (typeof cell === 'object' && cell.url !== undefined ? cell.url : []));
}

/** A text without line breaks, which in a header would begin another one, and not longer than that. */
function oneLine(text: string, max: number): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length <= max ? characters.join('') : `${characters.slice(0, max - 1).join('')}…`;
}

function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)])) as T;
}
