import { expect } from 'chai';
import { type DhcpSocket, DhcpSocketError } from '../../../../../src/agent/dhcp/dhcp-socket.js';
import type { Clock } from '../../../../../src/runtime/clock.js';

export interface AnswerOptions {
  type: 'ack' | 'nak';
  /** Default: the address that was asked for. */
  address?: string;
  server?: string;
  /** In seconds. */
  lease?: number;
  /** Further options: code and bytes. */
  options?: [number, number[]][];
}

/** A message of a client, as a server reads it. */
export class Question {
  constructor(
    readonly bytes: Buffer,
    readonly to: string,
    /** Milliseconds since the epoch. */
    readonly at: number,
  ) {}

  get address(): string {
    return this.bytes.subarray(12, 16).join('.');
  }

  answer({ type, lease = 3600, ...rest }: AnswerOptions): Buffer {
    const { address = this.address, server = '10.0.1.1', options = [] } = rest;
    const header = Buffer.from(this.bytes.subarray(0, 240));
    header[0] = 2;
    header.set(type === 'ack' ? address.split('.').map(Number) : [0, 0, 0, 0], 16);
    const leaseBytes = Buffer.alloc(4);
    leaseBytes.writeUInt32BE(lease);
    const all: [number, readonly number[]][] = [
      [53, [type === 'ack' ? 5 : 6]],
      [54, server.split('.').map(Number)],
      ...(type === 'ack' ? [[51, [...leaseBytes]] as [number, number[]]] : []),
      ...options,
    ];
    const body = all.flatMap(([code, value]) => [code, value.length, ...value]);
    return Buffer.concat([header, Buffer.from([...body, 255])]);
  }
}

export type Reaction = AnswerOptions | Buffer | 'silence' | DhcpSocketError;

/** A DHCP server and the way to it, in memory; it reacts as it is told to. */
export class ScriptedDhcp {
  readonly questions: Question[] = [];
  /** What it does about each question, the last forever. */
  reactions: Reaction[] = ['silence'];
  open = 0;

  constructor(private readonly clock: Clock) {}

  readonly openSocket = async (
    _address: string,
    onMessage: (message: Uint8Array) => void,
  ): Promise<DhcpSocket> => {
    const [reaction = expect.fail('no reaction')] = this.reactions;
    const isLast = this.reactions.length === 1;
    const taken = (): void => {
      if (!isLast) this.reactions.shift();
    };
    if (reaction instanceof DhcpSocketError && reaction.operation === 'bind') {
      taken();
      throw reaction;
    }
    this.open += 1;
    let isOpen = true;
    return {
      send: async (message, to) => {
        taken();
        const question = new Question(Buffer.from(message), to, this.clock.now());
        this.questions.push(question);
        if (reaction instanceof DhcpSocketError) throw reaction;
        if (reaction === 'silence') return;
        onMessage(Buffer.isBuffer(reaction) ? reaction : question.answer(reaction));
      },
      close: () => {
        expect(isOpen).to.equal(true);
        isOpen = false;
        this.open -= 1;
      },
    };
  };

  /** Seconds from `since` (milliseconds since the epoch) to each question, and to whom it went. */
  asked(since: number): [number, string][] {
    return this.questions.map(({ at, to }) => [(at - since) / 1000, to]);
  }
}
