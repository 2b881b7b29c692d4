import { defineError } from '../../kernel/errors.ts';

export { invalidCursor, pageTooDeep } from '../../kernel/paging.ts';

export const productNotFound = defineError('product_not_found', 404, 'Product not found');
export const categoryNotFound = defineError('category_not_found', 404, 'Category not found');
export const slugTaken = defineError('slug_taken', 409, 'The slug is taken');
export const skuTaken = defineError('sku_taken', 409, 'The SKU is taken');
export const stockChanged = defineError('stock_changed', 409, 'The stock has changed in the meantime');
export const insufficientStock = defineError('insufficient_stock', 409, 'There is not enough in stock');
export const stockNotTracked = defineError('stock_not_tracked', 409, 'The stock is not tracked');
export const productNotArchived = defineError('not_archived', 409, 'The product is not archived');
export const categoryNameTaken = defineError('category_name_taken', 409, 'The name is taken');
export const categoryCycle = defineError('category_cycle', 409, 'A category cannot stand below itself');
export const categoryNotEmpty = defineError('category_not_empty', 409, 'The category is not empty');
export const catalogueBusy = defineError('catalogue_busy', 503, 'The catalogue is busy');
