import Type, { type Static } from 'typebox';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { MODES, STATUSES } from './import-report.ts';

const strict = { additionalProperties: false } as const;
const Id = Type.String({ format: 'uuid' });
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC.' });
const MaybeTime = Type.Union([Time, Type.Null()]);
const MaybeText = Type.Union([Type.String(), Type.Null()]);
const MaybeInteger = Type.Union([Type.Integer(), Type.Null()]);
const Count = (description: string) => Type.Integer({ description });

const Mode = Type.Enum([...MODES], {
  default: 'create',
  description: '`create`: an existing SKU is reported and left alone. `upsert`: it is updated.',
});

export const Import = Type.Object(
  {
    id: Id,
    status: Type.Enum([...STATUSES]),
    mode: Type.Enum([...MODES]),
    file_name: Type.String(),
    size_bytes: Type.Union([Type.Integer(), Type.Null()], { description: 'Null until the feed is fetched.' }),
    bytes_read: Type.Integer(),
    counts: Type.Object(
      {
        read: Count('Items of the feed.'),
        created: Count('New products.'),
        updated: Count('Products that differed.'),
        unchanged: Count('Products that did not differ.'),
        existing: Count('Products left alone in mode `create`.'),
        rejected: Count('Items that could not be taken; the issues tell why.'),
      },
      strict,
    ),
    error: Type.Union([
      Type.Object({ code: Type.String(), message: Type.String(), line: MaybeInteger, column: MaybeInteger }, strict),
      Type.Null(),
    ]),
    created_by: Type.Union([Type.Object({ id: Id, username: Type.String() }, strict), Type.Null()]),
    created_at: Time,
    started_at: MaybeTime,
    finished_at: MaybeTime,
  },
  { ...strict, $id: 'Import' },
);
export type Import = Static<typeof Import>;

export const ImportPage = PageOf(Type.Ref('Import'));
export const ImportListQuery = Type.Object(PAGING, strict);

const Issue = Type.Object(
  {
    line: Type.Integer({ description: 'Of the file, where the item begins.' }),
    sku: MaybeText,
    field: MaybeText,
    code: Type.String(),
    message: Type.String(),
    rejected: Type.Boolean({ description: 'Whether the item was not taken for it.' }),
  },
  strict,
);

export const IssuePage = PageOf(Issue);
export type IssuePage = Static<typeof IssuePage>;
export const IssueListQuery = Type.Object(
  {
    ...PAGING,
    format: Type.Optional(Type.Enum(['json', 'csv'], { description: '`csv` downloads all of them, without pages.' })),
  },
  strict,
);

const Outcome = Type.Object(
  {
    outcome: Type.Enum(['created', 'updated', 'existing', 'rejected', 'superseded'], {
      description:
        '`existing`: left alone in mode `create`. `superseded`: the same id stands again further on, and that row was taken.',
    }),
    sku: MaybeText,
    line: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Of the file, where the item begins; null for what was taken without a remark.',
    }),
    message: Type.String({ description: 'Why it was not taken, what changed, what was remarked; or empty.' }),
  },
  strict,
);
export type Outcome = Static<typeof Outcome>;

export const OutcomePage = PageOf(Outcome);
export type OutcomePage = Static<typeof OutcomePage>;

export const ImportId = Type.Object({ id: Id });

export const ImportFromUrl = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2_000, description: 'Where the feed is: `http://…` or `https://…`.' }),
    mode: Type.Optional(Mode),
  },
  strict,
);
export type ImportFromUrl = Static<typeof ImportFromUrl>;

/** For the description alone: the form is read as it arrives. */
export const ImportUpload = Type.Object(
  {
    file: Type.String({ format: 'binary', description: 'The feed: XML, plain or gzip, up to 2 GiB.' }),
    mode: Type.Optional(Mode),
  },
  strict,
);
