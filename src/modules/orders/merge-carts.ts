import type { OrdersContext } from './index.ts';

/** Moves the lines of a guest's cart into a user's, where the same product's quantities are added up (to 999 at most). */
export async function mergeCarts(_context: OrdersContext, _guestCartId: string, _userId: string): Promise<void> {
  throw new Error('not yet');
}
