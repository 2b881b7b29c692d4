import { defineError } from '../../../kernel/errors.ts';

export const imageNotFound = defineError('image_not_found', 404, 'Image not found');
export const imageTypeNotAllowed = defineError('image_type_not_allowed', 415, 'The type of image is not supported');
export const imageTooLarge = defineError('image_too_large', 413, 'The image is too large');
export const imageTooManyPixels = defineError('image_too_many_pixels', 422, 'The image has too many pixels');
export const imageUnreadable = defineError('image_unreadable', 422, 'The image cannot be read');
export const tooManyImages = defineError('too_many_images', 409, 'The product has too many images');
