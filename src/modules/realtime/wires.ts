import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import type { Message } from './messages.ts';

/** One connection to somebody who follows: a WebSocket, or a stream of Server-Sent Events. */
export type Wire = {
  /** Sends messages in order; several leave together. */
  send(messages: readonly Message[]): void;
  /** Bytes that wait to be taken. */
  waiting(): number;
  /** Resolves when nothing waits any more, or the connection is gone. */
  drained(): Promise<void>;
  isOpen(): boolean;
  /** Says why, if the kind of connection can, and ends it; whoever does not take the farewell is cut off soon. */
  close(code: number, reason: string): void;
  cut(): void;
  /** Asks for a sign of life; cuts off whoever has given none since it was last asked. */
  prod(): void;
};

const OPEN = 1;

export function socketWire(socket: WebSocket, connection: Socket): Wire {
  /** What the last ping asked to have said back: who does not read cannot know it. */
  let asked: Buffer | undefined;
  socket.on('pong', (said: Buffer) => {
    if (asked?.equals(said)) asked = undefined;
  });
  // Nobody is listened to: the feed goes one way.
  socket.on('message', () => {});
  return {
    send(messages) {
      // Frames of one batch in one system call.
      connection.cork();
      for (const message of messages) socket.send(message.forSockets, { binary: false });
      connection.uncork();
    },
    waiting: () => socket.bufferedAmount,
    drained: () => drained(connection),
    isOpen: () => socket.readyState === OPEN,
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
    prod() {
      if (asked) return socket.terminate();
      asked = randomBytes(8);
      socket.ping(asked);
    },
  };
}

const COMMENT = ':\n\n';

export function streamWire(response: ServerResponse): Wire {
  let wasStuck = false;
  return {
    send(messages) {
      response.cork();
      for (const message of messages) response.write(message.forStreams);
      response.uncork();
    },
    waiting: () => response.writableLength,
    drained: () => drained(response),
    isOpen: () => !response.destroyed && !response.writableEnded,
    close() {
      // A stream has no word for why; one that does not even take its end is not waited for.
      if (response.writableNeedDrain) response.destroy();
      else response.end();
    },
    cut: () => void response.destroy(),
    prod() {
      if (response.writableNeedDrain && wasStuck) return void response.destroy();
      wasStuck = response.writableNeedDrain;
      if (!wasStuck) response.write(COMMENT);
    },
  };
}

function drained(stream: Socket | ServerResponse): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
