import { type Block, type Letterhead, type Table, textOf, type Words } from './templates/words.ts';

/** The text of a message, for those who read no HTML: lines of at most 72 characters, but for addresses, which stay whole. */

const WIDTH = 72;

export function drawText({ blocks, reason }: Words, { shop, publicUrl }: Letterhead): string {
  const body = blocks.map(drawBlock);
  // Mail clients take what follows such a line for the sender's signature (RFC 3676, 4.3).
  const end = ['-- ', ...(reason ? [wrap(reason)] : []), shop, publicUrl].join('\n');
  return `${[...body, end].join('\n\n')}\n`;
}

function drawBlock(block: Block): string {
  if (typeof block === 'string') return wrap(block);
  if ('note' in block) return wrap(block.note);
  if ('heading' in block) return `${wrap(block.heading)}\n${'-'.repeat(Math.min(WIDTH, lengthOf(block.heading)))}`;
  if ('button' in block) return `${block.button.label}:\n${block.button.url}`;
  if ('facts' in block) return block.facts.map(fact).join('\n');
  return drawTable(block.table);
}

function fact([name, value]: readonly [string, string]): string {
  return wrap(`${name}: ${value}`, '  ');
}

function drawTable({ head, rows: cells }: Table): string {
  const rows = cells.map((row) => row.map(textOf));
  const widths = head.map((name, i) => Math.max(...[name, ...rows.map((row) => row[i] ?? '')].map(lengthOf)));
  const isOneLineEach = rows.every((row) => row.every((cell) => !cell.includes('\n')));
  if (isOneLineEach && widths.reduce((sum, width) => sum + width + 2, -2) <= WIDTH) {
    const line = (cells: readonly string[]) =>
      widths
        .map((width, i) => (cells[i] ?? '') + ' '.repeat(width - lengthOf(cells[i] ?? '')))
        .join('  ')
        .trimEnd();
    return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
  }
  return rows
    .map((row) =>
      head
        .map((name, i) => [name, row[i] ?? ''] as const)
        .filter(([, value]) => value !== '')
        .map(fact)
        .join('\n'),
    )
    .join('\n\n');
}

const lengthOf = (text: string) => [...text].length;

/** Breaks between words; an address of the web gets a line of its own, so that it can be clicked and copied. */
function wrap(text: string, indent = ''): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    let isAddress = false;
    const first = lines.length === 0;
    for (const word of paragraph.split(/ +/).filter(Boolean)) {
      const starts = /^https?:\/\//.test(word);
      const begin = lines.length === 0 && first ? '' : indent;
      if (line === '') line = begin + word;
      else if (starts || isAddress || lengthOf(line) + 1 + lengthOf(word) > WIDTH) {
        lines.push(line);
        line = indent + word;
      } else line += ` ${word}`;
      isAddress = starts;
    }
    lines.push(line);
  }
  return lines.join('\n');
}
