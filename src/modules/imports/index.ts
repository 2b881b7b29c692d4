import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { takeUpImports } from './complete-import.ts';
import type { ImportReport } from './import-report.ts';
import { type ImportRequest, runImport } from './run-import.ts';

export type { ImportIssue, ImportMode, ImportProgress, ImportReport } from './import-report.ts';

export type Imports = {
  run(request: ImportRequest): Promise<ImportReport>;
  readonly jobs: readonly Job<never>[];
};

export function createImports(kernel: Pick<Kernel, 'db' | 'events' | 'config' | 'clock' | 'log'>): Imports {
  const takeUp = defineJob({ name: 'imports.take_up', cron: '* * * * *', run: () => takeUpImports(kernel) });
  return { run: (request) => runImport(kernel, request), jobs: [takeUp] };
}
