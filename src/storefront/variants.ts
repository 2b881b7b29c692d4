import type { Product, Variant } from '../modules/catalogue/schemas.ts';
import { compareSizes, humanValue } from './format.ts';

/** The choices that a family of variants gives, each a link to the product that it leads to. */

export type Choice = { value: string; slug: string; current: boolean; inStock: boolean };
export type OptionGroup = { option: string; name: string; choices: Choice[] };

const NAMES: Readonly<Record<string, string>> = {
  color: 'Colour',
  size: 'Size',
  material: 'Material',
  gender: 'For',
  age_group: 'Ages',
  condition: 'Condition',
};

type Member = { slug: string; inStock: boolean; options: Readonly<Record<string, string | null>> };

/**
 * For each attribute in which the members differ, its values in order. A choice leads to the member with that value
 * which keeps most of the other choices, one in stock before one that is not.
 */
export function optionGroups(product: Product): OptionGroup[] {
  const { siblings, current } = familyOf(product);
  return Object.keys(current.options).map((option) => {
    const values = [
      ...new Set([current, ...siblings].map((member) => member.options[option]).filter((value) => value != null)),
    ];
    if (option === 'size') values.sort(compareSizes);
    const choices = values.map((value) => {
      const isCurrent = current.options[option] === value;
      const target = isCurrent
        ? current
        : nearest(
            siblings.filter((member) => member.options[option] === value),
            current,
          )!;
      return { value: humanValue(option, value), slug: target.slug, current: isCurrent, inStock: target.inStock };
    });
    return { option, name: NAMES[option] ?? option, choices };
  });
}

/** Members that no choice tells from this one: the feed says of none in what it differs. */
export function indistinct(product: Product): Variant[] {
  const { current } = familyOf(product);
  return product.variants.filter((variant) =>
    Object.keys(current.options).every((option) => variant.options[option] === current.options[option]),
  );
}

function familyOf(product: Product): { siblings: Member[]; current: Member } {
  const options = [...new Set(product.variants.flatMap((variant) => Object.keys(variant.options)))];
  const own = product as unknown as Record<string, string | null | undefined>;
  return {
    siblings: product.variants.map(({ slug, in_stock, options }) => ({ slug, inStock: in_stock, options })),
    current: {
      slug: product.slug,
      inStock: product.in_stock,
      options: Object.fromEntries(options.map((option) => [option, own[option] ?? null])),
    },
  };
}

function nearest(candidates: readonly Member[], current: Member): Member | undefined {
  const likeness = (member: Member) =>
    Object.entries(current.options).reduce(
      (sum, [option, value]) => sum + (member.options[option] === value ? 2 : 0),
      member.inStock ? 1 : 0,
    );
  let best: Member | undefined;
  for (const member of candidates) if (!best || likeness(member) > likeness(best)) best = member;
  return best;
}
