import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Clients of a WebSocket that cost next to nothing, so that what is measured is the server: `sockets.ts <url> <path>
 * <token> <count>` opens them, says so, and then obeys lines of JSON: `{"frames": n}` waits until every socket has received
 * that many more messages and answers when the last one had, and the last message; `{"prices": n}` notes when each socket
 * saw each of n changes of a price, and answers `{price: [times]}`. Times as in live-server.ts.
 */
const [url, path, token, count] = process.argv.slice(2) as [string, string, string, string];
const { hostname, port } = new URL(url);
const HEADERS = Buffer.from('\r\n\r\n');

/** `rest` is what has come of a frame that is not complete yet. */
type Client = { socket: Socket; frames: number; rest: Buffer };
let onFrame: (client: Client, message: Buffer) => void = () => {};

function open(): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const client: Client = { socket, frames: 0, rest: Buffer.alloc(0) };
    let head: Buffer | null = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a socket was closed')));
    socket.on('data', (chunk) => {
      if (head === null) return receive(client, chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(HEADERS);
      if (end < 0) return;
      if (!head.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return reject(new Error(head.toString()));
      const rest = head.subarray(end + 4);
      head = null;
      resolve(client);
      if (rest.length > 0) receive(client, rest);
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nupgrade: websocket\r\nconnection: upgrade\r\nauthorization: Bearer ${token}\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
  });
}

let last = '';

const TEXT = 1;

/** Counts whole text frames, none of which is masked or in pieces (RFC 6455, 5.2). */
function receive(client: Client, chunk: Buffer): void {
  const bytes = client.rest.length > 0 ? Buffer.concat([client.rest, chunk]) : chunk;
  let at = 0;
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1]!;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length - at < head) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length - at < head + length) break;
    // Pings are left unanswered: what is measured is over before that is held against anybody.
    if ((bytes[at]! & 15) === TEXT) {
      client.frames += 1;
      onFrame(client, bytes.subarray(at + head, at + head + length));
    }
    at += head + length;
  }
  client.rest = bytes.subarray(at);
}

const clients: Client[] = [];
while (clients.length < Number(count))
  clients.push(
    ...(await Promise.all(Array.from({ length: Math.min(50, Number(count) - clients.length) }, () => open()))),
  );
console.log(JSON.stringify({ open: clients.length }));

function allReceived(frames: number): Promise<string> {
  return new Promise((resolve) => {
    let waiting = clients.length;
    for (const client of clients) client.frames = 0;
    onFrame = (client, message) => {
      if (client.frames !== frames) return;
      waiting -= 1;
      if (waiting > 0) return;
      last = message.toString();
      resolve(String(process.hrtime.bigint()));
    };
    console.log(JSON.stringify({ ready: true }));
  });
}

/** The machine's monotonic clock in nanoseconds, as a number: cheap enough for each of 25,000 messages a second. */
const offset = Number(process.hrtime.bigint()) - performance.now() * 1e6;
const now = () => performance.now() * 1e6 + offset;

const EVENT = Buffer.from('{"cursor":');
const COMMA = ','.charCodeAt(0);

/** Of most messages only the cursor is read, so that little of what is measured is this process's own work. */
function pricesSeen(changes: number): Promise<Record<string, number[]>> {
  return new Promise((resolve) => {
    const prices = new Map<string, string>();
    const seen = new Map<string, number[]>();
    let waiting = changes * clients.length;
    onFrame = (client, message) => {
      const at = now();
      if (!message.subarray(0, EVENT.length).equals(EVENT)) return;
      const cursor = message.toString('latin1', EVENT.length, message.indexOf(COMMA, EVENT.length));
      if (client === clients[0]) {
        const price = /"price":\{[^}]*"to":"([^"]*)"/.exec(message.toString())?.[1];
        if (price !== undefined) prices.set(cursor, price);
      }
      const times = seen.get(cursor);
      if (times) times.push(at);
      else seen.set(cursor, [at]);
      waiting -= 1;
      if (waiting > 0) return;
      resolve(Object.fromEntries([...seen].map(([each, times]) => [prices.get(each) ?? 'none', times])));
    };
    console.log(JSON.stringify({ ready: true }));
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as { frames?: number; prices?: number };
  if (order.frames !== undefined) console.log(JSON.stringify({ at: await allReceived(order.frames), last }));
  else console.log(JSON.stringify(await pricesSeen(order.prices!)));
}
process.exit();
