/**
 * HTML that escapes by default. What `html` interpolates is text, whoever wrote it, unless it is itself the work of
 * `html`: only this file can make a Safe, so no string becomes markup by mistake, and there is no way to ask for it.
 */

class Safe {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}
export type SafeHtml = Safe;

export type Renderable = SafeHtml | string | number | null | undefined | false | readonly Renderable[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeText(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => ESCAPES[character]!) : text;
}

function render(value: Renderable): string {
  if (typeof value === 'string') return escapeText(value);
  if (value instanceof Safe) return value.text;
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'number') return String(value);
  let text = '';
  for (const part of value) text += render(part);
  return text;
}

/** For each template, which of its values stand inside a tag but outside quotes. */
const bareSlots = new WeakMap<TemplateStringsArray, boolean[]>();

/**
 * Escaping makes text safe between tags and inside quotes, and nowhere else. Looked at once for each template: refuses
 * what could never be right, and finds the slots that only markup of `html`'s own, such as ` selected`, may fill.
 */
function inspect(strings: TemplateStringsArray): boolean[] {
  const bare: boolean[] = [];
  let state: 'text' | 'tag' | '"' | "'" = 'text';
  for (const part of strings.slice(0, -1)) {
    for (let i = 0; i < part.length; i++) {
      const character = part[i]!;
      if (state === 'text') {
        if (character === '<' && /[a-z!/]/i.test(part[i + 1] ?? '')) state = 'tag';
      } else if (state === 'tag') {
        if (character === '>') state = 'text';
        else if (character === '"' || character === "'") state = character;
      } else if (character === state) {
        state = 'tag';
      }
    }
    if (/\s[\w:-]+=\s*$/.test(part)) throw new Error(`An attribute without quotes in a template: …${part.slice(-40)}`);
    if (/<\/?$/.test(part)) throw new Error(`A tag's name out of a value: …${part.slice(-40)}`);
    bare.push(state === 'tag');
  }
  if (/<(script|style)[^>]*>[^<]/i.test(strings.join(''))) throw new Error('Script and style belong into files.');
  bareSlots.set(strings, bare);
  return bare;
}

/** Markup with every value escaped; arrays are joined; null, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...values: Renderable[]): SafeHtml {
  const bare = bareSlots.get(strings) ?? inspect(strings);
  let text = strings[0]!;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (bare[i] && value && !(value instanceof Safe))
      throw new Error(`Text among the attributes of a tag: …${strings[i]!.slice(-40)}`);
    text += render(value) + strings[i + 1]!;
  }
  return new Safe(text);
}

/**
 * A block of JSON-LD. Inside `script` a browser decodes no entities, so `<`, `>` and `&` are written as JSON escapes:
 * no value can end the element or open a comment (HTML standard, 4.12.1.3).
 */
export function jsonLd(data: unknown): SafeHtml {
  const escapes: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };
  const text = JSON.stringify(data).replace(/[<>&]/g, (character) => escapes[character]!);
  return new Safe(`<script type="application/ld+json">${text}</script>`);
}

/**
 * A style element, for documents that stand alone, such as a message that a mail client shows. It takes no values: in a
 * style sheet escaping would not help.
 */
export function styleSheet(strings: TemplateStringsArray, ...none: never[]): SafeHtml {
  const [text = ''] = strings;
  if (none.length > 0 || text.includes('<')) throw new Error('A style sheet is text that stands in the program.');
  return new Safe(`<style>${text}</style>`);
}
