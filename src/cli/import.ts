import { once } from 'node:events';
import { createWriteStream, openSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { type Config, callerFolder } from '../kernel/config.ts';
import {
  type ImportIssue,
  type ImportMode,
  type ImportProgress,
  type ImportReport,
  ISSUES_HEADER,
  issueLine,
} from '../modules/imports/index.ts';
import { openShop, ShopError, servedUrl } from '../shop.ts';

export type ImportOptions = { mode: ImportMode; dryRun: boolean; json: boolean; issues?: string };

/** What the terminal shows of the issues; the rest is in the file of `--issues`. */
const SHOWN_ISSUES = 20;

/** Imports a feed from a file and says how it went. The exit code: 0 when it was applied, 1 when refused as a whole. */
export async function importFile(
  config: Config,
  file: string,
  options: ImportOptions,
  say: (sentence: string) => void,
): Promise<number> {
  const path = resolve(callerFolder(), file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || found.isDirectory()) throw new ShopError(`There is no file ${path}.`);
  const issues = issueCollector(options.issues === undefined ? undefined : resolve(callerFolder(), options.issues));
  const shop = await openShop(config, { say, applicationName: 'vitrine import' });
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('stopped'));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const bar = process.stderr.isTTY && !options.json ? progressBar() : undefined;
  try {
    const report = await shop.imports.run({
      path,
      mode: options.mode,
      dryRun: options.dryRun,
      ownUrl: await servedUrl(shop),
      signal: abort.signal,
      onIssues: issues.take,
      onProgress: (progress) => bar?.show(progress),
    });
    bar?.stop();
    await shop.events.flush();
    await issues.close();
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...report, dry_run: options.dryRun, issues: issues.all })}\n`
        : summary(report, issues, options),
    );
    return report.status === 'completed' ? 0 : 1;
  } finally {
    bar?.stop();
    await shop.close();
  }
}

function progressBar() {
  const bar = new SingleBar({
    format: '{phase} {bar} {percentage}% | {rows} rows, {rate} rows/s | {left}',
    clearOnComplete: true,
    hideCursor: true,
    stopOnComplete: false,
  });
  const began = Date.now();
  let started = false;
  return {
    show({ phase, bytesRead, sizeBytes, rows }: ImportProgress) {
      const seconds = Math.max(0.001, (Date.now() - began) / 1000);
      const share = sizeBytes === 0 ? 1 : bytesRead / sizeBytes;
      const left =
        phase === 'reading' && share > 0
          ? `${Math.ceil((seconds / share) * (1 - share))} s left to read`
          : 'writing to the catalogue …';
      const payload = { phase: phase.padEnd(8), rows, rate: Math.round(rows / seconds), left };
      if (!started) bar.start(sizeBytes, bytesRead, payload);
      else bar.update(bytesRead, payload);
      started = true;
    },
    stop: () => bar.stop(),
  };
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new ShopError(`The issues cannot be written to ${path}: ${(error as Error).message}`);
  }
}

type Issues = ReturnType<typeof issueCollector>;

function issueCollector(path: string | undefined) {
  const file = path === undefined ? undefined : createWriteStream('', { fd: openForWriting(path) });
  file?.write(ISSUES_HEADER);
  const all: ImportIssue[] = [];
  const byCode = new Map<string, number>();
  return {
    all,
    byCode,
    take(issues: readonly ImportIssue[]) {
      for (const issue of issues) {
        if (all.length < 10_000) all.push(issue);
        byCode.set(issue.code, (byCode.get(issue.code) ?? 0) + 1);
        file?.write(issueLine(issue));
      }
    },
    async close() {
      if (!file) return;
      file.end();
      await once(file, 'finish');
    },
  };
}

function summary(report: ImportReport, issues: Issues, options: ImportOptions): string {
  const { counts, error } = report;
  if (report.status === 'cancelled') return 'The import was stopped; nothing was changed.\n';
  if (error) {
    const where =
      error.line === null ? '' : ` (line ${error.line}${error.column === null ? '' : `, column ${error.column}`})`;
    return `Refused: ${error.message}${where}\nNothing was changed.\n`;
  }
  const lines = [
    `${options.dryRun ? 'Tried (nothing was changed)' : 'Imported'} ${report.file_name} in ${report.seconds.toFixed(1)} s`,
    ...Object.entries(counts).map(([name, count]) => `  ${name.padEnd(10)} ${count.toLocaleString('en')}`),
  ];
  if (issues.all.length > 0) {
    lines.push(
      '',
      ...issues.all
        .slice(0, SHOWN_ISSUES)
        .map(
          (issue) =>
            `  line ${issue.line}${issue.sku ? ` (${issue.sku})` : ''}: ${issue.message}${issue.rejected ? ' Rejected.' : ''}`,
        ),
    );
    const total = [...issues.byCode.values()].reduce((sum, count) => sum + count, 0);
    if (total > SHOWN_ISSUES) {
      lines.push(
        `  … and ${(total - SHOWN_ISSUES).toLocaleString('en')} more (${[...issues.byCode].map(([code, count]) => `${code}: ${count}`).join(', ')}).`,
      );
      if (!options.issues) lines.push('  --issues FILE writes all of them as CSV.');
    }
  }
  return `${lines.join('\n')}\n`;
}
