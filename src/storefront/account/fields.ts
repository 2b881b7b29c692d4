import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { requestValidator } from '../../kernel/http/validation.ts';

/** What a form asks for, what somebody sent, and what is wrong with it, in words for whoever filled it in. */

export type Field = {
  label: string;
  /** Goes on from "Enter …". */
  ask: string;
  /** The rule, as a sentence, where characters in the wrong places break it. */
  form?: string;
};
export type Fields<Name extends string = string> = Readonly<Record<Name, Field>>;

/** A fault of one field, or of the form as a whole. */
export type Fault = { field: string | null; message: string };

/** What a form sent under these names, as text; empty for what it did not send, or sent more than once. */
export function readForm<Name extends string>(request: FastifyRequest, names: readonly Name[]): Record<Name, string> {
  const body = (request.body ?? {}) as Record<string, unknown>;
  const texts = names.map((name) => [name, typeof body[name] === 'string' ? body[name] : ''] as const);
  // Nobody means the space that a keyboard puts behind a word; in a password it may be meant.
  return Object.fromEntries(
    texts.map(([name, text]) => [name, name.includes('password') ? text : text.trim()]),
  ) as Record<Name, string>;
}

type Schema = { properties: Record<string, object>; required?: readonly string[] };
type Limit = { keyword: string; params: { limit?: number } };

const compile = requestValidator();

/**
 * Judges what a form sent by the schema that the API judges by, each field on its own, so that all faults are told at
 * once. An empty field counts as one that was left out.
 */
export function judgeBy<Name extends string>(
  schema: Schema,
  fields: Fields<Name>,
): (sent: Record<Name, string>) => Fault[] {
  const required = new Set(schema.required);
  const judges = (Object.keys(fields) as Name[]).map((name) => {
    const validate = compile({ schema: schema.properties[name]!, method: 'POST', url: '', httpPart: 'body' }) as ((
      value: string,
    ) => boolean) & { errors?: Limit[] };
    return (sent: Record<Name, string>): Fault[] => {
      const field = fields[name];
      if (sent[name] === '') return required.has(name) ? [{ field: name, message: `Enter ${field.ask}.` }] : [];
      if (validate(sent[name])) return [];
      return [{ field: name, message: sentence(field, validate.errors![0]!) }];
    };
  });
  return (sent) => judges.flatMap((judge) => judge(sent));
}

function sentence({ label, form }: Field, { keyword, params }: Limit): string {
  if (keyword === 'minLength') return `${label} must have at least ${params.limit} characters.`;
  if (keyword === 'maxLength') return `${label} must have at most ${params.limit} characters.`;
  return form ?? `${label} holds a character that cannot be used there.`;
}

/** The fields that some refusals are about, by code. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  email_taken: ['email'],
  username_taken: ['username'],
  wrong_password: ['current_password', 'password'],
  otp_wrong: ['otp'],
};

export type Refusal = { code: string; status: number; headers: Record<string, string>; faults: Fault[] };

/**
 * Does what a form asks for; answers how it was refused, or null when it was done. What is no answer to what somebody
 * filled in (a defect, a shop that is too busy) is thrown on.
 */
export async function refusalOf(
  fields: Fields,
  sent: Readonly<Record<string, string>>,
  work: () => Promise<unknown>,
): Promise<Refusal | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const { status, message, details, code } = error;
    const faults = details.errors?.map(({ path, message }) => {
      const field = fields[path];
      if (!field) return { field: null, message: `${path} ${message}.` };
      return { field: path, message: sent[path] === '' ? `Enter ${field.ask}.` : `${field.label} ${message}.` };
    });
    const about = ABOUT[code]?.find((name) => fields[name]) ?? null;
    return {
      code,
      status,
      headers: details.headers ?? {},
      faults: faults ?? [{ field: about, message }],
    };
  }
}

/** The refusal of a form that is not even tried. */
export function invalid(faults: Fault[]): Refusal | null {
  return faults.length > 0 ? { code: validationFailed.code, status: 400, headers: {}, faults } : null;
}

/** The same for fields that were left empty. */
export function missing<Name extends string>(
  sent: Record<Name, string>,
  fields: Fields,
  names: readonly Name[],
): Refusal | null {
  const empty = names.filter((name) => sent[name] === '');
  return invalid(empty.map((name) => ({ field: name, message: `Enter ${fields[name]!.ask}.` })));
}
