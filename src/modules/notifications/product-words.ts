import { isDeepStrictEqual } from 'node:util';
import type { FieldChange } from '../../kernel/events.ts';
import type { ProductChange } from './mails.ts';
import { line } from './templates/texts.ts';

/** Changes of a product, which events tell in the API's names and spellings, as a person reads them. */

const NAMES: Readonly<Record<string, string>> = {
  sku: 'SKU',
  gtin: 'GTIN',
  mpn: 'MPN',
  category_id: 'Category',
  group_id: 'Variant group',
};
const AMOUNTS: readonly string[] = ['price', 'sale_price'];
/** Too long to be told, or only for programs to read: that they changed is enough, and of attributes, which. */
const UNTOLD: readonly string[] = ['description', 'attributes'];
/** The message says these of a new product without them. */
const SAID_ANYWAY: readonly string[] = ['name', 'sku', 'slug'];

const LONGEST = 100;

/** What the words need: the shop's currency, and a category's names from the root down; none when it is gone. */
export type Vocabulary = {
  currency: string;
  categoryNames(id: string): Promise<readonly string[]>;
};

export async function changesInWords(
  action: ProductChange['action'],
  changes: Readonly<Record<string, FieldChange>>,
  vocabulary: Vocabulary,
): Promise<ProductChange['changes']> {
  const told: { field: string; text: string }[] = [];
  for (const [field, { from, to }] of Object.entries(changes)) {
    if (action === 'created' && (SAID_ANYWAY.includes(field) || isNothing(to))) continue;
    told.push({
      field: NAMES[field] ?? humanName(field),
      text: UNTOLD.includes(field)
        ? `${line(differingKeys(from, to).join(', '), LONGEST)} ${becameOf(from, to)}`.trim()
        : action === 'created'
          ? await inWords(field, to, vocabulary)
          : `${await inWords(field, from, vocabulary)} → ${await inWords(field, to, vocabulary)}`,
    });
  }
  return told;
}

function becameOf(from: unknown, to: unknown): string {
  return isNothing(from) ? 'added' : isNothing(to) ? 'removed' : 'changed';
}

/** The keys whose values are not the same; none of what has no keys. */
function differingKeys(from: unknown, to: unknown): string[] {
  const [before, after] = [from, to].map((value) =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {},
  ) as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys({ ...before, ...after })
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => key.replaceAll('_', ' '));
}

async function inWords(field: string, value: unknown, { currency, categoryNames }: Vocabulary): Promise<string> {
  if (isNothing(value)) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (AMOUNTS.includes(field)) return `${text} ${currency}`;
  if (field === 'category_id')
    return line((await categoryNames(text)).join(' › '), LONGEST) || 'a category that is gone';
  if (field === 'availability') return text.replaceAll('_', ' ');
  return line(text, LONGEST);
}

function isNothing(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function humanName(field: string): string {
  const words = field.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
