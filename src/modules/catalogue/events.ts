import type { LoggedEvent } from '../../kernel/events.ts';

/** The cache tag of every public answer that shows anything of the catalogue. */
export const CATALOGUE_TAG = 'catalogue';

/** Types of events after which what the catalogue shows may differ. */
export function touchesCatalogue(event: LoggedEvent): boolean {
  return /^(product|stock|category|image)\.|^import\.(merged|stock_counted|completed)$/.test(event.type);
}
