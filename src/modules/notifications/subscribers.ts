import type { Kernel } from '../../kernel/kernel.ts';
import type { Notifications } from './index.ts';

/** What messages need to know of other modules' things, handed over by the composition root. */
export type Sources = {
  publicUrl: string;
};

/** Has messages written about what happens: to staff, and to customers about their orders. */
export function subscribeMails(_kernel: Kernel, _notifications: Notifications, _sources: Sources): void {}
