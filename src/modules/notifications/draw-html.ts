import { html, type Renderable, type SafeHtml, styleSheet } from '../../kernel/html.ts';
import { type Block, type Cell, type Letterhead, type Table, textOf, type Words } from './templates/words.ts';

/**
 * The HTML of a message. Mail clients are not browsers: Outlook lays out by tables alone, Gmail drops style elements that
 * it does not like and turns colours round by itself. So everything that matters is said in attributes and inline styles;
 * the style element only adds the dark colours and the phone's tables where it is read. Nothing is fetched from
 * anywhere: no image, no font, nothing that tells when a message was opened.
 */

// Ink on warm paper, as in the shop. No pure white or black: clients that invert colours leave those glaring.
const PAPER = '#fbfaf8';
const INK = '#1c1b19';
const SOFT = '#686259';
const LINE = '#e3dfd6';
const ACCENT = '#1f5f4a';
const BAD = '#9a3412';

const SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const SERIF = "'Iowan Old Style','Palatino Linotype',Palatino,Georgia,'Times New Roman',serif";
const TEXT = `font-family:${SANS};font-size:16px;line-height:24px;color:${INK};overflow-wrap:break-word;word-break:break-word`;
const SMALL = `font-family:${SANS};font-size:14px;line-height:20px;color:${SOFT};overflow-wrap:break-word;word-break:break-word`;
const CELL = `font-family:${SANS};font-size:14px;line-height:20px;color:${INK};text-align:left;vertical-align:top;overflow-wrap:anywhere`;
/** Between rows; what comes after the last one brings its own. */
const RULE = `border-bottom:1px solid ${LINE};`;

const STYLES = styleSheet`
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .paper { background: #161513 !important; }
  .ink { color: #ece9e4 !important; }
  .soft { color: #a9a297 !important; }
  .line { border-color: #302d28 !important; }
  .accent { color: #7fc4a8 !important; }
  .bad { color: #f0a27c !important; }
  .fill { background: #7fc4a8 !important; }
  .on-fill { color: #10231c !important; }
}
@media (max-width: 520px) {
  .rows, .rows tbody, .rows tr, .rows td { display: block !important; width: auto !important; }
  .rows .head { display: none !important; }
  .rows tr { padding: 10px 0 !important; border-bottom: 1px solid rgba(128, 122, 112, 0.35) !important; }
  .rows .last { border-bottom: 0 !important; }
  .rows td { padding: 0 !important; border: 0 !important; white-space: normal !important; }
  .rows .title { font-size: 16px !important; line-height: 24px !important; font-weight: 700 !important; }
  .brief th { width: 60% !important; }
  .rows .name { display: inline !important; font-size: inherit !important; line-height: inherit !important; }
}
`;

/** About what a list of messages shows beside the subject. */
const PREVIEW_LENGTH = 140;
/** What follows a short preview would be shown after it, were it not for this. */
const NOTHING = '\u00a0\u200c'.repeat(80);

export function drawHtml({ subject, blocks, reason }: Words, { shop, publicUrl }: Letterhead): string {
  const first = blocks.find((block) => typeof block === 'string') ?? '';
  const body = html`<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${subject}</title>
${STYLES}
</head>
<body class="paper" bgcolor="${PAPER}" style="margin:0;padding:0;background:${PAPER};-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true">${[...first].slice(0, PREVIEW_LENGTH).join('')}${NOTHING}</div>
<table role="presentation" class="paper" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="${PAPER}" style="background:${PAPER}"><tr><td align="center" style="padding:24px 20px 40px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;margin:0 auto">
<tr><td class="line" align="left" style="padding:0 0 16px;border-bottom:1px solid ${LINE};font-family:${SERIF};font-size:20px;line-height:28px"><a class="ink" href="${publicUrl}" style="color:${INK};text-decoration:none">${shop}</a></td></tr>
<tr><td align="left" style="padding:28px 0 8px"><h1 class="ink" style="margin:0;font-family:${SERIF};font-size:26px;line-height:32px;font-weight:400;color:${INK};overflow-wrap:break-word;word-break:break-word">${subject}</h1></td></tr>
${blocks.map((block) => html`<tr><td align="left" style="padding:${spaceAbove(block)}px 0 8px">${drawBlock(block, publicUrl)}</td></tr>\n`)}
<tr><td style="padding:24px 0 0"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td class="line soft" align="left" style="padding:16px 0 0;border-top:1px solid ${LINE};${SMALL}">${reason && html`${linked(reason, publicUrl)}<br>`}${shop} · <a class="soft" href="${publicUrl}" style="color:${SOFT}">${publicUrl.replace(/^https?:\/\//, '')}</a></td></tr></table></td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body>
</html>
`;
  return `<!doctype html>\n${body}`;
}

function spaceAbove(block: Block): number {
  if (typeof block === 'string') return 8;
  return 'heading' in block ? 24 : 'button' in block ? 16 : 8;
}

function drawBlock(block: Block, publicUrl: string): SafeHtml {
  if (typeof block === 'string') return html`<p class="ink" style="margin:0;${TEXT}">${lines(block)}</p>`;
  if ('note' in block) return html`<p class="soft" style="margin:0;${SMALL}">${linked(block.note, publicUrl)}</p>`;
  if ('heading' in block)
    return html`<h2 class="ink" style="margin:0;font-family:${SERIF};font-size:20px;line-height:26px;font-weight:400;color:${INK}">${block.heading}</h2>`;
  if ('button' in block) return drawButton(block.button);
  if ('facts' in block) return drawFacts(block.facts);
  return drawTable(block.table);
}

/** The colour is the cell's, so that it is a button also where a link gets no padding; the address below can be copied. */
function drawButton({ label, url }: { label: string; url: string }): SafeHtml {
  return html`<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="fill" align="center" bgcolor="${ACCENT}" style="background:${ACCENT};border-radius:4px;mso-padding-alt:12px 24px"><a class="on-fill" href="${url}" style="display:inline-block;padding:12px 24px;font-family:${SANS};font-size:16px;line-height:20px;font-weight:600;color:${PAPER};text-decoration:none">${label}</a></td></tr></table>
<p class="soft" style="margin:12px 0 0;${SMALL}">Or open this address:<br><a class="accent" href="${url}" style="color:${ACCENT};word-break:break-all">${url}</a></p>`;
}

/** What is short stays in one line, so that long neighbours do not squeeze it into columns of letters. */
const SHORT = 16;

function drawFacts(facts: readonly (readonly [string, string])[]): SafeHtml {
  const areBrief = facts.every(([, value]) => value.length <= SHORT);
  return html`<table${areBrief && html` class="brief"`} width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse">${facts.map(
    ([name, value], i) => {
      const rule = i < facts.length - 1 && RULE;
      return html`<tr><th class="soft line" scope="row" width="34%" style="padding:8px 16px 8px 0;font-weight:400;${rule}${CELL};color:${SOFT}">${name}</th><td class="ink line" style="padding:8px 0;${rule}${CELL}">${lines(value)}</td></tr>`;
    },
  )}</table>`;
}

function drawTable({ head, rows }: Table): SafeHtml {
  const pad = (i: number) => (i === head.length - 1 ? '8px 0' : '8px 16px 8px 0');
  return html`<table class="rows" width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse">
<tr class="head">${head.map((name, i) => html`<th class="soft line" scope="col" style="padding:${pad(i)};font-weight:400;white-space:nowrap;${RULE}${CELL};color:${SOFT}">${name}</th>`)}</tr>
${rows.map(
  (row, at) =>
    html`<tr class="line${at === rows.length - 1 && ' last'}">${head.map((name, i) => {
      const cell = row[i] ?? '';
      const text = textOf(cell);
      const style = `padding:${pad(i)};${text.length <= SHORT ? 'white-space:nowrap;' : ''}${at < rows.length - 1 ? RULE : ''}${CELL}`;
      const named =
        i > 0 &&
        html`<span class="name soft" style="display:none;font-size:0;line-height:0;mso-hide:all;color:${SOFT}">${name}: </span>`;
      return html`<td class="ink line${i === 0 && ' title'}" style="${style}">${text !== '' && html`${named}${drawCell(cell)}`}</td>`;
    })}</tr>\n`,
)}</table>`;
}

function drawCell(cell: Cell): Renderable {
  const text = lines(textOf(cell));
  if (typeof cell === 'string') return text;
  if (cell.url !== undefined) return html`<a class="accent" href="${cell.url}" style="color:${ACCENT}">${text}</a>`;
  return cell.isBad ? html`<span class="bad" style="color:${BAD};font-weight:700">${text}</span>` : text;
}

function lines(text: string): readonly (SafeHtml | string)[] {
  return text.split('\n').flatMap((line, i) => (i === 0 ? [line] : [html`<br>`, line]));
}

/** Only the shop's own addresses become links: what else looks like one may be somebody's name for a thing. */
function linked(text: string, publicUrl: string): readonly (SafeHtml | string)[] {
  return text.split(/(https?:\/\/\S*[\w/])/).flatMap((part) => {
    const isOwn = part === publicUrl || part.startsWith(`${publicUrl}/`);
    return isOwn ? html`<a class="soft" href="${part}" style="color:${SOFT}">${part}</a>` : lines(part);
  });
}
