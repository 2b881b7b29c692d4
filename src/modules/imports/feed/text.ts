/**
 * Texts of a feed as this shop keeps them: plain text, without control characters. Many exporters escape twice
 * (`&amp;#039;`, `&amp;lt;br&amp;gt;`) or put HTML into descriptions, so both are undone until nothing is left to undo:
 * what comes out goes in again unchanged, and an export imports without a difference.
 */
import { entityText } from './entities.ts';
import { htmlToText } from './html.ts';

/** Control characters but tab and line ends, and code points that are never characters. */
const UNWANTED = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff\p{Cs}]/gu;
/** Finds whatever UNWANTED does, and surrogate pairs, in a third of the time. */
const SUSPECT = /[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufffd]/;
/** `&amp;` any number of times, with or without an entity behind it. */
const ENTITY = /&(?:(?:amp|#38|#x26);)*(?:#(\d{1,7});|#x([\da-f]{1,6});|([a-z][a-z\d]{1,31});)?/gi;
/** Far more than anything that is not contrived; one pass takes any number of escapings of one entity. */
const MAX_PASSES = 100;

/** The text without control characters, its white space collapsed to single spaces. */
export function singleLine(text: string): string {
  return isTidyAscii(text) ? text : withoutControls(text).replace(/\s+/g, ' ').trim();
}

/** Whether there is nothing to do on one line: the usual case, and a loop is several times as fast as expressions. */
function isTidyAscii(text: string): boolean {
  let previous = 32;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code > 126 || (code === 32 && previous === 32)) return false;
    previous = code;
  }
  return previous !== 32;
}

/** A name as plain text on one line: `L&#039;eau` (as XML left it) is `L'eau`. Tags stay, as text. */
export function plainLine(text: string): string {
  return text.includes('&') ? untilStable(text, (t) => singleLine(decodeEntities(t))) : singleLine(text);
}

/** A description as plain text: HTML becomes line breaks, the white space of plain text stays. */
export function plainText(text: string): string {
  const plain = /[<&]/.test(text)
    ? untilStable(text, (t) => withoutControls(decodeEntities(htmlToText(t))))
    : withoutControls(text);
  return (plain.includes('\r') ? plain.replace(/\r\n?/g, '\n') : plain).trim();
}

function withoutControls(text: string): string {
  return SUSPECT.test(text) ? text.replace(UNWANTED, '') : text;
}

function untilStable(text: string, change: (text: string) => string): string {
  let result = text;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = change(result);
    if (next === result) break;
    result = next;
  }
  return result;
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(ENTITY, (_match, decimal?: string, hex?: string, name?: string) =>
    decimal === undefined && hex === undefined && name === undefined ? '&' : entityText(decimal, hex, name),
  );
}
