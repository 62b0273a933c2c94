/**
 * Runs in a network namespace. `echo-main.js serve` answers every UDP packet that comes to port 7 (RFC 862), from
 * the address that it was sent to; `echo-main.js ask FROM TO` sends one and prints `answered` or `silence`.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const ECHO_PORT = 7;
/** Longest wait for an answer, in milliseconds. */
const PATIENCE_MS = 2_000;

const [mode, ...addresses] = process.argv.slice(2);

function serve(address: string): void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('message', (message, { port, address: from }) => socket.send(message, port, from));
  socket.bind(ECHO_PORT, address, () => console.log(`serving ${address}`));
}

function ask(from: string, to: string): void {
  const socket = createSocket(isIPv6(from) ? 'udp6' : 'udp4');
  const end = (word: string) => {
    console.log(word);
    process.exit();
  };
  socket.once('message', () => end('answered'));
  // No route is an error, and as good as silence.
  socket.once('error', () => end('silence'));
  socket.bind(0, from, () => socket.send('echo', ECHO_PORT, to));
  setTimeout(() => end('silence'), PATIENCE_MS);
}

if (mode === 'serve') {
  for (const address of addresses) serve(address);
  process.stdin.resume().once('end', () => process.exit());
} else {
  const [from = '', to = ''] = addresses;
  ask(from, to);
}
