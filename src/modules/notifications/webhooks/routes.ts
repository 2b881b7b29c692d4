import type { Http } from '../../../kernel/http/index.ts';
import type { Webhooks } from './index.ts';

export function registerWebhookRoutes(_app: Http, _webhooks: Webhooks): void {}
