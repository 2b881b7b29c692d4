import { defineError } from '../../kernel/errors.ts';

export const productNotFound = defineError('product_not_found', 404, 'Product not found');
export const categoryNotFound = defineError('category_not_found', 404, 'Category not found');
export const invalidCursor = defineError('invalid_cursor', 400, 'The cursor is not valid');
export const pageTooDeep = defineError('page_too_deep', 400, 'The page is too deep');
