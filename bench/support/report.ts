import { cpus } from 'node:os';

export type Figure = {
  what: string;
  measured: string;
  /** The same thing done bare, in the same run. */
  limit: string;
  ratio: number;
  target: string;
  met: boolean;
};

const figures: Figure[] = [];

export function report(figure: Figure): void {
  figures.push(figure);
  console.log(
    `${figure.met ? 'met   ' : 'MISSED'} ${figure.what}: ${figure.measured} against ${figure.limit}: ${figure.ratio.toFixed(2)} (target ${figure.target})`,
  );
}

/** All figures as a Markdown table, with what they were measured on. */
export function table(versions: string): string {
  const rows = figures.map(
    (f) =>
      `| ${f.what} | ${f.measured} | ${f.limit} | ${f.ratio.toFixed(2)} | ${f.target} | ${f.met ? 'met' : '**missed**'} |`,
  );
  return [
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${versions}, ${new Date().toISOString().slice(0, 10)}`,
    '',
    '| figure | measured | beside | ratio | target | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
