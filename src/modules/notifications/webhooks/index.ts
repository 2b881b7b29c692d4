import type { Job } from '../../../kernel/jobs.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Notifications } from '../index.ts';

export type Webhooks = { readonly jobs: readonly Job<never>[] };

export function createWebhooks(_kernel: Kernel, _notifications: Notifications): Webhooks {
  return { jobs: [] };
}
