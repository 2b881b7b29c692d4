import Type, { type Static } from 'typebox';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { FIELD_NAMES, FIELDS, type FieldName, type GivenFields } from './product-fields.ts';
import { MAX_ON_HAND } from './staging.ts';
import { STOCK_REASONS } from './stock.ts';

/** What people send to change products, and what they are answered beyond the product itself. */

const strict = { additionalProperties: false } as const;
const nullableText = Type.Union([Type.String(), Type.Null()]);
/** What the database counts to: stock can be more than may be asked for, by what comes back of orders. */
const MAX_INTEGER = 2_147_483_647;

const fields = (required: readonly FieldName[]) =>
  Object.fromEntries(
    FIELD_NAMES.map((name) => [
      name,
      required.includes(name) ? FIELDS[name].schema : Type.Optional(FIELDS[name].schema),
    ]),
  );

const Units = Type.Integer({ minimum: 0, maximum: MAX_ON_HAND });
const UnitsOrNull = Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, maximum: MAX_ON_HAND });
const OnHand = Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, maximum: MAX_INTEGER });
const stock = {
  stock: Type.Optional({
    ...Units,
    description: 'Units on hand. Needs `expected_stock`; becomes a movement in the ledger.',
  }),
  expected_stock: Type.Optional({
    ...OnHand,
    description: 'The stock that you have seen; null where it is not tracked, which begins to track it.',
  }),
};

/** What the client asks for, once its schema has let it pass. */
export type StockGiven = { stock?: number; expected_stock?: number | null };
export type NewProduct = GivenFields & { stock?: number | null };
export type ProductEdit = GivenFields & StockGiven;

export const NewProductBody = Type.Object(
  {
    ...fields(['name', 'price']),
    stock: Type.Optional({ ...UnitsOrNull, description: 'Units on hand; left out or null, it is not tracked.' }),
  },
  { ...strict, description: '`sku` and `slug` are made from the name when they are left out.' },
);

export const ReplaceProductBody = Type.Object(
  { ...fields(['name', 'price']), ...stock },
  {
    ...strict,
    description:
      'What is left out gets its default; SKU, slug and stock stay as they are, and `featured` too for sellers.',
  },
);

export const PatchProductBody = Type.Object({ ...fields([]), ...stock }, strict);

const MAX_BULK = 1_000;

export const BulkItem = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    version: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_INTEGER, description: 'As `If-Match`.' })),
    ...fields([]),
    ...stock,
  },
  strict,
);
export type BulkItem = { id: string; version?: number } & ProductEdit;

export const BulkBody = Type.Array(BulkItem, { minItems: 1, maxItems: MAX_BULK });
/** What the list must be for its items to be judged one by one. */
export const BulkList = Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_BULK });

export const BulkAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          id: Type.Union([Type.String(), Type.Null()], { description: 'As it was sent; null without one.' }),
          status: Type.Integer({ description: 'What the edit alone would have been answered.' }),
          code: Type.Optional(Type.String()),
          detail: Type.Optional(Type.String()),
        },
        strict,
      ),
      { description: 'In the order of the list.' },
    ),
  },
  strict,
);

export const StockBody = Type.Object(
  {
    delta: Type.Integer({
      minimum: -MAX_INTEGER,
      maximum: MAX_ON_HAND,
      description: 'Never zero. Adding makes it 1,000,000,000 units at most.',
    }),
    reason: Type.String({ minLength: 1, maxLength: 200, description: 'For the ledger: why it is more or less.' }),
  },
  strict,
);
export const StockAnswer = Type.Object({ stock: Type.Integer() }, strict);

const Money = Type.String();
const Time = Type.String({ format: 'date-time' });

export const HistoryQuery = Type.Object(PAGING, strict);
export type HistoryQuery = Static<typeof HistoryQuery>;

const HistoryItem = Type.Object(
  {
    at: Time,
    action: Type.Enum(['created', 'updated', 'archived', 'restored', 'deleted']),
    version: Type.Integer({ description: 'That it brought about.' }),
    actor: Type.Union([Type.Object({ id: Type.String(), username: nullableText }, strict), Type.Null()]),
    import_id: nullableText,
    changes: Type.Record(Type.String(), Type.Object({ from: Type.Unknown(), to: Type.Unknown() })),
  },
  strict,
);

export const ProductHistory = PageOf(HistoryItem);
export type HistoryItem = Static<typeof HistoryItem>;

const StockMovement = Type.Object(
  {
    id: Type.Integer({ description: 'Later movements have greater ones.' }),
    delta: Type.Integer({ description: 'Units that came, or that went when negative.' }),
    stock: Type.Integer({ description: 'What was on hand after it.' }),
    kind: Type.Enum([...STOCK_REASONS]),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'Of an adjustment, when one was given.' }),
    order_id: Type.Union([Type.String(), Type.Null()], { description: 'Of an order and its cancellation.' }),
    import_id: nullableText,
    actor: Type.Union([Type.Object({ id: Type.String(), username: nullableText }, strict), Type.Null()], {
      description: 'Who did it. Of orders and cancellations API keys are told only with the scope `orders:read`.',
    }),
    at: Time,
  },
  strict,
);
export type StockMovement = Static<typeof StockMovement>;

export const StockLedger = Type.Object(
  {
    ...PageOf(StockMovement).properties,
    stock: {
      ...OnHand,
      description: 'On hand now, which is the sum of all movements; null where it is not tracked.',
    },
  },
  strict,
);
export type StockLedger = Static<typeof StockLedger>;

export const PriceHistory = Type.Object(
  {
    currency: Type.String(),
    items: Type.Array(
      Type.Object(
        {
          valid_from: Time,
          price: Money,
          sale_price: Type.Union([Money, Type.Null()]),
          effective_price: Money,
        },
        strict,
      ),
      { description: 'Newest first, at most the last 1,000.' },
    ),
    lowest_30_days: Type.Union(
      [
        Type.Object(
          {
            price: Money,
            from: Time,
            to: Type.String({ format: 'date-time', description: 'When the reduction began.' }),
          },
          strict,
        ),
        Type.Null(),
      ],
      {
        description:
          'The lowest effective price in the 30 days before the current reduction began (Directive 98/6/EC, Article 6a). Null while there is no reduction, or when there was no price before it.',
      },
    ),
  },
  strict,
);
export type PriceHistory = Static<typeof PriceHistory>;
