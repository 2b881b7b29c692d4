/** The embedded PostgreSQL cannot be used. The message is one sentence for the person who started it; no stack is needed. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}

/** The words of an unknown thrown value, to be put into a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an unknown thrown value (`ENOENT`, or PostgreSQL's `57P03`). */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
