import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ImportReport } from './import-report.ts';
import { finishQuantities, type ImportRequest, runImport } from './run-import.ts';
import { unfinishedImports } from './store.ts';

export type { ImportIssue, ImportMode, ImportProgress, ImportReport } from './import-report.ts';

export type Imports = {
  run(request: ImportRequest): Promise<ImportReport>;
  readonly jobs: readonly Job<never>[];
};

export function createImports(kernel: Pick<Kernel, 'db' | 'events' | 'config' | 'clock' | 'log'>): Imports {
  const finish = defineJob({
    name: 'imports.finish_quantities',
    cron: '*/5 * * * *',
    async run() {
      for (const { id } of await unfinishedImports(kernel.db)) await finishQuantities(kernel, id, null);
    },
  });
  return { run: (request) => runImport(kernel, request), jobs: [finish] };
}
