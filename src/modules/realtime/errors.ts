import { defineError } from '../../kernel/errors.ts';

export const cursorExpired = defineError('cursor_expired', 410, 'The cursor has expired');
export const upgradeRequired = defineError('upgrade_required', 426, 'This is a WebSocket');
