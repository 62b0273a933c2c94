/** Runs in a network namespace: `relay-main.js SOCKET` listens on a port of its own and prints it. */
import { connect, createServer } from 'node:net';
import { joinSockets } from './relay.js';

const [socketPath = ''] = process.argv.slice(2);
const server = createServer((client) => joinSockets(client, connect(socketPath)));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
// Ends with the process that started it.
process.stdin.resume().once('end', () => process.exit());
