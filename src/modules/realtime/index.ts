import type { Kernel } from '../../kernel/kernel.ts';
import type { Accounts } from '../accounts/index.ts';

/** The live feed: the event log on sockets and streams. */
export type Realtime = {
  /** Shows something that is no event of the log, such as how far an import is, to those who asked for it. */
  tell(message: { type: string }): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export function createRealtime(_kernel: Kernel, _accounts: Accounts): Realtime {
  return { tell() {}, async start() {}, async stop() {} };
}
