import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify';
import Type from 'typebox';
import type { Cache } from '../cache.ts';
import type { Config } from '../config.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { addressOf, bareForwarded } from './address.ts';
import { timeBody } from './body-time.ts';
import { type CachedAnswers, createCachedAnswers } from './cached-answers.ts';
import { type Keys, Replayed, sendAgain, takeKeys } from './idempotency.ts';
import { holdsUnstorable, nestsDeeperThan } from './json-text.ts';
import { ALL_REQUESTS, createLimits, type Limit, type Taken } from './limits.ts';
import { collectMethods } from './methods.ts';
import {
  badRequest,
  headersTooLarge,
  hostNotAllowed,
  methodNotAllowed,
  notFound,
  Problem,
  type ProblemDocument,
  toAppError,
  tooManyRequests,
  toProblem,
  validationFailed,
} from './problem.ts';
import { API_HEADERS, PAGE_HEADERS } from './security-headers.ts';
import { requestValidator } from './validation.ts';

export { networkOf } from './address.ts';
export { allowTime } from './body-time.ts';
export { matchesEtag } from './cached-answers.ts';
export { claimForm } from './idempotency.ts';
export type { Limit } from './limits.ts';
export * from './problem.ts';
export { API_HEADERS } from './security-headers.ts';

export type Http = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  import('node:http').ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers public GETs from the cache. */
    answers: CachedAnswers;
  }
  interface FastifyContextConfig {
    /** A limit of this route's own, on top of the one on all requests. */
    limit?: Limit;
  }
}

export type HttpOptions = {
  config: Pick<Config, 'ALLOWED_HOSTS' | 'CORS_ORIGINS' | 'TRUST_PROXY' | 'RATE_LIMIT'>;
  cache: Cache;
  log: Logger;
  /** Draws an error for people; everything outside `/api` and `/health` is theirs. */
  errorPage: (problem: ProblemDocument) => string;
  /** Whether an Authorization header is known to be good, without asking anybody. */
  credentialsHold?: (authorization: string) => boolean;
  /** Idempotency keys; without this the header is ignored. */
  keys?: Keys;
};

/** Feeds and images, which come later, set limits of their own. */
const BODY_LIMIT = 1024 * 1024;

/** Nothing that is asked for here nests deeper; what walks through a value may then do it by calling itself. */
const MAX_NESTING = 64;

const CLOSE_IDLE_MS = 100;
/** How long a server that is asked to close waits for the answers under way. */
const CLOSE_ALL_MS = 10_000;

/** Whether the address belongs to programs, whose errors are problem documents. */
function isForPrograms(url: string): boolean {
  return /^\/(api|health|ws)(\/|\?|$)/.test(url);
}

/** Whether it asks for a WebSocket, at an address where there may be one. */
function isForSockets({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && /^\/ws\//.test(url ?? '') && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Whether the connection of a request still owes an answer to one before it. Node says so in a private field alone;
 * counting answers for it would be done for every request, for the sake of a few that nobody means well by.
 */
function owesAnswer({ socket }: IncomingMessage): boolean {
  return Boolean((socket as { _httpMessage?: unknown })._httpMessage);
}

/**
 * The Fastify instance that modules register their routes on.
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { config, cache, log, errorPage } = options;
  // Random for the process, counted within it: unique enough to find a line in a log, and free.
  const idPrefix = `${randomBytes(6).toString('base64url')}-`;
  let requests = 0;
  const hasOrigins = config.CORS_ORIGINS.length > 0;
  const answers = createCachedAnswers(cache, {
    vary: hasOrigins ? 'origin, accept-encoding' : 'accept-encoding',
    ...(options.credentialsHold ? { credentialsHold: options.credentialsHold } : {}),
  });
  const limits = config.RATE_LIMIT ? createLimits() : undefined;
  const taken = new WeakMap<IncomingMessage, Taken>();
  const upgrades = new WeakSet<IncomingMessage>();
  const arrive = (request: IncomingMessage): Taken | undefined => {
    if (config.TRUST_PROXY > 0) bareForwarded(request);
    const counted = limits?.take(ALL_REQUESTS, addressOf(request, config.TRUST_PROXY));
    if (counted) taken.set(request, counted);
    return counted;
  };
  const allowedHosts = new Set(config.ALLOWED_HOSTS.map((host) => host.toLowerCase()));
  const answersTo = (host: string | undefined) =>
    allowedHosts.size === 0 || allowedHosts.has((host ?? '').toLowerCase().replace(/:\d+$/, ''));
  const app = Fastify({
    // Requests are not logged one by one; what fails is logged by sendError.
    loggerInstance: log.child({}, { level: log.level === 'info' ? 'warn' : log.level }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: (_address, hop) => hop < config.TRUST_PROXY,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    // What comes on a kept connection while the server closes is answered like any other, and the connection closed with it.
    return503OnClosing: false,
    serverFactory(route) {
      const server = createServer(
        {
          requestTimeout: 0,
          headersTimeout: 60_000,
          keepAliveTimeout: 65_000,
          shouldUpgradeCallback(request) {
            // Any other wish to upgrade is ignored, as it may be (RFC 9110, 7.8), and the request answered as it stands.
            if (!isForSockets(request) || server.listenerCount('upgrade') === 0) return false;
            // Behind another request, Node would hand over a connection that nobody reads or closes any more.
            if (owesAnswer(request)) return false;
            // An upgrade comes to the router without passing through the function below.
            arrive(request);
            upgrades.add(request);
            return true;
          },
        },
        (request, response) => {
          // A whole URL in the request line means its path (RFC 9112, 3.2.2).
          if (request.url?.[0] !== '/' && request.url)
            request.url = request.url.replace(/^https?:\/\/[^/?#]*(?=[/?]|$)/i, '') || '/';
          const counted = arrive(request);
          const mayBeFast = counted?.allowed !== false && answersTo(request.headers.host);
          if (mayBeFast && answers.answerFast(request, response, counted?.head ?? [])) return;
          route(request, response);
        },
      );
      return server;
    },
    // A logger of its own for each request costs more than a cached answer does; errors are logged with the request's id.
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      if (given !== undefined && typeof given === 'string' && /^[\w.-]{8,64}$/.test(given)) return given;
      requests += 1;
      return idPrefix + requests.toString(36);
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 400 },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler(error, socket) {
      const code = (error as { code?: string }).code;
      if (!socket.writable || code === 'ECONNRESET') return socket.destroy();
      const refused =
        code === 'HPE_HEADER_OVERFLOW'
          ? headersTooLarge('The address and the headers of the request are larger than 16 kB together.')
          : badRequest('This is no HTTP request that can be understood.');
      const body = JSON.stringify(toProblem(refused, '-'));
      socket.end(
        `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    },
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as Http;

  const drawError = (problem: ProblemDocument): string => {
    try {
      return errorPage(problem);
    } catch (error) {
      log.error({ err: error }, 'the page of an error could not be drawn');
      return '<!doctype html><title>Something went wrong</title><h1>Something went wrong</h1>';
    }
  };

  const sendError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const error: AppError = toAppError(thrown);
    if (error.status >= 500)
      request.log.error({ err: thrown, request_id: request.id, route: request.routeOptions?.url }, 'a request failed');
    const problem = toProblem(error, request.id);
    if (upgrades.has(request.raw)) {
      // Nobody reads from the connection of a refused upgrade any more.
      reply.header('connection', 'close').raw.once('finish', () => request.raw.socket.destroySoon());
    }
    reply
      .code(error.status)
      .headers({ 'x-request-id': request.id, 'cache-control': 'no-store', ...error.details.headers });
    if (isForPrograms(request.raw.url ?? '/')) {
      return reply
        .headers(API_HEADERS)
        .header('content-type', 'application/problem+json')
        .send(Buffer.from(JSON.stringify(problem)));
    }
    return reply.headers(PAGE_HEADERS).header('content-type', 'text/html; charset=utf-8').send(drawError(problem));
  };

  app.setValidatorCompiler(requestValidator());
  app.setErrorHandler((error, request, reply) =>
    error instanceof Replayed ? sendAgain(reply, error.answer) : sendError(error, request, reply),
  );
  app.setNotFoundHandler((request, reply) => sendError(notFound('There is nothing at this address.'), request, reply));
  app.addSchema(Problem);
  await app.register(cookie);

  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (holdsUnstorable(body as string))
      done(badRequest('The body holds a NUL character, or half of a character (a lone surrogate).'), undefined);
    else if (nestsDeeperThan(body as string, MAX_NESTING))
      done(badRequest(`The body nests lists and objects deeper than ${MAX_NESTING} levels.`), undefined);
    else parseJson(request, body as string, done);
  });

  app.decorate('answers', answers);

  const limit = (request: FastifyRequest, reply: FastifyReply) => {
    const own = request.routeOptions.config?.limit;
    const counted = [taken.get(request.raw), own && limits?.take(own, request.ip)];
    for (const each of counted) {
      if (!each) continue;
      for (let i = 0; i < each.head.length; i += 2) reply.header(each.head[i]!, each.head[i + 1]!);
      if (!each.allowed)
        return tooManyRequests(`There were too many requests from your address. Try again in ${each.retryAfter} s.`, {
          headers: { 'retry-after': String(each.retryAfter) },
        });
    }
    return undefined;
  };

  app.addHook('preClose', (done) => {
    // Connections whose requests were under way when the server was asked to close are idle later, and kept alive for long.
    const closing = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_MS).unref();
    const patience = setTimeout(() => app.server.closeAllConnections(), CLOSE_ALL_MS).unref();
    app.server.once('close', () => {
      clearInterval(closing);
      clearTimeout(patience);
    });
    done();
  });

  const methodsOf = collectMethods(app);
  app.addHook('onRequest', (request, reply, done) => {
    timeBody(request);
    const refused = limit(request, reply);
    if (refused) return done(refused);
    if (!answersTo(request.host)) return done(hostNotAllowed('This shop does not answer to that host name.'));
    if (request.raw.url?.includes('%00')) return done(badRequest('The address holds a NUL character.'));
    if (request.is404) {
      // Before a body is read or judged.
      const allow = methodsOf((request.raw.url ?? '/').split('?', 1)[0]!).join(', ');
      if (allow) return done(methodNotAllowed(`Only ${allow} can be used here.`, { headers: { allow } }));
    }
    done();
  });

  if (hasOrigins)
    await app.register(cors, {
      origin: [...config.CORS_ORIGINS],
      // An OPTIONS that is no preflight is a request like any other.
      strictPreflight: false,
      exposedHeaders: [
        'etag',
        'location',
        'x-request-id',
        'ratelimit-limit',
        'ratelimit-remaining',
        'ratelimit-reset',
        'retry-after',
        'idempotent-replayed',
        'x-cart-token',
      ],
    });

  describeEveryRoute(app);
  if (options.keys) takeKeys(app, options.keys);
  return app;
}

/** What every API route has without saying so: unknown query parameters and bodies refused, problems documented. */
function describeEveryRoute(app: Http): void {
  const nothing = Type.Object({}, { additionalProperties: false });
  const problem = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
  });
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/api/')) {
      route.schema = Object.assign(route.schema ?? {}, { hide: true });
      return;
    }
    const schema = route.schema ?? {};
    route.schema = {
      querystring: nothing,
      ...schema,
      response: {
        ...((schema.response as object) ?? {}),
        '4xx': problem('What was wrong, and what to do.'),
        '5xx': problem('It is not the request’s fault. With `Retry-After`, try again.'),
      },
    };
    if (!schema.body) route.preValidation = [route.preValidation ?? [], refuseBody].flat();
  });
}

/** For routes that take no body: one with nothing in it is let pass, since many clients cannot send none. */
function refuseBody({ body }: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const errors = isObject
    ? Object.keys(body).map((path) => ({ path, message: 'is not known here' }))
    : [{ path: '', message: 'must be left out, or {}' }];
  const isEmpty = body === undefined || errors.length === 0;
  done(isEmpty ? undefined : validationFailed('Nothing is to be said in the body here.', { errors }));
}
