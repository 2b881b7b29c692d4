import type { LoggedEvent } from '../../kernel/events.ts';
import { stockMovedBy } from '../orders/events.ts';

/** The cache tag of every public answer that shows anything of the catalogue. */
export const CATALOGUE_TAG = 'catalogue';

/** Whether what the catalogue shows may differ after the event. */
export function touchesCatalogue(event: LoggedEvent): boolean {
  return touchesMoreThanStock(event) || movesStock(event);
}

/** Whether categories, and which products stand in them, may differ too: stock hides nothing. */
export function touchesMoreThanStock({ type }: LoggedEvent): boolean {
  return /^(product|category|image)\.|^import\.(merged|completed)$/.test(type);
}

function movesStock(event: LoggedEvent): boolean {
  return /^stock\.|^import\.stock_counted$/.test(event.type) || Object.keys(stockMovedBy(event)).length > 0;
}
