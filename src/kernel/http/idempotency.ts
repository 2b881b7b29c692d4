import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, type Claim, type ClaimHolder, type Idempotency, onBehalfOf } from '../idempotency.ts';
import { isUuid } from '../ids.ts';
import type { Http } from './index.ts';
import { validationFailed } from './problem.ts';
import { API_HEADERS } from './security-headers.ts';

/**
 * The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) on every POST of the API that takes one.
 *
 * The key is claimed last before the handler, so that what may not be asked, or is not valid, needs no row; the answer is
 * kept last before it is sent. In between, what the handler commits is noted as done through the claim, which
 * `onBehalfOf` lets it find. A form is only read by its handler, so that one claims the key itself, by claimForm.
 */

declare module 'fastify' {
  interface FastifyRequest {
    /** The claim on the key that the request was sent with; null without one. */
    readonly idempotency: Claim | null;
  }
}

export type Keys = {
  claim: Idempotency['claim'];
  /** Who asks, of whom a key is then one's own; null for whoever cannot be told from others: their keys are not used. */
  callerOf(request: FastifyRequest): string | null;
  /** Whether the POST at this address of the API takes a key. */
  takesKey(url: string): boolean;
};

/** What the error handler answers as it was answered before. */
export class Replayed extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('It was answered before.');
    this.answer = answer;
  }
}

type Pending = ClaimHolder & { take: (asked: unknown) => Promise<void> };

const pending = new WeakMap<FastifyRequest, Pending>();

const PARAMETER = {
  type: 'string',
  description:
    'Of your choice, for this request alone: 1 to 255 visible ASCII characters, such as a UUID. Sent again with the same key ' +
    'and the same body within 24 hours, the request is not done again but answered as it was, with ' +
    '`Idempotent-Replayed: true`. Another body under the key is 422 `idempotency_key_reused`. While the first is still ' +
    'under way, a repetition waits for it for up to 5 s, then it is 409 `idempotency_key_in_use`. A refusal (4xx) frees ' +
    'the key. 409 `idempotency_answer_lost`: it was done, but not answered. Keys are the caller’s own (a user, an API ' +
    'key, a cart token), for each method and path.',
};

/** What of an answer's head is said again; never a cookie or a token. */
const KEPT_HEADERS = ['content-type', 'location', 'etag', 'cache-control'];

/** To be called before the routes that it is for. */
export function takeKeys(app: Http, { claim, callerOf, takesKey }: Keys): void {
  const claimKey = (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const key = readKey(request.headers['idempotency-key']);
    const caller = key === null ? null : callerOf(request);
    if (key === null || caller === null) return done();
    const { method, query } = request;
    const path = placeOf(request);
    const holder: Pending = {
      claim: null,
      async take(asked) {
        const outcome = await claim({ caller, method, path, key, request: canonical({ query, asked }) });
        if ('answer' in outcome) throw new Replayed(outcome.answer);
        holder.claim = outcome.claim;
      },
    };
    pending.set(request, holder);
    const goOn = () => onBehalfOf(holder, done);
    if (isForm(request)) goOn();
    else holder.take(request.body ?? null).then(goOn, done);
  };

  const keepAnswer = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> => {
    const holder = pending.get(request);
    const held = holder?.claim;
    if (!held) return;
    // What still runs on behalf of this request from here on is not part of what was asked.
    holder.claim = null;
    try {
      if (reply.statusCode >= 200 && reply.statusCode < 300) await held.settle(answerOf(reply, payload));
      else await held.free();
    } catch (error) {
      request.log.error({ err: error, route: request.routeOptions.url }, 'the answer under a key was not kept');
    }
  };

  app.addHook('onRoute', (route) => {
    if (route.method !== 'POST' || !route.url.startsWith('/api/') || !takesKey(route.url)) return;
    const { properties } = (route.schema?.headers ?? {}) as { properties?: object };
    route.schema = {
      ...route.schema,
      headers: { type: 'object', properties: { ...properties, 'Idempotency-Key': PARAMETER } },
    };
    route.preHandler = [route.preHandler ?? [], claimKey].flat();
    route.onSend = [route.onSend ?? [], keepAnswer].flat();
  });
  app.decorateRequest('idempotency', {
    getter() {
      return pending.get(this)?.claim ?? null;
    },
  });
}

/**
 * Claims the key of a request whose form its handler has read; without one, nothing. `asked` says all that the form holds, a
 * file as its hash. Where it was answered before, this throws what is answered again: let it pass, and remove what
 * was stored of the form.
 */
export async function claimForm(request: FastifyRequest, asked: () => unknown): Promise<void> {
  await pending.get(request)?.take(asked());
}

/** Answers what was answered before. */
export function sendAgain(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers({ ...API_HEADERS, 'cache-control': 'no-store', ...headers, 'idempotent-replayed': 'true' })
    .send(body === '' ? undefined : Buffer.from(body));
}

function answerOf(reply: FastifyReply, payload: unknown): Answer {
  if (payload !== null && payload !== undefined && typeof payload !== 'string' && !Buffer.isBuffer(payload))
    throw new Error('Only a body that is made as a whole can be kept under a key.');
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body: payload?.toString() ?? '' };
}

/** The key; null without one. The draft's form is a quoted string (RFC 8941, 3.3.3), but most clients send it bare. */
function readKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header);
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, '$1');
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw validationFailed('The header Idempotency-Key is not valid.', {
    errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters, such as a UUID' }],
  });
}

function isForm(request: FastifyRequest): boolean {
  return request.mediaType === 'multipart/form-data';
}

/** The address, which is the same however it is written: in percent-encoding, with a slash at its end, an id in capitals. */
function placeOf({ routeOptions, params }: FastifyRequest): string {
  const values = Object.values(params as Record<string, unknown>).map(String);
  return JSON.stringify([routeOptions.url, ...values.map((value) => (isUuid(value) ? value.toLowerCase() : value))]);
}

/** JSON that is the same for the same value, in whatever order its fields come. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
