import type { Http } from '../../kernel/http/index.ts';
import type { Realtime } from './index.ts';

export async function registerRealtimeRoutes(_app: Http, _realtime: Realtime): Promise<void> {}
