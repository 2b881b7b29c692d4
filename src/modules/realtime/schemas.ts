import Type, { type Static } from 'typebox';
import { EventMessage } from './events.ts';

const strict = { additionalProperties: false } as const;
const Id = Type.String({ format: 'uuid' });
const Cursor = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

const ONE_TYPE = '(\\*|[a-z_]+\\.(\\*|[a-z_]+))';
const Types = Type.Optional(
  Type.String({
    maxLength: 500,
    pattern: `^${ONE_TYPE}(,${ONE_TYPE})*$`,
    description: 'Only these, separated by commas; `product.*` for all that begin with `product.`.',
  }),
);
const After = Type.Optional(
  Cursor('Only what comes after this cursor: first what was missed, in order, then what happens.'),
);
const Progress = Type.Optional(
  Type.Boolean({ description: 'Also tell how far imports are: messages `import.progress`, which have no cursor.' }),
);

export const FeedQuery = Type.Object({ after: After, types: Types, progress: Progress }, strict);
export const NoticesQuery = Type.Object({ after: After }, strict);
export const UserParams = Type.Object({ user_id: Id }, strict);

export const EventQuery = Type.Object(
  {
    after: Type.Optional(
      Cursor('Only what comes after this cursor; from the oldest event that is kept when left out.'),
    ),
    before: Type.Optional(
      Cursor(
        'Only what comes before this cursor, the newest first. Any number beyond the newest, such as 9007199254740991, begins with the newest.',
      ),
    ),
    types: Types,
    import_id: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'What this import changed, product by product, under cursors of their own, instead of the log.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  },
  strict,
);
export type EventQuery = Static<typeof EventQuery>;

export const EventPage = Type.Object(
  {
    items: Type.Array(EventMessage),
    next_cursor: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Where to go on, as `after` (or `before`, when that was asked); null when there is no more.',
    }),
    cursor: Type.Integer({ description: 'Through which the answer is complete: where to follow live from.' }),
  },
  strict,
);
export type EventPage = Static<typeof EventPage>;
