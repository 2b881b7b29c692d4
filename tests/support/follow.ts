import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { eventually } from '../../src/kernel/testing/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into messages that they have just waited for
export type Received = any;

/** A socket that is open, with what it has received. */
export type Following = {
  socket: WebSocket;
  /** All messages, `ready` being the first. */
  all: Received[];
  /** Those that have a cursor, without `ready`. */
  events: Received[];
  closed: Promise<{ code: number; reason: string }>;
  /** Waits until there are this many events. */
  has(count: number, ms?: number): Promise<Received[]>;
  close(): Promise<void>;
};

type Way = ClientOptions & { protocols?: string[] };

/** Opens a socket and waits for the first message. Throws what `refusal` reads when it is refused. */
export async function follow(url: string, path: string, { protocols = [], ...options }: Way = {}): Promise<Following> {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path, protocols, options);
  const all: Received[] = [];
  const events: Received[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    all.push(message);
    if (message.cursor !== undefined && message.type !== 'ready') events.push(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => reject(new Refused(response.statusCode!, JSON.parse(text))));
    });
  });
  socket.on('error', () => {});
  await eventually(() => {
    if (all.length === 0 && socket.readyState === WebSocket.OPEN) throw new Error('Nothing was received.');
  });
  return {
    socket,
    all,
    events,
    closed,
    async has(count, ms) {
      await eventually(() => {
        if (events.length < count) throw new Error(`Of ${count} events ${events.length} were received.`);
      }, ms);
      return events;
    },
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}

class Refused extends Error {
  readonly status: number;
  readonly problem: Received;
  constructor(status: number, problem: Received) {
    super(`refused with ${status} ${problem.code}`);
    this.status = status;
    this.problem = problem;
  }
}

/** How the socket is refused: `403 forbidden`. */
export async function refusal(url: string, path: string, way: Way = {}): Promise<string> {
  return (await refused(url, path, way)).message.replace('refused with ', '');
}

export async function refused(url: string, path: string, way: Way = {}): Promise<Refused> {
  try {
    const { socket } = await follow(url, path, way);
    socket.terminate();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error(`${path} was not refused.`);
}

/** A stream of Server-Sent Events, with the fields of each. */
export type Streaming = {
  status: number;
  headers: Headers;
  received: { id?: string; event?: string; data: Received }[];
  comments: number;
  /** Resolves when the server has ended it. */
  ended: Promise<void>;
  close(): void;
};

export async function stream(url: string, headers: Record<string, string>): Promise<Streaming> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const streaming: Streaming = {
    status: response.status,
    headers: response.headers,
    received: [],
    comments: 0,
    ended: Promise.resolve(),
    close: () => abort.abort(),
  };
  const read = async () => {
    let text = '';
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        if (block.startsWith(':')) {
          streaming.comments += 1;
          continue;
        }
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
        streaming.received.push({ ...fields, data: JSON.parse(fields.data!) });
      }
    }
  };
  streaming.ended = read().catch(() => {});
  return streaming;
}
