/**
 * Errors that people are told about. Each has a stable code, defined once beside the module that raises it; http.ts
 * answers them as problem+json (RFC 9457). Anything else that is thrown is a defect and becomes a 500 without details.
 */

export type FieldError = { path: string; message: string };

type Details = { errors?: FieldError[]; headers?: Record<string, string>; [member: string]: unknown };

export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Extension members of the problem document, and headers of its answer. */
  readonly details: Details;

  constructor(kind: { code: string; status: number; title: string }, message: string, details: Details = {}) {
    super(message);
    this.name = 'AppError';
    this.code = kind.code;
    this.status = kind.status;
    this.title = kind.title;
    this.details = details;
  }
}

export type ErrorKind = ((message: string, details?: Details) => AppError) & {
  readonly code: string;
  readonly status: number;
  readonly title: string;
};

const kinds = new Map<string, ErrorKind>();

/**
 * Defines an error that people are told about: `const notFound = defineError('not_found', 404, 'Not found')`, raised by
 * `throw notFound('There is no product with this id.')`. A code is defined once in the whole program.
 */
export function defineError(code: string, status: number, title: string): ErrorKind {
  if (kinds.has(code)) throw new Error(`The error code ${code} is defined twice.`);
  const kind = { code, status, title };
  const make = Object.assign((message: string, details?: Details) => new AppError(kind, message, details), kind);
  kinds.set(code, make);
  return make;
}

/** Every error kind that loaded modules define, by code. */
export function errorKinds(): ErrorKind[] {
  return [...kinds.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}
