import type { IncomingMessage, Server } from 'node:http';
import type { FastifyRequest } from 'fastify';

/**
 * How long a request may take to arrive. Node has one limit for all requests alike (`requestTimeout`), too short for a
 * feed of two gigabytes or too long for everybody else; so it is off, and each request that has a body is timed here.
 */
const BODY_TIME_MS = 60_000;

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** To be called for every request, before its body is read. */
export function timeBody({ raw, server }: Pick<FastifyRequest, 'raw' | 'server'>, ms = BODY_TIME_MS): void {
  const { headers } = raw;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  clearTimeout(timers.get(raw));
  const timer = setTimeout(() => {
    const error = Object.assign(new Error('The request took too long to arrive.'), {
      code: 'ERR_HTTP_REQUEST_TIMEOUT',
    });
    // As Node does when its own limit is passed.
    (server.server as Server).emit('clientError', error, raw.socket);
  }, ms);
  if (!timers.has(raw)) raw.once('close', () => clearTimeout(timers.get(raw)));
  timers.set(raw, timer);
}

/** Gives the body of this request more time; to be called when it is known who sends it. */
export function allowTime(request: Pick<FastifyRequest, 'raw' | 'server'>, ms: number): void {
  if (timers.has(request.raw)) timeBody(request, ms);
}
