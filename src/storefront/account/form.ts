import { html, type SafeHtml } from '../../kernel/html.ts';
import type { Fault } from './fields.ts';

/**
 * Forms after GOV.UK's: a label above each field, what is optional says so, and what is wrong stands at its field and once
 * more in a summary at the top that takes the focus. Browsers are told not to judge: their bubbles know neither the
 * shop's rules nor its words.
 */

export type FieldShape = {
  name: string;
  label: string;
  type?: 'text' | 'email' | 'password' | 'tel' | 'date';
  value?: string;
  hint?: string;
  /** The name by which browsers and password managers fill it in (HTML standard, 4.10.18.7). */
  autocomplete: string;
  /** Left unsaid where the form says it once for all. */
  optional?: boolean | 'unsaid';
  inputmode?: 'numeric';
  focus?: boolean;
};

export function field(shape: FieldShape, faults: readonly Fault[] = []): SafeHtml {
  const { name, type = 'text', value = '', autocomplete, inputmode, focus } = shape;
  // What is no prose is neither corrected nor capitalised by a phone's keyboard.
  const verbatim = type !== 'text' || autocomplete === 'username' || autocomplete === 'one-time-code';
  return framed(
    shape,
    faults,
    (common) =>
      html`<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"${common}${verbatim && html` autocapitalize="none" spellcheck="false"`}${inputmode && html` inputmode="${inputmode}"`}${focus && html` autofocus`}>`,
  );
}

type SelectShape = Pick<FieldShape, 'name' | 'label' | 'value' | 'hint' | 'autocomplete' | 'optional'> & {
  options: readonly (readonly [value: string, text: string])[];
};

export function select(shape: SelectShape, faults: readonly Fault[] = []): SafeHtml {
  const { name, value = '', autocomplete, options } = shape;
  return framed(
    shape,
    faults,
    (common) =>
      html`<select id="${name}" name="${name}" autocomplete="${autocomplete}"${common}>${options.map(([option, text]) => html`<option value="${option}"${option === value && html` selected`}>${text}</option>`)}</select>`,
  );
}

type TextShape = Pick<FieldShape, 'name' | 'label' | 'value' | 'hint' | 'optional'> & { maxLength: number };

/** For more than a line. */
export function textarea(shape: TextShape, faults: readonly Fault[] = []): SafeHtml {
  const { name, value = '', maxLength } = shape;
  return framed(
    shape,
    faults,
    (common) =>
      // A line break right after the tag would be dropped (HTML standard, 13.1.2.5).
      html`<textarea id="${name}" name="${name}" rows="3" maxlength="${maxLength}"${common}>\n${value}</textarea>`,
  );
}

/** A field with its label above and its fault beside; `input` gets the attributes that tie them together. */
function framed(
  { name, label, hint, optional }: Pick<FieldShape, 'name' | 'label' | 'hint' | 'optional'>,
  faults: readonly Fault[],
  input: (common: SafeHtml) => SafeHtml,
): SafeHtml {
  const fault = faults.find((one) => one.field === name);
  const described = [hint && `${name}-hint`, fault && `${name}-fault`].filter(Boolean).join(' ');
  return html`<div class="field${fault && ' field-wrong'}">
<label for="${name}">${label}${optional === true && html` <span class="optional">(optional)</span>`}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${fault && html`<p class="field-fault" id="${name}-fault"><span class="visually-hidden">Error:</span> ${fault.message}</p>`}
${input(html`${!optional && html` required`}${fault && html` aria-invalid="true"`}${described && html` aria-describedby="${described}"`}`)}
</div>`;
}

export function checkbox(shape: { name: string; label: string; hint?: string; checked: boolean }): SafeHtml {
  const { name, label, hint, checked } = shape;
  return html`<div class="check">
<input id="${name}" name="${name}" type="checkbox" value="on"${checked && html` checked`}${hint && html` aria-describedby="${name}-hint"`}>
<label for="${name}">${label}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
</div>`;
}

export function hidden(name: string, value: string | null): SafeHtml | false {
  return value !== null && html`<input type="hidden" name="${name}" value="${value}">`;
}

/** What is wrong, with a way to each field. */
export function summary(faults: readonly Fault[]): SafeHtml | false {
  if (faults.length === 0) return false;
  return html`<div class="summary" role="alert" tabindex="-1" autofocus>
<h2>${faults.length === 1 ? 'There is a problem' : 'There are problems'}</h2>
<ul>${faults.map(({ field, message }) => html`<li>${field === null ? message : html`<a href="#${field}">${message}</a>`}</li>`)}</ul>
</div>`;
}
