import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

/** `ws` alone, told by lines of JSON `{"burst": n, "message": "…"}` to send a message n times to everybody. */
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port} none`));
for await (const line of createInterface({ input: process.stdin })) {
  const { burst, message } = JSON.parse(line) as { burst: number; message: string };
  const bytes = Buffer.from(message);
  const at = String(process.hrtime.bigint());
  for (let i = 0; i < burst; i++) for (const socket of sockets.clients) socket.send(bytes, { binary: false });
  console.log(JSON.stringify({ at }));
}
process.exit();
