import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { FieldError } from '../../kernel/errors.ts';
import { isCountry, type Profile } from '../accounts/index.ts';
import { type NewOrder, NOTE_LENGTH, ShippingAddress } from './schemas.ts';

/** What a customer says of a delivery: where it goes, and a note. Forms come here without having passed the API's schema. */

type Read<T> = { value: T; faults: FieldError[] };

const FIELDS = ['name', 'line1', 'line2', 'city', 'region', 'postal_code', 'country'] as const;
/** Without these nothing finds its way. */
const NEEDED = ['line1', 'city'] as const;

/**
 * Where it goes: what was given, or else what the profile says, if it says enough; null when neither does. Whoever
 * receives it is the customer, unless another name was given.
 */
export function readAddress(
  given: NewOrder['shipping_address'],
  { first_name, last_name, address }: Pick<Profile, 'first_name' | 'last_name' | 'address'>,
): Read<ShippingAddress | null> {
  const name = `${first_name} ${last_name}`.trim();
  if (!given)
    return {
      value: address && NEEDED.every((field) => address[field] !== '') ? { name, ...address } : null,
      faults: [],
    };
  const value = Object.fromEntries(
    FIELDS.map((field) => [field, given[field]?.trim() ?? '']),
  ) as Required<ShippingAddress>;
  const faults = FIELDS.flatMap((field) => {
    const message = faultOf(field, value[field]);
    return message === null ? [] : [{ path: `shipping_address.${field}`, message }];
  });
  return { value: { ...value, name: value.name || name }, faults };
}

function faultOf(field: (typeof FIELDS)[number], text: string): string | null {
  if (text === '') return (NEEDED as readonly string[]).includes(field) ? 'is required' : null;
  if (field === 'country') return isCountry(text) ? null : 'must be the two letters of a country, such as DE';
  const schema: { maxLength?: number } & TSchema = ShippingAddress.properties[field];
  return Value.Check(schema, text) ? null : `must be one line of at most ${schema.maxLength} characters`;
}

/** Without what surrounds it, its line breaks as one character each. */
export function readNote(given: string | undefined): Read<string> {
  const text = (given ?? '').replace(/\r\n?/g, '\n');
  const value = text.trim();
  const messages = [
    ...(/(?!\n)[\p{Cc}\p{Cs}]/u.test(text) ? ['must not hold control characters other than line breaks'] : []),
    ...(Array.from(value).length > NOTE_LENGTH ? [`must not be longer than ${NOTE_LENGTH} characters`] : []),
  ];
  return { value, faults: messages.map((message) => ({ path: 'note', message })) };
}
