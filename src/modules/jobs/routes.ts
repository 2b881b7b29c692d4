import type { Http } from '../../kernel/http/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';

export function registerJobRoutes(_app: Http, _kernel: Kernel): void {}
