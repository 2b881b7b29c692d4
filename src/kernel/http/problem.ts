import Type from 'typebox';
import { AppError, defineError, type FieldError } from '../errors.ts';
import { claimLost } from '../idempotency.ts';

/** Errors that HTTP itself brings about; the modules define their own. */
export const validationFailed = defineError('validation_failed', 400, 'The request is not valid');
export const badRequest = defineError('bad_request', 400, 'The request cannot be understood');
export const notFound = defineError('not_found', 404, 'Not found');
export const methodNotAllowed = defineError('method_not_allowed', 405, 'Method not allowed');
const bodyTooLarge = defineError('body_too_large', 413, 'The body is too large');
const uriTooLong = defineError('uri_too_long', 414, 'The address is too long');
export const headersTooLarge = defineError('headers_too_large', 431, 'The headers are too large');
export const unsupportedMediaType = defineError('unsupported_media_type', 415, 'Media type not supported');
export const tooManyRequests = defineError('too_many_requests', 429, 'Too many requests');
export const hostNotAllowed = defineError('host_not_allowed', 400, 'Host not allowed');
const internalError = defineError('internal_error', 500, 'Something went wrong');
const unavailable = defineError('unavailable', 503, 'Not available now');

/** RFC 9457 problem details, as every error of the API is answered. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URI reference that names the kind of problem.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened, why, and what to do.' }),
    code: Type.String({ description: 'Stable; what programs decide by.' }),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem', additionalProperties: true },
);

export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
  errors?: FieldError[];
  [member: string]: unknown;
};

type FrameworkError = Error & {
  code?: string;
  statusCode?: number;
  validation?: AjvFault[];
  validationContext?: string;
};
type AjvFault = { instancePath: string; keyword: string; message?: string; params: Record<string, unknown> };

/** PostgreSQL's refusals that mean "not now" rather than a defect of ours: no connection, shutting down, time-out. */
const UNAVAILABLE = /^(08...|57P0.|53...|57014|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/;

/** Any thrown thing as the error that people are told about; what is not ours to tell becomes a bare 500. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const error = thrown as FrameworkError;
  if (error?.validation)
    return validationFailed('Some fields are not valid.', { errors: error.validation.map(toFieldError) });
  switch (error?.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge('The body is larger than this address accepts.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType('Send JSON, with Content-Type: application/json.');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return badRequest('The body is not valid JSON.');
    case 'FST_ERR_BAD_URL':
      return badRequest('The address holds a percent-encoding that is not valid.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return uriTooLong('A part of the address is longer than anything that it could name.');
  }
  if (error?.code === 'VT002') return claimLost();
  if (error?.code && UNAVAILABLE.test(error.code))
    return unavailable('The database did not answer in time. Try again in a moment.', {
      headers: { 'retry-after': '2' },
    });
  // What the database driver says of a connection that was lost has no code.
  if (error?.message && /^(Connection terminated|Client has encountered a connection error)/.test(error.message))
    return unavailable('The database went away. Try again in a moment.', { headers: { 'retry-after': '2' } });
  if (error?.message === 'timeout exceeded when trying to connect')
    return unavailable('The service is busy. Try again in a moment.', { headers: { 'retry-after': '2' } });
  if (error?.statusCode && error.statusCode >= 400 && error.statusCode < 500) return badRequest(error.message);
  return internalError('This is a fault of ours. Try again; if it stays, tell us the request id.');
}

export function toProblem(error: AppError, requestId: string): ProblemDocument {
  const { headers: _, ...members } = error.details;
  return {
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...members,
  };
}

function toFieldError(fault: AjvFault): FieldError {
  const at = fault.instancePath.slice(1).replaceAll('/', '.');
  const named = (name: unknown) => (at ? `${at}.${String(name)}` : String(name));
  switch (fault.keyword) {
    case 'additionalProperties':
      return { path: named(fault.params.additionalProperty), message: 'is not known here' };
    case 'required':
      return { path: named(fault.params.missingProperty), message: 'is required' };
    case 'enum':
      return {
        path: at,
        message: `must be one of ${(fault.params.allowedValues as unknown[]).map(String).join(', ')}`,
      };
    case 'const':
      return { path: at, message: `must be ${JSON.stringify(fault.params.allowedValue)}` };
    default:
      return { path: at, message: fault.message ?? 'is not valid' };
  }
}
