import { isUuid } from '../../kernel/ids.ts';

/** Words that are routes below /products and /api/products; they and what looks like an id are no slugs. */
const RESERVED = new Set(['featured', 'filters']);
const MAX_SLUG = 80;
/** With what tells a product from its variants. */
const MAX_PRODUCT_SLUG = 140;

/** Letters that do not come apart into a base letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/**
 * A text as the readable part of an address: lower-case ASCII words joined by hyphens. Empty for a text without Latin
 * letters or digits; callers then fall back to the SKU.
 */
export function slugify(text: string): string {
  const slug = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter] ?? '')
    .replace(/['’‘`]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replace(/^-+|-+$/g, '');
  return RESERVED.has(slug) || isUuid(slug) ? `${slug}-1` : slug;
}

/** The most that a slug given by hand may have: what one that is made can come to, with what makes it unique. */
export const MAX_GIVEN_SLUG = 160;

/** Whether the text can stand in an address as a slug: words of a to z and digits, and neither a route nor an id. */
export function isSlug(text: string): boolean {
  return (
    text.length <= MAX_GIVEN_SLUG && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text) && !RESERVED.has(text) && !isUuid(text)
  );
}

/** The slug to try first for a product: its name, told apart from its variants by colour and size. */
export function productSlugBase(product: {
  name: string;
  sku: string;
  color: string | null;
  size: string | null;
  groupId: string | null;
}): string {
  const name = slugify(product.name);
  // A name in another script leaves a stray word or number at most: the SKU tells more.
  if (name.length < 3) return slugify(product.sku) || 'product';
  if (product.groupId === null) return name;
  const options = [product.color, product.size]
    .map((option) => slugify(option ?? ''))
    .filter((option) => option && !name.split('-').includes(option) && !name.endsWith(option));
  return [name, ...options].join('-').slice(0, MAX_PRODUCT_SLUG).replace(/-+$/, '');
}
