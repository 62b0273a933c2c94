/**
 * Keeps a lease in the network namespace that it runs in (argument: a LeaseRequest as JSON), and writes each
 * log entry as a JSON line; ends with its input. Started by {@link HeldLease}.
 */
import { DhcpLeases } from '../../../../../src/agent/dhcp/leases.js';
import { openUdpDhcpSocket } from '../../../../../src/agent/dhcp/udp-dhcp-socket.js';
import { systemClock } from '../../../../../src/runtime/clock.js';
import type { Logger } from '../../../../../src/runtime/logger.js';

const tell = (message: string, fields: Record<string, unknown> = {}): void =>
  void process.stdout.write(`${JSON.stringify({ message, ...fields })}\n`);
const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };

const leases = new DhcpLeases({
  open: openUdpDhcpSocket,
  clock: systemClock,
  random: Math.random,
  logger,
});
leases.hold('lease', JSON.parse(process.argv[2] ?? ''));
process.stdin.on('end', () => process.exit()).resume();
