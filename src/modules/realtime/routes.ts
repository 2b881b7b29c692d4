import websocket, { type WebSocket } from '@fastify/websocket';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { API_HEADERS, type Http, validationFailed } from '../../kernel/http/index.ts';
import { allow, chooseProtocol, forbidden, hasRole, identityOf } from '../accounts/index.ts';
import { upgradeRequired } from './errors.ts';
import { type Feed, narrowTypes, PRODUCT_FEED } from './feeds.ts';
import type { Realtime } from './index.ts';
import { EventPage, EventQuery, FeedQuery, NoticesQuery, UserParams } from './schemas.ts';
import { socketWire, streamWire } from './wires.ts';

const TAGS = ['live'];
const NO_STORE = { 'cache-control': 'no-store' };
const STREAM_HEADERS = {
  ...API_HEADERS,
  ...NO_STORE,
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies that collect answers would keep events back.
  'x-accel-buffering': 'no',
};
const SOCKETS = {
  perMessageDeflate: false,
  /** Nobody has anything to say on these sockets. */
  maxPayload: 1_024,
  /** How long the other side may take to confirm that a socket is closed, in milliseconds. */
  closeTimeout: 5_000,
  handleProtocols: chooseProtocol,
};

export async function registerRealtimeRoutes(app: Http, realtime: Realtime): Promise<void> {
  registerEventRoutes(app, realtime);
  await app.register(async (sockets) => {
    await sockets.register(websocket, {
      options: SOCKETS,
      // A fault of the other side, on which the socket closes by itself.
      errorHandler: () => {},
      preClose(done) {
        realtime.hangUp();
        done();
      },
    });
    registerSockets(sockets as unknown as Http, realtime);
  });
}

function registerEventRoutes(app: Http, realtime: Realtime): void {
  app.get(
    '/api/events',
    {
      config: allow('staff', 'events:read'),
      schema: {
        summary: 'Everything that happened: the audit trail',
        description:
          'The event log by cursor: ascending after `after`, or the newest first before `before`. With `import_id` the changes ' +
          'that one import made, product by product. A cursor older than what is kept is answered with 410 `cursor_expired`.',
        tags: TAGS,
        querystring: EventQuery,
        response: { 200: EventPage },
      },
    },
    async (request, reply) => {
      const page = await realtime.page(request.query);
      // As it stands: one event of a shape that nobody foresaw must not make the log unreadable.
      return reply.headers(NO_STORE).type('application/json; charset=utf-8').serializer(JSON.stringify).send(page);
    },
  );

  app.get(
    '/api/events/stream',
    {
      config: allow('staff', 'events:read'),
      schema: {
        summary: 'The event log, live, as Server-Sent Events',
        description:
          'First `{type: "ready", cursor}`, where it follows from; then each event as `data`, its cursor as `id`. What was ' +
          'missed since `Last-Event-ID`, or else since `after`, comes first. With `progress=true` also events named ' +
          '`import.progress`, without an id. A comment each half minute keeps the connection open.',
        tags: TAGS,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 100 })) }),
        querystring: FeedQuery,
        response: {
          200: {
            description: 'A stream without an end.',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
        },
      },
    },
    async (request, reply) => {
      const feed: Feed = { kind: 'log', types: narrowTypes(null, request.query.types) };
      // A browser that connects again sends the address of the first time, and with it what it saw last.
      const after = lastEventId(request) ?? request.query.after;
      await realtime.demandCursor(after);
      if (request.method === 'HEAD') return reply.headers(STREAM_HEADERS).send('');
      openStream(request, reply, realtime, { feed, after, wantsProgress: request.query.progress ?? false });
      return reply;
    },
  );
}

function lastEventId(request: FastifyRequest): number | undefined {
  const text = request.headers['last-event-id'];
  if (text === undefined || text === '') return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw validationFailed('Some fields are not valid.', {
    errors: [{ path: 'last-event-id', message: 'must be the cursor of an event' }],
  });
}

type Wish = { feed: Feed; after: number | undefined; wantsProgress: boolean };

function openStream(request: FastifyRequest, reply: FastifyReply, realtime: Realtime, wish: Wish): void {
  reply.hijack();
  const response = reply.raw;
  // Gone while the cursor was judged: nobody would tell that the stream is closed.
  if (response.destroyed) return;
  response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...STREAM_HEADERS });
  response.flushHeaders();
  response.on('error', () => {});
  const leave = realtime.open(streamWire(response), { identity: identityOf(request), ...wish });
  response.on('close', leave);
}

function openSocket(socket: WebSocket, request: FastifyRequest, realtime: Realtime, wish: Wish): void {
  const leave = realtime.open(socketWire(socket, request.raw.socket), { identity: identityOf(request), ...wish });
  socket.on('close', leave);
}

function registerSockets(app: Http, realtime: Realtime): void {
  const plainly = () => {
    throw upgradeRequired('Open this address as a WebSocket.', { headers: { upgrade: 'websocket' } });
  };

  app.route({
    method: 'GET',
    url: '/ws/products',
    config: allow('staff', 'events:read'),
    schema: { querystring: FeedQuery },
    // What is wrong is answered before the upgrade, while it still can be.
    async preHandler({ query }) {
      narrowTypes(PRODUCT_FEED, query.types);
      await realtime.demandCursor(query.after);
    },
    handler: plainly,
    wsHandler(socket, request) {
      const {
        after,
        types,
        progress = false,
      } = request.query as { after?: number; types?: string; progress?: boolean };
      const feed: Feed = { kind: 'log', types: narrowTypes(PRODUCT_FEED, types) };
      openSocket(socket, request as FastifyRequest, realtime, { feed, after, wantsProgress: progress });
    },
  });

  app.route({
    method: 'GET',
    url: '/ws/notifications/:user_id',
    config: allow('user'),
    schema: { params: UserParams, querystring: NoticesQuery },
    async preHandler(request) {
      const identity = identityOf(request);
      if (request.params.user_id.toLowerCase() !== identity.userId && !hasRole(identity, 'superuser'))
        throw forbidden('These are the notices of somebody else.');
      await realtime.demandCursor(request.query.after);
    },
    handler: plainly,
    wsHandler(socket, request) {
      const { user_id: userId } = request.params as { user_id: string };
      const { after } = request.query as { after?: number };
      const identity = identityOf(request as FastifyRequest);
      const feed: Feed = {
        kind: 'notices',
        userId: userId.toLowerCase(),
        namesStaff: hasRole(identity, 'superuser'),
        tellsStock: hasRole(identity, 'staff'),
      };
      openSocket(socket, request as FastifyRequest, realtime, { feed, after, wantsProgress: false });
    },
  });
}
