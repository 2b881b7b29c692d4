import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { FieldError } from '../../../kernel/errors.ts';
import { allowTime } from '../../../kernel/http/body-time.ts';
import { badRequest, type Http, unsupportedMediaType, validationFailed } from '../../../kernel/http/index.ts';
import { MAX_IMAGE_BYTES, tooLarge } from './render.ts';

/**
 * Images as multipart/form-data: the field `file`, and fields of text beside it. Read by hand and into memory, since an
 * image is judged and worked on as a whole.
 */

/** For 20 MB at half a megabit a second. */
const UPLOAD_TIME_MS = 6 * 60_000;
const MAX_FIELD = 500;
/** What the parts' heads and the texts add to the file. */
const MAX_OVERHEAD = 64 * 1024;

/** Has the routes of a scope take multipart/form-data and nothing else. */
export async function takeMultipart(scope: Http): Promise<void> {
  await scope.register(multipart, { throwFileSizeLimit: false });
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('*', (_request, _body, done) => done(notMultipart()));
  // A form is judged as it is read.
  const validate = scope.validatorCompiler!;
  scope.setValidatorCompiler((route) => (route.httpPart === 'body' ? () => true : validate(route)));
}

/** The schema of such a body, as the documentation shows it. */
export function asMultipart(schema: TSchema) {
  return { content: { 'multipart/form-data': { schema } } };
}

function notMultipart() {
  return unsupportedMediaType('Send the image as multipart/form-data, in the field `file`.');
}

/**
 * The file and the texts; `known` are the names of fields that there may be. Throws validation_failed, bad_request,
 * image_too_large, unsupported_media_type.
 */
export async function readUpload(
  request: FastifyRequest,
  known: readonly string[] = [],
): Promise<{ bytes: Buffer; texts: Record<string, string> }> {
  if (!request.isMultipart()) throw notMultipart();
  allowTime(request, UPLOAD_TIME_MS);
  if (Number(request.headers['content-length'] ?? 0) > MAX_IMAGE_BYTES + MAX_OVERHEAD) throw tooLarge();
  const errors: FieldError[] = [];
  const texts: Record<string, string> = {};
  let bytes: Buffer | undefined;
  let isTruncated = false;
  try {
    const limits = { fileSize: MAX_IMAGE_BYTES, fieldSize: MAX_FIELD * 4, fieldNameSize: 100, parts: 10 };
    for await (const part of request.parts({ limits })) {
      const { fieldname: path } = part;
      if (part.type === 'file') {
        const content = await part.toBuffer();
        if (path !== 'file') errors.push({ path, message: 'is not known here' });
        else if (bytes) errors.push({ path, message: 'must be one file' });
        bytes = content;
        isTruncated ||= part.file.truncated;
      } else if (!known.includes(path))
        errors.push({ path, message: path === 'file' ? 'must be a file' : 'is not known here' });
      else if (path in texts) errors.push({ path, message: 'must be given once' });
      else texts[path] = readText(part.value, path, errors);
    }
  } catch {
    throw badRequest('The body is no multipart/form-data that can be understood, or it broke off.');
  }
  if (isTruncated) throw tooLarge();
  if (!bytes && errors.length === 0) errors.push({ path: 'file', message: 'is required' });
  if (errors.length > 0 || !bytes) throw validationFailed('Some fields are not valid.', { errors });
  return { bytes, texts };
}

function readText(value: unknown, path: string, errors: FieldError[]): string {
  const text = typeof value === 'string' ? value.trim() : '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  if (typeof value !== 'string' || text.length > MAX_FIELD || /[\x00-\x1f\x7f]/.test(text))
    errors.push({ path, message: `must be one line of at most ${MAX_FIELD} characters` });
  return text;
}
