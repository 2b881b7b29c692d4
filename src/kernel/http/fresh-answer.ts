import type { FastifyReply } from 'fastify';
import { etagOf } from '../cache.ts';
import { API_HEADERS } from './security-headers.ts';

/**
 * Answers what no cache may keep: what was just written, or what not everyone may see. With a version it has the same
 * ETag that a public answer of the same bytes has.
 */
export function sendFresh(
  reply: FastifyReply,
  value: object,
  { status = 200, version }: { status?: 200 | 201; version?: number } = {},
) {
  const body = reply.getSerializationFunction(String(status))!(value as never);
  if (version !== undefined) reply.header('etag', etagOf(Buffer.from(body), version));
  return reply
    .code(status)
    .headers(API_HEADERS)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/json; charset=utf-8')
    .send(body);
}

/** Sends elsewhere, this once. */
export function redirectFresh(reply: FastifyReply, location: string) {
  return reply
    .code(301)
    .headers({ ...API_HEADERS, 'cache-control': 'no-store', location })
    .send();
}
