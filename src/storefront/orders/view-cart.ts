import { optionsOfProducts } from '../../modules/catalogue/index.ts';
import { type Orders, presentCart, readCart } from '../../modules/orders/index.ts';
import type { Cart, CartItem } from '../../modules/orders/schemas.ts';
import { untold } from '../product-card.ts';

/** A cart as people see it: each line also says which of several of that name it is. */
export type CartView = Omit<Cart, 'items'> & { items: (CartItem & { about: string })[] };

export async function viewCart({ db, config }: Orders, cartId: string): Promise<CartView> {
  const cart = presentCart(cartId, await readCart(db, cartId), config.CURRENCY);
  const options = await optionsOfProducts(
    db,
    cart.items.map(({ product_id }) => product_id),
  );
  const items = cart.items.map((item) => {
    const { color = null, size = null } = options.get(item.product_id) ?? {};
    return { ...item, about: untold(item.name, [color, size]).join(' · ') };
  });
  return { ...cart, items };
}
