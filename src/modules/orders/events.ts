import type { LoggedEvent } from '../../kernel/events.ts';

/**
 * Tracked products whose stock an order took, or gave back when it was cancelled, by their ids: what was on hand before
 * and after. None for other events.
 */
export function stockMovedBy({
  type,
  data,
}: Pick<LoggedEvent, 'type' | 'data'>): Readonly<Record<string, { from: number; to: number }>> {
  const isOrder = type === 'order.placed' || type === 'order.status_changed';
  return isOrder ? ((data.stock ?? {}) as Record<string, { from: number; to: number }>) : {};
}
