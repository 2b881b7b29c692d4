import { html, type SafeHtml } from '../../kernel/html.ts';
import type { Profile } from '../../modules/accounts/index.ts';
import type { Address } from '../../modules/accounts/schemas.ts';
import { NewOrder, ShippingAddress } from '../../modules/orders/schemas.ts';
import { COUNTRIES, countryName } from '../account/countries.ts';
import { type Fault, type Fields, judgeBy } from '../account/fields.ts';
import { field, select } from '../account/form.ts';

/** Where an order goes: asked for, judged and written. */

export const ADDRESS_LINES = [
  'line1',
  'line2',
  'city',
  'region',
  'postal_code',
  'country',
] as const satisfies (keyof Address)[];
type Name = 'name' | (typeof ADDRESS_LINES)[number] | 'note';

export const ORDER_FIELDS: Fields<Name> = {
  name: { label: 'Name', ask: 'the name of who receives it' },
  line1: { label: 'Street and number', ask: 'a street and number' },
  line2: { label: 'Second line of the address', ask: 'a flat or floor' },
  city: { label: 'City', ask: 'a city' },
  region: { label: 'State or region', ask: 'a region' },
  postal_code: { label: 'Postal code', ask: 'a postal code' },
  country: { label: 'Country', ask: 'a country', form: 'Choose a country from the list.' },
  note: { label: 'A note for us', ask: 'a note' },
};
export const ORDER_NAMES = Object.keys(ORDER_FIELDS) as Name[];
export type OrderForm = Record<Name, string>;

/** Programs may leave out more, but a parcel that somebody waits for needs these. */
const judge = judgeBy(
  {
    properties: { ...ShippingAddress.properties, note: NewOrder.properties.note },
    required: ['name', 'line1', 'city', 'country'],
  },
  ORDER_FIELDS,
);

export function judgeOrder(form: OrderForm): Fault[] {
  const faults = judge(form);
  const isUnknown = form.country !== '' && !COUNTRIES.some(([code]) => code === form.country);
  if (isUnknown && !faults.some((fault) => fault.field === 'country'))
    faults.push({ field: 'country', message: ORDER_FIELDS.country.form! });
  return faults;
}

/** The form as the profile would fill it in. */
export function formOf({ first_name, last_name, address }: Profile): OrderForm {
  const lines = ADDRESS_LINES.map((line) => [line, address?.[line] ?? ''] as const);
  return { name: `${first_name} ${last_name}`.trim(), note: '', ...Object.fromEntries(lines) } as OrderForm;
}

export function addressFields(form: OrderForm, faults: readonly Fault[] = []): SafeHtml {
  const input = (name: Name, autocomplete: string) =>
    field(
      { name, label: ORDER_FIELDS[name].label, value: form[name], autocomplete, optional: isOptional(name) },
      faults,
    );
  return html`${input('name', 'name')}
${input('line1', 'address-line1')}
${input('line2', 'address-line2')}
<div class="pair pair-uneven">${input('postal_code', 'postal-code')}${input('city', 'address-level2')}</div>
${input('region', 'address-level1')}
${select({ name: 'country', label: ORDER_FIELDS.country.label, value: form.country, autocomplete: 'country', options: [['', ''], ...COUNTRIES] }, faults)}`;
}

function isOptional(name: Name): boolean {
  return name === 'line2' || name === 'postal_code' || name === 'region';
}

/** An address as it is written on a parcel. */
export function addressLines(address: ShippingAddress): SafeHtml {
  const { name = '', line1, line2, postal_code, city, region, country } = address;
  const lines = [name, line1, line2, `${postal_code} ${city}`.trim(), region, country && countryName(country)];
  return html`<address class="address">${lines.filter(Boolean).map((line) => html`<span><bdi>${line}</bdi></span>`)}</address>`;
}
