import type { Clock } from '../../runtime/clock.js';
import { type DhcpReply, encodeRequest, parseReply } from './dhcp-message.js';
import { type DhcpSocket, DhcpSocketError, type OpenDhcpSocket } from './dhcp-socket.js';

/** The result of a request; `silence` without a response. */
export type Outcome = DhcpReply | DhcpSocketError | 'silence';

export interface DhcpExchangeOptions {
  macAddress: string;
  address: string;
  open: OpenDhcpSocket;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
}

/** Sends a request and waits for the response. The port is open only meanwhile. */
export class DhcpExchange {
  constructor(private readonly options: DhcpExchangeOptions) {}

  /**
   * Resolves with the first response to this request, or after `answerMs` milliseconds.
   * @param to address of a server, or broadcast
   * @throws the signal's reason, as it aborts
   */
  async ask(to: string, answerMs: number, signal: AbortSignal): Promise<Outcome> {
    const { macAddress, address, open, clock, random } = this.options;
    const transactionId = Math.floor(random() * 2 ** 32);
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const onMessage = (message: Uint8Array): void => {
      const reply = parseReply(message);
      if (reply?.transactionId === transactionId && reply.macAddress === macAddress) resolve(reply);
    };
    const abort = (): void => reject(signal.reason);
    signal.throwIfAborted();
    // Avoid an unhandled rejection if the signal aborts before the await.
    promise.catch(() => undefined);
    signal.addEventListener('abort', abort, { once: true });
    const timer = clock.after(answerMs, () => resolve('silence'));
    let socket: DhcpSocket | undefined;
    try {
      socket = await open(address, onMessage);
      await socket.send(encodeRequest({ transactionId, macAddress, address }), to);
      return await promise;
    } catch (error) {
      if (error instanceof DhcpSocketError) return error;
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      socket?.close();
    }
  }
}
