import type { FeedIssue } from './feed/read-feed.ts';

export const MODES = ['create', 'upsert'] as const;
export type ImportMode = (typeof MODES)[number];

export const STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type ImportStatus = (typeof STATUSES)[number];

export type ImportCounts = {
  read: number;
  created: number;
  updated: number;
  unchanged: number;
  existing: number;
  rejected: number;
};

export const NOTHING: ImportCounts = { read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0 };

/** Why the file as a whole was refused; nothing was changed. */
export type ImportFailure = { code: string; message: string; line: number | null; column: number | null };

/** The import as a whole is refused, for a reason that people are told. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused';
  readonly failure: ImportFailure;
  constructor(failure: ImportFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A failure that has no place in the file. */
export function failure(code: string, message: string): ImportFailure {
  return { code, message, line: null, column: null };
}

export type ImportReport = {
  id: string;
  status: 'completed' | 'failed' | 'cancelled';
  mode: ImportMode;
  file_name: string;
  size_bytes: number;
  counts: ImportCounts;
  error: ImportFailure | null;
  seconds: number;
};

export type ImportIssue = Omit<FeedIssue, 'code'> & { code: string };

/** Where an import is; `share` of the file is `bytesRead / sizeBytes`. */
export type ImportProgress = {
  phase: 'reading' | 'merging' | 'stock';
  bytesRead: number;
  sizeBytes: number;
  rows: number;
};
