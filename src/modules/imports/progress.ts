import { setTimeout as sleep } from 'node:timers/promises';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ImportProgress } from './import-report.ts';
import { type RunningImport, runningImports } from './store.ts';

/** Said on the bus when the row of a running import shows that it is further than before. */
export const PROGRESS_TOPIC = 'imports.progress';

/** At most this often each import is told of. */
const EACH_MS = 500;

type ProgressMessage = {
  type: 'import.progress';
  import: Omit<RunningImport, 'merged'> & { status: 'running'; phase: ImportProgress['phase'] };
};

/**
 * Tells how far running imports are, whichever process runs them, for as long as anybody asks: their rows are read once
 * for everybody.
 */
export function watchProgress(
  { db, bus, log }: Pick<Kernel, 'db' | 'bus' | 'log'>,
  { isAsked, tell }: { isAsked: () => boolean; tell: (message: ProgressMessage) => void },
): { stop(): void } {
  const told = new Map<string, string>();
  let looking = false;
  let again = false;
  let stopped = false;

  const look = async () => {
    const running = await runningImports(db);
    for (const row of running) {
      const message = present(row);
      const text = JSON.stringify(message);
      if (told.get(row.id) !== text) tell(message);
      told.set(row.id, text);
    }
    const ids = new Set(running.map(({ id }) => id));
    for (const id of told.keys()) if (!ids.has(id)) told.delete(id);
  };

  const onProgress = async () => {
    again = true;
    if (looking) return;
    looking = true;
    while (again && isAsked() && !stopped) {
      again = false;
      await look().catch((error: unknown) => log.warn({ err: error }, 'the progress of imports could not be read'));
      await sleep(EACH_MS, undefined, { ref: false });
    }
    looking = false;
  };

  const unsubscribe = bus.subscribe(PROGRESS_TOPIC, () => void onProgress());
  return {
    stop() {
      stopped = true;
      unsubscribe();
    },
  };
}

function present({ merged, ...row }: RunningImport): ProgressMessage {
  const isRead = row.size_bytes !== null && row.bytes_read >= row.size_bytes;
  const phase = merged ? 'stock' : isRead ? 'merging' : 'reading';
  return { type: 'import.progress', import: { ...row, status: 'running', phase } };
}
