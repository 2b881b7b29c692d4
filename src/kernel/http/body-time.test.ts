import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { allowTime, timeBody } from './body-time.ts';

let app: FastifyInstance;
afterEach(() => app.close());

async function listen(): Promise<number> {
  app = Fastify({
    serverFactory: (route) => createServer({ requestTimeout: 0 }, route) as Server,
    clientErrorHandler: (_, socket) => void socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'),
  });
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('onRequest', async (request) => timeBody(request, 300));
  app.post('/slow', async (request) => {
    allowTime(request, 3_000);
    return text(request.raw);
  });
  app.post('/', (request) => text(request.raw));
  app.get('/', async () => {
    await sleep(500);
    return 'late';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

async function exchange(port: number, head: string, rest: string, afterMs: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answer = text(socket);
  socket.write(`${head}\r\nhost: a\r\nconnection: close\r\ncontent-type: a/b\r\n`);
  socket.write(rest.slice(0, -1));
  await sleep(afterMs);
  if (socket.writable) socket.write(rest.slice(-1));
  return answer;
}

it('ends a request whose body does not come, and none that is answered late', async () => {
  const port = await listen();
  const body = 'content-length: 2\r\n\r\nok';
  expect(await exchange(port, 'POST / HTTP/1.1', body, 50)).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  expect(await exchange(port, 'POST / HTTP/1.1', body, 600)).toMatch(/^HTTP\/1.1 400 /);
  expect(
    await exchange(port, 'POST / HTTP/1.1', 'transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 600),
  ).toMatch(/^HTTP\/1.1 400 /);
  expect(await exchange(port, 'GET / HTTP/1.1', '\r\n', 10)).toMatch(/^HTTP\/1.1 200 .*late$/s);
});

it('waits longer where it was told to', async () => {
  const port = await listen();
  expect(await exchange(port, 'POST /slow HTTP/1.1', 'content-length: 2\r\n\r\nok', 600)).toMatch(
    /^HTTP\/1.1 200 .*ok$/s,
  );
});
