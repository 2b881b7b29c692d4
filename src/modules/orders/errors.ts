import { defineError } from '../../kernel/errors.ts';

export const cartEmpty = defineError('cart_empty', 409, 'The cart is empty');
export const cartFull = defineError('cart_full', 409, 'The cart is full');
export const cartItemNotFound = defineError('cart_item_not_found', 404, 'Cart item not found');
export const priceChanged = defineError('price_changed', 409, 'The price has changed');
export const orderNotFound = defineError('order_not_found', 404, 'Order not found');
export const illegalTransition = defineError('illegal_transition', 409, 'The order cannot become that');
export const stockOutOfRange = defineError('stock_out_of_range', 409, 'There is no room for it in stock');
export const ordersBusy = defineError('orders_busy', 503, 'Others are changing the same things just now');
