import type { ImportIssue } from './import-report.ts';

/** Issues as CSV (RFC 4180, with line feeds). */
export const ISSUES_HEADER = 'line,sku,field,code,message,rejected\n';

export function issueLine({ line, sku, field, code, message, rejected }: ImportIssue): string {
  return csvLine([line, sku, field, code, message, rejected]);
}

/** One line of CSV. What a spreadsheet would take for a formula is marked as text. */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return `${values.map(cell).join(',')}\n`;
}

function cell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  // Spreadsheets run what begins like a formula (OWASP, "CSV Injection").
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
