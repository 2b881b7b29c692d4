import Type, { type Static } from 'typebox';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { Address, Line } from '../accounts/index.ts';
import { STATUSES } from './order.ts';

const strict = { additionalProperties: false } as const;
const Id = Type.String({ format: 'uuid' });
const Time = Type.String({ format: 'date-time' });
const Money = Type.String({ description: 'A decimal in the currency’s own number of digits.' });
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** One product at most this often in a cart. */
export const MAX_QUANTITY = 999;
/** Different products in a cart. */
export const MAX_LINES = 100;

const Quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY });

export const CartChange = Type.Object(
  {
    code: Type.Enum(['price_changed', 'insufficient_stock', 'gone']),
    message: Type.String({ description: 'What has changed since the line was added, as a sentence.' }),
    from: Type.Optional({ ...Money, description: 'Of `price_changed`: what one cost then.' }),
    to: Type.Optional({ ...Money, description: 'Of `price_changed`: what one costs now.' }),
    left: Type.Optional(Type.Integer({ description: 'Of `insufficient_stock`: how many there are now.' })),
  },
  strict,
);
export type CartChange = Static<typeof CartChange>;

export const CartItem = Type.Object(
  {
    id: Id,
    product_id: Id,
    sku: Type.String(),
    slug: nullable(Type.String({ description: 'Null when the product is gone.' })),
    name: Type.String(),
    image_url: Type.String(),
    unit_price: { ...Money, description: 'What one costs now; of a product that is gone, what it cost.' },
    quantity: Quantity,
    line_total: { ...Money, description: 'Zero of a product that is gone.' },
    left: nullable(Type.Integer({ description: 'How many there are now; null for any number.' })),
    changes: Type.Array(CartChange, { description: 'What has changed since the line was added or last changed.' }),
  },
  strict,
);
export type CartItem = Static<typeof CartItem>;

export const Cart = Type.Object(
  {
    id: Id,
    items: Type.Array(CartItem, { description: 'In the order in which they were added.' }),
    item_count: Type.Integer({ description: 'How many things, not how many lines.' }),
    subtotal: Money,
    total: Money,
    currency: Type.String(),
    ready: Type.Boolean({ description: 'Whether it could be ordered as it is.' }),
    updated_at: nullable(Time),
  },
  { ...strict, $id: 'Cart' },
);
export type Cart = Static<typeof Cart>;

export const CartTokenHeader = Type.Object({
  'X-Cart-Token': Type.Optional(Type.String({ description: 'A guest’s, as it was answered.' })),
});

export const NewCartItem = Type.Object({ product_id: Id, quantity: Quantity }, strict);
export type NewCartItem = Static<typeof NewCartItem>;
export const CartItemQuantity = Type.Object({ quantity: Quantity }, strict);

/** As long as a first and a last name together. */
const Recipient = Line(201);
const addressFields = { name: Type.Optional(Recipient), ...Address.properties };
/** Where an order goes: as in a profile, with the name of who receives it. */
export const ShippingAddress = Type.Object(addressFields, strict);
export type ShippingAddress = Static<typeof ShippingAddress>;

export const NOTE_LENGTH = 1_000;
export const NewOrder = Type.Object(
  {
    shipping_address: Type.Optional({
      ...Type.Partial(ShippingAddress, strict),
      description: 'The one of the profile when left out, if it has `line1` and `city`, which are needed here too.',
    }),
    note: Type.Optional(
      Type.String({
        maxLength: NOTE_LENGTH,
        description: 'What the customer wants to tell the shop. No control characters but line breaks.',
      }),
    ),
    expected_total: Type.Optional({
      ...Type.String({ maxLength: 20 }),
      description: 'The total that the customer has seen: another one is refused with `price_changed`.',
    }),
  },
  strict,
);
export type NewOrder = Static<typeof NewOrder>;

const StatusName = Type.Enum([...STATUSES]);

const OrderItem = Type.Object(
  {
    product_id: Id,
    sku: Type.String(),
    name: Type.String(),
    image_url: Type.String(),
    unit_price: Money,
    quantity: Type.Integer(),
    line_total: Money,
  },
  strict,
);

const Person = Type.Object(
  { id: Id, username: nullable(Type.String({ description: 'Null once the account is erased.' })) },
  strict,
);

export const Order = Type.Object(
  {
    id: Id,
    number: Type.String({ description: 'Such as `482-1937-065`.' }),
    status: StatusName,
    items: Type.Array(OrderItem),
    subtotal: Money,
    discount_total: Money,
    shipping_total: Money,
    tax_total: Money,
    total: Money,
    currency: Type.String(),
    shipping_address: nullable(ShippingAddress),
    note: Type.String(),
    user: Person,
    placed_at: Time,
    status_history: Type.Array(
      Type.Object(
        {
          status: StatusName,
          at: Time,
          by: nullable({ ...Person, description: 'Customers are told of themselves alone.' }),
        },
        strict,
      ),
    ),
    version: Type.Integer(),
  },
  { ...strict, $id: 'Order' },
);
export type Order = Static<typeof Order>;

export const OrderPage = PageOf(Type.Ref('Order'));
export type OrderPage = Omit<Static<typeof OrderPage>, 'items'> & { items: Order[] };

const When = Type.String({
  maxLength: 40,
  description: 'A date in the shop’s time zone (inclusive), or a time as RFC 3339 has it.',
});
export const OrderListQuery = Type.Object(
  {
    ...PAGING,
    status: Type.Optional(StatusName),
    user: Type.Optional({ ...Id, description: 'Whose; staff alone may ask for others’.' }),
    from: Type.Optional(When),
    to: Type.Optional(When),
    search: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'A number, or words of a product’s name, a SKU, or (for staff) of the customer.',
      }),
    ),
  },
  strict,
);
export type OrderListQuery = Static<typeof OrderListQuery>;
export const OwnOrderListQuery = Type.Object({ ...PAGING, status: Type.Optional(StatusName) }, strict);

export const NewStatus = Type.Object({ status: StatusName }, strict);
export const OrderKey = Type.Object(
  { id: Type.String({ maxLength: 40, description: 'The order’s id or number.' }) },
  strict,
);
export const CartItemId = Type.Object({ id: Id }, strict);
