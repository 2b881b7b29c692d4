import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A program elsewhere that receives webhooks. */

export type Received = {
  method: string;
  path: string;
  id: string;
  timestamp: number;
  headers: Record<string, string>;
  body: string;
};

export type Receiver = {
  url: string;
  received: Received[];
  /** How many requests were under way at once, at most. */
  most: number;
  connections: number;
  closed: number;
  /** What is done with a request once it was read; 204 for a status. It may be replaced at any time. */
  answer: Answering;
  stop(): Promise<void>;
};
type Answering = (request: Received, response: ServerResponse) => number | undefined | Promise<number | undefined>;

export async function startReceiver(answer: Answering = () => 204, host = '127.0.0.1'): Promise<Receiver> {
  let underWay = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    underWay += 1;
    receiver.most = Math.max(receiver.most, underWay);
    response.on('close', () => {
      underWay -= 1;
    });
    const headers = request.headers as Record<string, string>;
    const one = {
      method: request.method!,
      path: request.url!,
      id: headers['webhook-id']!,
      timestamp: Number(headers['webhook-timestamp']),
      headers,
      body: await text(request),
    };
    receiver.received.push(one);
    const status = await receiver.answer(one, response);
    if (status !== undefined) response.writeHead(status).end();
  };
  const server = createServer((request, response) => void handle(request, response));
  server.on('connection', (socket) => {
    receiver.connections += 1;
    socket.on('close', () => {
      receiver.closed += 1;
    });
  });
  const receiver: Receiver = {
    url: '',
    received: [],
    most: 0,
    connections: 0,
    closed: 0,
    answer,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, host);
  await once(server, 'listening');
  receiver.url = `http://${host}:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}
