/**
 * HTML to plain text in one pass. It is no sanitiser and need not be one: what comes out is text, which pages escape as
 * they escape any other. Only names of HTML elements count as tags, so that `<3 cm` or `<unknown>` stays.
 */

/** How a tag breaks the text: a blank line, the end of a line, a space, not at all. */
type Break = '\n\n' | '\n' | ' ' | '';
const TAGS = new Map<string, Break>();
const put = (text: Break, names: string) => {
  for (const name of names.split(' ')) TAGS.set(name, text);
};
put('\n\n', 'p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre section article header footer hr');
put('\n', 'br div li dt dd tr thead tbody tfoot caption figure figcaption address center form fieldset option');
put(' ', 'td th');
put('', 'a abbr acronym b bdi bdo big body button cite code col colgroup data del dfn em font head html i iframe img');
put('', 'input ins kbd label link main map mark meta nav o:p object param picture q s samp select small source span');
put('', 'strike strong sub summary details sup svg path time title tt u var video audio wbr noscript script style');

const TAG = /<(\/?)([a-z][a-z\d:]*)(?:[\s/][^<>]*)?>|<!--/iy;

/** The text of `html`, with line breaks where blocks end and list items marked; entities are left as they are. */
export function htmlToText(html: string): string {
  const parts: string[] = [];
  let copied = 0;
  let atLineStart = true;
  // Ends of contents to leave out that were once looked for in vain: looking again each time would be quadratic.
  const missing = new Set<string>();
  const find = (end: string, from: number): number => {
    const at = missing.has(end) ? -1 : indexOfIgnoringCase(html, end, from);
    if (at < 0) missing.add(end);
    return at;
  };
  const append = (piece: string): void => {
    const trimmed = piece.trimEnd();
    if (trimmed === '') {
      if (piece !== '' && !atLineStart) parts.push(' ');
      return;
    }
    parts.push(piece);
    atLineStart = piece.includes('\n', trimmed.length);
  };

  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at)) {
    TAG.lastIndex = at;
    const match = TAG.exec(html);
    const name = match?.[2]?.toLowerCase();
    const isComment = match !== null && name === undefined;
    const lineBreak = name === undefined ? '' : TAGS.get(name);
    const commentEnd = isComment ? find('-->', at + 4) : -1;
    if (!match || lineBreak === undefined || (isComment && commentEnd < 0)) {
      at += 1;
      continue;
    }
    append(html.slice(copied, at));
    const opening = match[1] === '';
    const isWanted = lineBreak === ' ' || name === 'br' ? opening : lineBreak === '\n\n' || !atLineStart;
    if (isWanted) parts.push(lineBreak);
    if (lineBreak.startsWith('\n')) atLineStart = true;
    if (name === 'li' && opening) parts.push('• ');
    at = isComment ? commentEnd + 3 : at + match[0].length;
    if (opening && (name === 'script' || name === 'style')) {
      const end = find(`</${name}`, at);
      if (end >= 0) at = end;
    }
    copied = at;
  }
  if (copied === 0) return html;
  append(html.slice(copied));
  const lines = parts.join('').split('\n');
  const trimmed = lines.map((line) => line.trim()).join('\n');
  return trimmed.replace(/\n{3,}/g, '\n\n').trim();
}

function indexOfIgnoringCase(text: string, word: string, from: number): number {
  const pattern = new RegExp(word, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}
