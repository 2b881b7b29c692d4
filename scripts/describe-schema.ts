import type pg from 'pg';

/**
 * Two readings of a migrated database: its definition as SQL for people, and its tables as types for Kysely.
 */

type Column = {
  table: string;
  column: string;
  type: string;
  base: string;
  /** Null when it is the type's own. */
  collation: string | null;
  not_null: boolean;
  generated: string;
  identity: string;
  default: string | null;
};

const COLUMNS = `
  select c.relname as "table", a.attname as "column", format_type(a.atttypid, a.atttypmod) as type,
         t.typname as base,
         case when a.attcollation <> t.typcollation
           then (select quote_ident(l.collname) from pg_collation l where l.oid = a.attcollation) end as collation,
         a.attnotnull as not_null, a.attgenerated as generated, a.attidentity as identity,
         pg_get_expr(d.adbin, d.adrelid) as default
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migrations'
  order by c.relname, a.attnum`;

const CONSTRAINTS = `
  select c.relname as "table", k.conname as name, pg_get_constraintdef(k.oid) as definition
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
  where k.contype <> 'n' and c.relname <> 'schema_migrations'
  order by c.relname, k.contype desc, k.conname`;

const INDEXES = `
  select tablename as "table", indexdef as definition from pg_indexes i
  where schemaname = 'public' and tablename <> 'schema_migrations'
    and not exists (select from pg_constraint k where k.conname = i.indexname and k.contype in ('p', 'u'))
  order by tablename, indexname`;

const FUNCTIONS = `
  select pg_get_functiondef(p.oid) as definition from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'public'
  where not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.proname`;

/** The whole schema as one reviewable SQL text. */
export async function describeSql(client: pg.Client): Promise<string> {
  const columns = (await client.query<Column>(COLUMNS)).rows;
  const constraints = (await client.query<{ table: string; name: string; definition: string }>(CONSTRAINTS)).rows;
  const indexes = (await client.query<{ table: string; definition: string }>(INDEXES)).rows;
  const functions = (await client.query<{ definition: string }>(FUNCTIONS)).rows;
  const tables = [...new Set(columns.map((c) => c.table))].map((table) => {
    const lines = [
      ...columns.filter((c) => c.table === table).map(columnSql),
      ...constraints.filter((c) => c.table === table).map((c) => `constraint ${c.name} ${c.definition}`),
    ];
    const own = indexes.filter((i) => i.table === table).map((i) => `${i.definition};\n`);
    return `create table ${table} (\n  ${lines.join(',\n  ')}\n);\n${own.join('')}`;
  });
  const bodies = functions.map((f) => `${f.definition.trim()};\n`);
  return `-- Generated from the migrated database by \`npm run generate\`; read it, do not run it.\n\n${[...tables, ...bodies].join('\n')}`;
}

function columnSql(c: Column): string {
  const generated = c.generated ? ` generated always as ${c.default} stored` : '';
  const identity = c.identity ? ' generated always as identity' : '';
  const fallback = c.default && !c.generated ? ` default ${c.default}` : '';
  const collation = c.collation ? ` collate ${c.collation}` : '';
  return `${c.column} ${c.type}${collation}${c.not_null ? ' not null' : ''}${generated}${identity}${fallback}`;
}

const TYPES: Readonly<Record<string, string>> = {
  uuid: 'string',
  text: 'string',
  int4: 'number',
  int8: 'number',
  bool: 'boolean',
  timestamptz: 'Timestamp',
  jsonb: 'Json',
  tsvector: 'string',
  pg_lsn: 'string',
  bytea: 'Buffer',
  date: 'string',
  _text: 'string[]',
};

/** The tables as a TypeScript module. Throws on a column type that it does not know. */
export async function describeTypes(client: pg.Client): Promise<string> {
  const columns = (await client.query<Column>(COLUMNS)).rows;
  const names = [...new Set(columns.map((c) => c.table))];
  const tables = names.map((table) => {
    const fields = columns
      .filter((c) => c.table === table)
      .map((c) => {
        const base = TYPES[c.base];
        if (!base)
          throw new Error(
            `The column ${table}.${c.column} has the type ${c.base}, for which the generator knows no TypeScript type.`,
          );
        const type = c.not_null ? base : `${base} | null`;
        if (c.generated || c.identity === 'a') return `    ${c.column}: GeneratedAlways<${type}>;`;
        return `    ${c.column}: ${c.default === null ? type : `Generated<${type}>`};`;
      });
    return `  ${table}: {\n${fields.join('\n')}\n  };`;
  });
  return `// Generated from the migrated database by \`npm run generate\`; not to be edited.
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
// Read as what it holds, written as JSON text.
type Json = ColumnType<unknown, string, string>;

export type Tables = {
${tables.join('\n')}
};
`;
}
