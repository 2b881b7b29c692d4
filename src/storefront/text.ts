/** Descriptions, which the catalogue keeps as plain text, as paragraphs and lists. */

export type Block = { list: string[] } | { text: string };

const BULLET = /^[-•*·–✔✓►▪]\s+/;

/** Paragraphs, and lists where each line begins with a bullet. A paragraph keeps its line breaks. */
export function blocks(text: string): Block[] {
  const made: Block[] = [];
  let before = '';
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\s+/g, ' ').trim();
    const last = made.at(-1);
    if (BULLET.test(line)) {
      const item = line.replace(BULLET, '');
      if (last && 'list' in last) last.list.push(item);
      else made.push({ list: [item] });
    } else if (line !== '') {
      if (last && 'text' in last && before !== '') last.text += `\n${line}`;
      else made.push({ text: line });
    }
    before = line;
  }
  return made;
}

/** The beginning of a text in one line, cut between words. */
export function excerpt(text: string, max: number): string {
  const line = text
    .slice(0, max * 2)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= max) return line;
  const cut = line.slice(0, max - 1).toWellFormed();
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), max / 2)).trimEnd()}…`;
}
