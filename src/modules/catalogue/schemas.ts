import Type, { type Static, type TSchema } from 'typebox';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { AVAILABILITIES } from './staging.ts';

/**
 * The catalogue's shapes as clients see them: what validates requests, serialises answers and documents both.
 */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Text = nullable(Type.String());
const Id = Type.String({ format: 'uuid' });
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC.' });
const Money = Type.String({ description: "A decimal in the currency's own number of digits.", examples: ['19.99'] });
const strict = { additionalProperties: false } as const;

export const ORDERINGS = [
  'price',
  '-price',
  'created_at',
  '-created_at',
  'name',
  '-name',
  'lowest_offer',
  '-lowest_offer',
  'relevance',
] as const;
export type Ordering = (typeof ORDERINGS)[number];

/** The attributes that products are filtered by, facet by facet. */
export const FACETS = ['brand', 'gender', 'condition', 'color', 'size'] as const;
export type Facet = (typeof FACETS)[number];

const Values = (about: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: 50,
      description: `${about} Repeat it for more than one.`,
    }),
  );

const filters = {
  category: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Id or slug of a category; its descendants count too.' }),
  ),
  price_min: Type.Optional(
    Type.String({ maxLength: 20, description: 'The least effective price.', examples: ['10.00'] }),
  ),
  price_max: Type.Optional(
    Type.String({ maxLength: 20, description: 'The greatest effective price.', examples: ['50.00'] }),
  ),
  in_stock: Type.Optional(Type.Boolean()),
  featured: Type.Optional(Type.Boolean()),
  brand: Values('Brand.'),
  gender: Values('Gender.'),
  condition: Values('Condition.'),
  color: Values('Colour.'),
  size: Values('Size.'),
  group_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'The family of variants.' })),
  search: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'Words in name, SKU, brand, category or description. A word that is found hardly anywhere is corrected.',
    }),
  ),
};

const paging = {
  ...PAGING,
  ordering: Type.Optional(
    Type.Enum([...ORDERINGS], { description: '`relevance` is the default under `search`, `-created_at` otherwise.' }),
  ),
};

export const ListQuery = Type.Object({ ...filters, ...paging }, strict);
export type ListQuery = Static<typeof ListQuery>;
export const FilterQuery = Type.Object(filters, strict);
export type FilterQuery = Static<typeof FilterQuery>;

/** `hidden` products are inactive, but not archived; `all` is every product, the visible ones included. */
export const STATES = ['visible', 'hidden', 'archived', 'all'] as const;
export type State = (typeof STATES)[number];

/** What staff and sellers may ask for beyond the public's filters. */
const beyond = {
  state: Type.Optional(
    Type.Enum([...STATES], {
      description: 'What is not visible is shown to staff, and to sellers of their own products. Default: `visible`.',
    }),
  ),
  owner: Type.Optional(
    Type.String({
      pattern: '^(me|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$',
      maxLength: 36,
      description: 'Id of the seller whose products these are, or `me`. For staff and sellers.',
    }),
  ),
};
export const SeenListQuery = Type.Object({ ...filters, ...paging, ...beyond }, strict);
export const SeenFilterQuery = Type.Object({ ...filters, ...beyond }, strict);

export const CategoryTreeQuery = Type.Object(
  {
    state: Type.Optional(
      Type.Enum(['visible', 'all'], {
        description: '`all` has the inactive categories too; for staff. Default: `visible`.',
      }),
    ),
  },
  strict,
);
const { category: _, ...filtersWithoutCategory } = filters;
export const CategoryListQuery = Type.Object({ ...filtersWithoutCategory, ...paging }, strict);

const CategoryRef = nullable(Type.Object({ id: Id, slug: Type.String(), name: Type.String() }, strict));

const listed = {
  id: Id,
  sku: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  price: Money,
  sale_price: nullable(Money),
  effective_price: Money,
  currency: Type.String({ description: 'ISO 4217.' }),
  stock: nullable(Type.Integer({ description: 'Null where it is not tracked.' })),
  in_stock: Type.Boolean(),
  featured: Type.Boolean(),
  active: Type.Boolean(),
  availability: Type.Enum([...AVAILABILITIES]),
  category: CategoryRef,
  brand: Text,
  gender: Text,
  condition: Text,
  color: Text,
  size: Text,
  age_group: Text,
  material: Text,
  gtin: Text,
  mpn: Text,
  group_id: Text,
  image_url: Type.String({ description: "Relative to the shop's address." }),
  offers: Type.Object({ count: Type.Integer(), lowest_price: nullable(Money), items_in_stock: Type.Integer() }, strict),
  owner_id: nullable(Id),
  version: Type.Integer(),
  created_at: Time,
  updated_at: Time,
};

export const ProductListItem = Type.Object(listed, { $id: 'ProductListItem', ...strict });
export type ProductListItem = Static<typeof ProductListItem>;

export const ProductImage = Type.Object(
  {
    id: nullable(Id),
    url: Type.String({ description: 'For the page of the product: at most 1200 wide.' }),
    list_url: Type.String({ description: 'At most 480 wide.' }),
    full_url: Type.String({ description: 'At most 2400 wide.' }),
    alt: Type.String(),
    position: Type.Integer(),
    width: Type.Integer({ description: 'Of the picture at `url`, in pixels.' }),
    height: Type.Integer(),
  },
  strict,
);
export type ProductImage = Static<typeof ProductImage>;

export const Variant = Type.Object(
  {
    id: Id,
    sku: Type.String(),
    slug: Type.String(),
    name: Type.String(),
    price: Money,
    sale_price: nullable(Money),
    effective_price: Money,
    in_stock: Type.Boolean(),
    image_url: Type.String(),
    options: Type.Record(Type.String(), Text, {
      description: 'The attributes in which the members of the group differ.',
    }),
  },
  strict,
);
export type Variant = Static<typeof Variant>;

export const Product = Type.Object(
  {
    ...listed,
    description: Type.String(),
    attributes: Type.Record(Type.String(), Type.Unknown()),
    images: Type.Array(ProductImage),
    variants: Type.Array(Variant, { description: 'The other members of the same group_id.' }),
    archived_at: Type.Union([Time, Type.Null()], {
      description: 'Always null for the public, which sees no archived product.',
    }),
  },
  { $id: 'Product', ...strict },
);
export type Product = Static<typeof Product>;

export const ProductPage = PageOf(Type.Ref('ProductListItem'));
export type ProductPage = Omit<Static<typeof ProductPage>, 'items'> & { items: ProductListItem[] };

export const ProductItems = Type.Object({ items: Type.Array(Type.Ref('ProductListItem')) }, strict);

const category = {
  id: Id,
  slug: Type.String(),
  name: Type.String(),
  description: Type.String(),
  image_url: Text,
  parent_id: nullable(Id),
  position: Type.Integer(),
  active: Type.Boolean(),
  product_count: Type.Integer({ description: 'Active products in it and below it.' }),
  version: Type.Integer(),
};
export type Category = {
  id: string;
  slug: string;
  name: string;
  description: string;
  image_url: string | null;
  parent_id: string | null;
  position: number;
  active: boolean;
  product_count: number;
  version: number;
  children: Category[];
};
export const Category = Type.Object(
  { ...category, children: Type.Array(Type.Ref('Category')) },
  { $id: 'Category', ...strict },
);
export const CategoryTree = Type.Object({ items: Type.Array(Type.Ref('Category')) }, strict);

const Counts = Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() }, strict));
export const Facets = Type.Object(
  {
    condition: Counts,
    gender: Counts,
    brand: Counts,
    color: Counts,
    size: Counts,
    category: Counts,
    price: Type.Object({ min: nullable(Money), max: nullable(Money) }, strict),
    counts_are_estimates: Type.Optional(Type.Boolean()),
  },
  strict,
);
export type Facets = Static<typeof Facets>;

export const SlugOrId = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 200, description: 'Id or slug.' }) },
  strict,
);
