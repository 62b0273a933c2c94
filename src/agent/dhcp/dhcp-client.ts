import { type Fault, linkFault } from '../../api/link-faults.js';
import { type Clock, sleep } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { DhcpExchange, type Outcome } from './dhcp-exchange.js';
import type { DhcpAck, DhcpReply } from './dhcp-message.js';
import { BROADCAST, DhcpSocketError, type OpenDhcpSocket } from './dhcp-socket.js';

/** Whether DHCP has confirmed an address. `pending`: the first request has no response yet. */
export type Confirmation = { is: 'pending' } | { is: 'held' } | { is: 'missing'; fault: Fault };

export interface DhcpClientOptions {
  /** Of the interface, lower case, with colons. */
  macAddress: string;
  /** IPv4, set on the interface already. */
  address: string;
  open: OpenDhcpSocket;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  onChange: (confirmation: Confirmation) => void;
}

/** Waits between requests without a response: 4, 8, 16, 32, 64 s, each ± 1 s (RFC 2131, 4.1). */
const FIRST_WAIT_MS = 4_000;
const LONGEST_WAIT_MS = 64_000;
const JITTER_MS = 1_000;
/** Minimum between requests while the lease is valid (RFC 2131, 4.4.5). */
const SHORTEST_RENEWAL_WAIT_MS = 60_000;
/** How long to keep the socket open for the response to a renewal. */
const ANSWER_MS = 10_000;

/**
 * Confirms an address with DHCP and renews its lease. It starts in the state REBINDING, because EC2 has
 * already assigned the address. The address stays on the interface, whatever the server's response.
 */
export class DhcpClient {
  private readonly exchange: DhcpExchange;
  private now: Confirmation = { is: 'pending' };

  private constructor(private readonly options: DhcpClientOptions) {
    this.exchange = new DhcpExchange(options);
  }

  static create(options: DhcpClientOptions): DhcpClient {
    return new DhcpClient(options);
  }

  get confirmation(): Confirmation {
    return this.now;
  }

  /** Resolves once `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const lease = await this.obtain(signal);
        this.become({ is: 'held' });
        this.miss(await this.keep(lease, signal));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async obtain(signal: AbortSignal): Promise<DhcpAck> {
    const { random, clock, logger, address } = this.options;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const jitteredMs = waitMs + JITTER_MS * (2 * random() - 1);
      const outcome = await this.exchange.ask(BROADCAST, jitteredMs, signal);
      if (this.isResponseToThisClient(outcome)) {
        const { server, leaseSeconds, mtu } = outcome;
        logger.info('Address confirmed by DHCP', { address, server, leaseSeconds, mtu });
        return outcome;
      }
      if (outcome !== 'silence') {
        this.miss(this.faultOf(outcome));
        await sleep(clock, jitteredMs, signal);
      } else if (this.now.is === 'pending') {
        this.miss(linkFault('AddressMissing', `No DHCP server has confirmed ${address}`));
      }
    }
  }

  /** Renews the lease until it is lost. Resolves with the reason. */
  private async keep(first: DhcpAck, signal: AbortSignal): Promise<Fault> {
    const { clock, random, logger, address } = this.options;
    for (let lease = first; ; ) {
      const { renewMs, rebindMs, endMs } = leaseTimes(lease, random);
      await sleep(clock, renewMs, signal);
      const reply =
        (await this.insist(lease.server, rebindMs - renewMs, signal)) ??
        (await this.insist(BROADCAST, endMs - rebindMs, signal));
      if (reply === undefined) {
        const fact = `The DHCP lease of ${address} expired, and no server responds`;
        return linkFault('AddressMissing', fact);
      }
      if (!this.isResponseToThisClient(reply)) return this.faultOf(reply);
      logger.debug('DHCP lease renewed', { address, server: reply.server });
      lease = reply;
    }
  }

  /** Repeats the request for `spanMs` milliseconds, at shrinking intervals. Resolves with undefined without a response. */
  private async insist(
    to: string,
    spanMs: number,
    signal: AbortSignal,
  ): Promise<DhcpReply | undefined> {
    const { clock, logger, address } = this.options;
    for (let leftMs = spanMs; leftMs > 0; ) {
      const waitMs = Math.min(leftMs, Math.max(leftMs / 2, SHORTEST_RENEWAL_WAIT_MS));
      const answerMs = Math.min(waitMs, ANSWER_MS);
      const outcome = await this.exchange.ask(to, answerMs, signal);
      const isSilent = outcome === 'silence';
      if (!isSilent && !(outcome instanceof DhcpSocketError)) return outcome;
      const error = isSilent ? undefined : outcome;
      logger.debug('DHCP lease not renewed', { address, to, error });
      await sleep(clock, isSilent ? waitMs - answerMs : waitMs, signal);
      leftMs -= waitMs;
    }
    return undefined;
  }

  private isResponseToThisClient(outcome: Outcome): outcome is DhcpAck {
    return (
      outcome !== 'silence' &&
      !(outcome instanceof DhcpSocketError) &&
      outcome.type === 'ack' &&
      outcome.address === this.options.address
    );
  }

  private faultOf(outcome: DhcpReply | DhcpSocketError): Fault {
    const { address } = this.options;
    if (outcome instanceof DhcpSocketError) return socketFault(outcome, address);
    const said = outcome.type === 'ack' ? `it offers ${outcome.address}` : outcome.message;
    const fact = `The DHCP server ${outcome.server} rejects ${address}${said ? ` (${said})` : ''}`;
    return linkFault('AddressMissing', fact);
  }

  private miss(fault: Fault): void {
    if (this.now.is === 'missing' && this.now.fault.message === fault.message) return;
    const { reason, message } = fault;
    const { address, logger } = this.options;
    logger.warn('Address not confirmed by DHCP', { address, reason, fact: message });
    this.become({ is: 'missing', fault });
  }

  private become(confirmation: Confirmation): void {
    this.now = confirmation;
    this.options.onChange(confirmation);
  }
}

function socketFault({ operation, code }: DhcpSocketError, address: string): Fault {
  if (operation === 'bind' && code === 'EACCES') {
    return linkFault(
      'DHCPPortDenied',
      'The agent is not allowed to bind UDP port 68, which DHCP clients use',
    );
  }
  if (operation === 'bind' && code === 'EADDRINUSE') {
    const fact =
      'Another program on the node uses UDP port 68, which DHCP clients use, exclusively';
    return linkFault('DHCPPortTaken', fact);
  }
  return linkFault(
    'AddressMissing',
    `The DHCP request from ${address} failed (${operation}: ${code})`,
  );
}

/** Milliseconds after the acknowledgement. */
export interface LeaseTimes {
  /** T1: request a renewal from the lease's server. */
  renewMs: number;
  /** T2: request it from any server. */
  rebindMs: number;
  endMs: number;
}

/** Longer and infinite leases count as a day, so that no timer exceeds Node's limit of 24 days. */
const LONGEST_MS = 86_400_000;
/** Shorter leases count as this long, so that the client does not send requests without a pause. */
const SHORTEST_MS = 4_000;
/**
 * T1 is shortened by up to this fraction at random, so that many nodes do not send requests at the same time.
 */
const FUZZ = 0.05;

/** The server's T1 and T2 if they are plausible, else 1/2 and 7/8 of the lease (RFC 2131, 4.4.5). */
export function leaseTimes(
  { leaseSeconds, renewSeconds, rebindSeconds }: DhcpAck,
  random: () => number,
): LeaseTimes {
  const endMs = Math.min(Math.max(leaseSeconds * 1000, SHORTEST_MS), LONGEST_MS);
  const said = { renewMs: (renewSeconds ?? 0) * 1000, rebindMs: (rebindSeconds ?? 0) * 1000 };
  const inOrder = said.renewMs > 0 && said.renewMs < said.rebindMs && said.rebindMs < endMs;
  const { renewMs, rebindMs } =
    inOrder && said.renewMs >= SHORTEST_MS / 2
      ? said
      : { renewMs: endMs / 2, rebindMs: (endMs * 7) / 8 };
  return { renewMs: renewMs * (1 - FUZZ * random()), rebindMs, endMs };
}
