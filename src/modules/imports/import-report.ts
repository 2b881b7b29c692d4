import type { FeedIssue } from './feed/read-feed.ts';

export type ImportMode = 'create' | 'upsert';

export type ImportCounts = {
  read: number;
  created: number;
  updated: number;
  unchanged: number;
  existing: number;
  rejected: number;
};

/** Why the file as a whole was refused; nothing was changed. */
export type ImportFailure = { code: string; message: string; line: number | null; column: number | null };

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
