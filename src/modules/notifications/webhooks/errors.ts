import { defineError } from '../../../kernel/errors.ts';

export const webhookNotFound = defineError('webhook_not_found', 404, 'Webhook not found');
export const webhookDeliveryNotFound = defineError('webhook_delivery_not_found', 404, 'Delivery not found');
export const webhookLimitReached = defineError('webhook_limit_reached', 409, 'There are too many webhooks');
export const webhookInactive = defineError('webhook_inactive', 409, 'The webhook is switched off');
export const webhookEventExpired = defineError('webhook_event_expired', 409, 'The event is no longer kept');
