import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { etagOf } from '../cache.ts';
import { API_HEADERS } from './security-headers.ts';

/** The head of such an answer, but for what every answer of the API has. */
export function headOfFresh(body: string | Buffer, version?: number): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    ...(version === undefined ? {} : { etag: etagOf(Buffer.from(body), version) }),
  };
}

/** The header fields of an answer that tells what was made, for the description of its route. */
export const MADE = {
  Location: Type.String({ description: 'The address of what was made.' }),
  ETag: Type.String({ description: 'Of its version, for `If-Match`.' }),
};

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
  return reply
    .code(status)
    .headers({ ...API_HEADERS, ...headOfFresh(body, version) })
    .send(body);
}

/** Sends elsewhere, this once. */
export function redirectFresh(reply: FastifyReply, location: string) {
  return reply
    .code(301)
    .headers({ ...API_HEADERS, 'cache-control': 'no-store', location })
    .send();
}
