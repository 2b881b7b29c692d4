import { defineError } from '../../kernel/errors.ts';

export const importNotFound = defineError('import_not_found', 404, 'Import not found');
export const importNotCancellable = defineError('import_not_cancellable', 409, 'The import can no longer be cancelled');
export const feedTooLarge = defineError('feed_too_large', 413, 'The feed is too large');
