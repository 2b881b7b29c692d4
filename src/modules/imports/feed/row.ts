/** An item on its way from fields to product: what takes a field uses it up, and what is left becomes attributes. */
import type { Json } from '../../catalogue/index.ts';
import type { FeedIssueCode } from './issue.ts';

export type Row = {
  sku: string | null;
  /** Values by field name; not yet used. */
  fields: Map<string, Json[]>;
  attributes: { [name: string]: Json };
  /** Tells an issue that does not reject the row. */
  note(field: string, code: FeedIssueCode, message: string): void;
  /** Tells why the row is rejected; the caller gives up on it. */
  reject(field: string | null, code: FeedIssueCode, message: string): null;
};

/** The texts of a field, which counts as used from then on. */
export function takeTexts(row: Row, field: string): string[] {
  const values = row.fields.get(field);
  if (values === undefined) return [];
  row.fields.delete(field);
  return values.filter((value) => typeof value === 'string');
}

/** The first text of a field; that others were left out is told. */
export function takeText(row: Row, field: string): string | null {
  const [first, ...others] = takeTexts(row, field);
  if (others.some((other) => other !== first)) {
    row.note(field, 'value_repeated', `The item has several values for ${field}: the first is used.`);
  }
  return first ?? null;
}

/** The first of `fields` that has a text; those before it that have none are used up. */
export function fieldWithText(row: Row, fields: readonly string[]): string | undefined {
  return fields.find((field) => {
    const values = row.fields.get(field);
    const found = values?.some((value) => typeof value === 'string') ?? false;
    if (!found) row.fields.delete(field);
    return found;
  });
}
