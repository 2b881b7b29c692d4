import { type Sql, sql } from '../../kernel/db.ts';
import { DEEPEST, invalidCursor, type Paging, refuseDeep } from '../../kernel/paging.ts';
import { countOfImport, importChanges, type Slice, stockOfImport } from '../catalogue/index.ts';
import { csvLine } from './issues-csv.ts';
import { findImport } from './list-imports.ts';
import type { Outcome, OutcomePage } from './schemas.ts';

/**
 * What became of the rows of a feed, one by one: first those that were not taken, then the products that were made or
 * changed, then those of which only the stock changed, and last those that were there and left alone. Rows that changed
 * nothing are told by their number alone (the import's `counts.unchanged`). What was remarked on a row that was taken is
 * its message.
 */

/** An outcome with its place among the others of its part. */
type Placed = Outcome & { n: number };
type Part = {
  /** How a cursor in this part begins. */
  readonly name: string;
  read(target: Sql, importId: string, slice: Slice): Promise<Placed[]>;
};

const issues =
  (where: string) =>
  (target: Sql, importId: string, { after, limit, offset = 0 }: Slice) =>
    target.many(
      sql<{ n: number; line: number; sku: string | null; code: string; message: string }>(
        `select seq as n, line, sku, code, message from import_issues
       where import_id = $1 and seq > $2 and ${where} order by seq limit $3 offset $4`,
        [importId, after, limit, offset],
      ),
    );
const rejected = issues('rejected');
const existing = issues("code = 'already_exists'");

const PARTS: readonly Part[] = [
  {
    name: 'r',
    read: async (target, importId, slice) =>
      (await rejected(target, importId, slice)).map(({ code, ...row }) => ({
        ...row,
        outcome: code === 'duplicate_id' ? 'superseded' : 'rejected',
      })),
  },
  {
    name: 'p',
    async read(target, importId, { after, limit, offset = 0 }) {
      const slice = { after, limit: offset + limit, types: () => true };
      const products = (await importChanges(target, importId, slice)).slice(offset);
      const remarks = await remarksOn(
        target,
        importId,
        products.map(({ data }) => String(data.sku)),
      );
      return products.map(({ position: n, type, data, changes }) => {
        const sku = String(data.sku);
        const own = remarks.get(sku);
        const line = own?.line ?? null;
        const remarked = own?.messages ?? [];
        if (type === 'product.created') return { n, sku, line, outcome: 'created', message: remarked.join(' ') };
        return { n, sku, line, outcome: 'updated', message: [changesInWords(changes), ...remarked].join(' ') };
      });
    },
  },
  {
    name: 's',
    read: async (target, importId, slice) =>
      (await stockOfImport(target, importId, slice)).map(({ n, sku, from, to }) => ({
        n,
        sku,
        line: null,
        outcome: 'updated',
        message: `stock: ${from} → ${to}.`,
      })),
  },
  {
    name: 'e',
    read: async (target, importId, slice) =>
      (await existing(target, importId, slice)).map(({ code: _, ...row }) => ({ ...row, outcome: 'existing' })),
  },
];

type Remark = { line: number; messages: string[] };

/** What was remarked on rows with these SKUs that were taken, and at which line the row begins. */
async function remarksOn(target: Sql, importId: string, skus: readonly string[]): Promise<Map<string, Remark>> {
  const rows = await target.many(
    sql<{ seq: number; sku: string; line: number; rejected: boolean; message: string }>(
      `select seq, sku, line, rejected, message from import_issues
       where import_id = $1 and sku = any ($2) and code <> 'already_exists'`,
      [importId, skus],
    ),
  );
  const remarks = new Map<string, Remark>();
  for (const ofRow of Map.groupBy(rows, ({ sku, line }) => `${line} ${sku}`).values()) {
    if (ofRow.some(({ rejected }) => rejected)) continue;
    const { sku, line } = ofRow[0]!;
    const messages = ofRow.toSorted((a, b) => a.seq - b.seq).map(({ message }) => message);
    remarks.set(sku, { line, messages });
  }
  return remarks;
}

/** Values that would fill the line are left out, and those that only a program reads. */
const LONGEST_VALUE = 60;
const UNTOLD: readonly string[] = ['description', 'attributes', 'category_id'];

function changesInWords(changes: Readonly<Record<string, { from: unknown; to: unknown }>>): string {
  const said = (value: unknown) => (value === null ? 'none' : String(value));
  const fields = Object.entries(changes).map(([field, { from, to }]) => {
    const text = `${said(from)} → ${said(to)}`;
    return UNTOLD.includes(field) || text.length > LONGEST_VALUE ? `${field} changed` : `${field}: ${text}`;
  });
  return fields.length === 0 ? '' : `${fields.join('; ')}.`;
}

type Place = { part: number; after: number };
const BEGINNING: Place = { part: 0, after: 0 };

const cursorOf = ({ part, after }: Place): string => `${PARTS[part]!.name}${after}`;

function readCursor(cursor: string): Place {
  const part = PARTS.findIndex(({ name }) => cursor.startsWith(name));
  if (part < 0 || !/^[1-9]\d{0,14}$/.test(cursor.slice(1)))
    throw invalidCursor('Use next_cursor of the page before as it stands.');
  return { part, after: Number(cursor.slice(1)) };
}

/** The next ones from a place on, each with its own place. */
async function outcomesFrom(
  target: Sql,
  importId: string,
  { part, after }: Place,
  limit: number,
  offset = 0,
): Promise<{ outcome: Outcome; place: Place }[]> {
  const found: { outcome: Outcome; place: Place }[] = [];
  for (let at = part; at < PARTS.length && found.length < limit; at++) {
    const slice = { limit: limit - found.length, ...(at === part ? { after, offset } : { after: 0 }) };
    for (const { n, ...outcome } of await PARTS[at]!.read(target, importId, slice))
      found.push({ outcome, place: { part: at, after: n } });
  }
  return found;
}

/** How many there are in each part, none counted further than pages go by number. */
async function countParts(target: Sql, importId: string): Promise<number[]> {
  const most = DEEPEST + 1;
  const count = async (where: string) =>
    (
      await target.one(
        sql<{ total: number }>(
          `select count(*) as total from (select from import_issues where import_id = $1 and ${where} limit $2) f`,
          [importId, most],
        ),
      )
    ).total;
  const { products, stock } = await countOfImport(target, importId, most);
  return [await count('rejected'), products, stock, await count("code = 'already_exists'")];
}

/** Throws import_not_found, page_too_deep, invalid_cursor. */
export async function listOutcomes(target: Sql, importId: string, query: Paging): Promise<OutcomePage> {
  const { page = 1, page_size: size = 10, cursor } = query;
  refuseDeep(query);
  const { counts } = await findImport(target, importId);
  const parts = await countParts(target, importId);
  const counted = parts.reduce((sum, part) => sum + part, 0);
  const isEstimate = counted > DEEPEST;
  const total = isEstimate ? counts.rejected + counts.created + counts.updated + counts.existing : counted;
  let place = cursor === undefined ? BEGINNING : readCursor(cursor);
  let offset = cursor === undefined ? (page - 1) * size : 0;
  while (offset > 0 && place.part < PARTS.length - 1 && offset >= parts[place.part]!) {
    offset -= parts[place.part]!;
    place = { part: place.part + 1, after: 0 };
  }
  const found = await outcomesFrom(target, importId, place, size + 1, offset);
  const shown = found.slice(0, size);
  return {
    items: shown.map(({ outcome }) => outcome),
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    ...(isEstimate ? { total_is_estimate: true } : {}),
    next_cursor: found.length > size ? cursorOf(shown.at(-1)!.place) : null,
  };
}

const AT_ONCE = 2_000;

/** All of them, some at a time, each time with their lines of CSV; the header comes with the first. */
export async function* readOutcomes(
  target: Sql,
  importId: string,
): AsyncGenerator<{ outcomes: readonly Outcome[]; csv: string }> {
  let header = csvLine(['outcome', 'sku', 'line', 'message']);
  for (let place = BEGINNING; ; ) {
    const found = await outcomesFrom(target, importId, place, AT_ONCE);
    const outcomes = found.map(({ outcome }) => outcome);
    const lines = outcomes.map(({ outcome, sku, line, message }) => csvLine([outcome, sku, line, message]));
    yield { outcomes, csv: header + lines.join('') };
    if (found.length < AT_ONCE) return;
    header = '';
    place = found.at(-1)!.place;
  }
}
