import { expect } from 'chai';
import { type Confirmation, DhcpClient } from '../../../../src/agent/dhcp/dhcp-client.js';
import { DhcpSocketError } from '../../../../src/agent/dhcp/dhcp-socket.js';
import { NOW } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';
import { ScriptedDhcp } from './support/scripted-dhcp.js';

const ALL = '255.255.255.255';
const SERVER = '10.0.1.1';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('DhcpClient', () => {
  let time: VirtualTime;
  let dhcp: ScriptedDhcp;
  let logger: RecordingLogger;
  let random: number;
  let changes: Confirmation[];
  let client: DhcpClient;
  let end: AbortController;
  let ended: Promise<void>;

  beforeEach(() => {
    time = new VirtualTime(NOW);
    dhcp = new ScriptedDhcp(time);
    logger = new RecordingLogger();
    // Neither jitter nor, for T1, much of a fuzz.
    random = 0.5;
    changes = [];
    client = DhcpClient.create({
      macAddress: '02:00:00:00:00:01',
      address: '10.0.1.10',
      open: dhcp.openSocket,
      clock: time,
      random: () => random,
      logger,
      onChange: (confirmation) => changes.push(confirmation),
    });
    end = new AbortController();
  });

  afterEach(async () => {
    end.abort();
    await ended;
    expect(dhcp.open).to.equal(0);
  });

  const start = (): void => {
    ended = client.run(end.signal);
  };
  const states = () => changes.map(({ is }) => is);
  const fault = () =>
    client.confirmation.is === 'missing' ? client.confirmation.fault : undefined;
  const asked = () => dhcp.asked(NOW).map(([seconds, to]) => [Math.round(seconds), to]);

  it('asks everybody at once whether it may go on with its address, and is told', async () => {
    dhcp.reactions = [{ type: 'ack', options: [[26, [0x23, 0x29]]] }];
    start();
    await time.pass(1);
    expect(asked()).to.deep.equal([[0, ALL]]);
    expect(dhcp.questions[0]?.address).to.equal('10.0.1.10');
    expect(states()).to.deep.equal(['held']);
    expect(logger.entries[0]?.fields).to.deep.equal({
      address: '10.0.1.10',
      server: SERVER,
      leaseSeconds: 3600,
      mtu: 9001,
    });
  });

  it('holds no port while it waits for the next renewal', async () => {
    dhcp.reactions = [{ type: 'ack' }];
    start();
    await time.pass(MINUTE);
    expect(dhcp.open).to.equal(0);
  });

  it('asks again after 4, 8, 16, 32 and then each 64 seconds without a response', async () => {
    start();
    await time.pass(260_000);
    expect(dhcp.asked(NOW).map(([at]) => at)).to.deep.equal([0, 4, 12, 28, 60, 124, 188, 252]);
    expect(states()).to.deep.equal(['missing']);
    expect(fault()).to.include({ reason: 'AddressMissing' });
    dhcp.reactions = [{ type: 'ack' }];
    await time.pass(64_000);
    expect(states()).to.deep.equal(['missing', 'held']);
  });

  it('spreads its questions by a second either way', async () => {
    random = 0;
    start();
    await time.pass(12_000);
    expect(dhcp.asked(NOW).map(([at]) => at)).to.deep.equal([0, 3, 10]);
  });

  it('reports nothing until the first request times out', async () => {
    start();
    await time.pass(3_999);
    expect(client.confirmation).to.deep.equal({ is: 'pending' });
    await time.pass(1);
    expect(fault()).to.include({ reason: 'AddressMissing' });
  });

  it('renews at half of the lease, with the server that gave it', async () => {
    dhcp.reactions = [{ type: 'ack' }];
    start();
    await time.pass(4 * HOUR);
    // 2.5 % earlier, by the fuzz.
    expect(asked().slice(0, 3)).to.deep.equal([
      [0, ALL],
      [1755, SERVER],
      [3510, SERVER],
    ]);
    expect(dhcp.questions).to.have.length(9);
    expect(states()).to.deep.equal(['held']);
  });

  it('asks any server at seven eighths, and reports the address as missing once the lease expires', async () => {
    dhcp.reactions = [{ type: 'ack' }, 'silence'];
    start();
    await time.pass(HOUR - 1);
    const [, ...renewals] = asked();
    const [server, all] = [SERVER, ALL].map((to) =>
      renewals.filter((each) => each[1] === to).map(([at]) => at),
    );
    // Halves of what is left, a minute at the least (RFC 2131, 4.4.5).
    expect(server).to.deep.equal([1755, 2453, 2801, 2976, 3063, 3123]);
    expect(all).to.deep.equal([3150, 3375, 3488, 3548]);
    expect(states()).to.deep.equal(['held']);
    await time.pass(1);
    expect(states()).to.deep.equal(['held', 'missing']);
    expect(fault()?.message).to.include('expired');
    dhcp.reactions = [{ type: 'ack' }];
    await time.pass(10_000);
    expect(states()).to.deep.equal(['held', 'missing', 'held']);
  });

  it('goes on with another server that answers at seven eighths', async () => {
    const other = '10.0.1.2';
    const silences = Array.from({ length: 6 }, () => 'silence' as const);
    dhcp.reactions = [{ type: 'ack' }, ...silences, { type: 'ack', server: other }];
    start();
    await time.pass(HOUR + HOUR / 2);
    expect(asked().at(-1)).to.deep.equal([4905, other]);
    expect(states()).to.deep.equal(['held']);
  });

  it('reports a rejection, retries with growing waits, and stops once the address is confirmed', async () => {
    const words: [number, number[]] = [56, [...Buffer.from('not yours')]];
    dhcp.reactions = [
      { type: 'nak', options: [words] },
      { type: 'nak', options: [words] },
      { type: 'ack' },
    ];
    start();
    await time.pass(1);
    expect(fault()?.message).to.include('10.0.1.1 rejects 10.0.1.10 (not yours)');
    await time.pass(11_000);
    expect(states()).to.deep.equal(['missing']);
    await time.pass(1_000);
    expect(asked()).to.deep.equal([
      [0, ALL],
      [4, ALL],
      [12, ALL],
    ]);
    expect(states()).to.deep.equal(['missing', 'held']);
  });

  it('reports a rejected renewal', async () => {
    dhcp.reactions = [{ type: 'ack' }, { type: 'nak' }, 'silence'];
    start();
    await time.pass(1800_000);
    expect(states()).to.deep.equal(['held', 'missing']);
    expect(fault()?.message).to.include('rejects');
  });

  it('takes an answer with another address for a refusal', async () => {
    dhcp.reactions = [{ type: 'ack', address: '10.0.1.99' }];
    start();
    await time.pass(1);
    expect(fault()?.message).to.include('it offers 10.0.1.99');
  });

  it('ignores responses to other requests', async () => {
    start();
    await time.pass(1);
    const [question = expect.fail('not asked')] = dhcp.questions;
    const other = question.answer({ type: 'ack' });
    other[30] = 0xff;
    const earlier = question.answer({ type: 'ack' });
    earlier[4] = 0xff;
    dhcp.reactions = [Buffer.from('garbage'), other, earlier, 'silence'];
    await time.pass(MINUTE);
    expect(dhcp.questions.length).to.be.greaterThan(3);
    expect(states()).to.deep.equal(['missing']);
  });

  const failures = [
    ['may not use the port', 'bind', 'EACCES', 'DHCPPortDenied'],
    ['finds the port taken', 'bind', 'EADDRINUSE', 'DHCPPortTaken'],
    ['finds its address gone', 'bind', 'EADDRNOTAVAIL', 'AddressMissing'],
    ['cannot send', 'send', 'ENETUNREACH', 'AddressMissing'],
  ] as const;
  for (const [what, operation, code, reason] of failures) {
    it(`says so where it ${what}, and tries again`, async () => {
      dhcp.reactions = [new DhcpSocketError(operation, code), { type: 'ack' }];
      start();
      await time.pass(1);
      expect(fault()).to.include({ reason });
      await time.pass(4_000);
      expect(states()).to.deep.equal(['missing', 'held']);
    });
  }

  it('keeps a lease over failures to send', async () => {
    const unreachable = new DhcpSocketError('send', 'ENETUNREACH');
    dhcp.reactions = [{ type: 'ack' }, unreachable, unreachable, { type: 'ack' }];
    start();
    await time.pass(HOUR);
    expect(dhcp.questions).to.have.length(4);
    expect(states()).to.deep.equal(['held']);
  });

  it('ends where it is told to, whatever it waits for', async () => {
    for (const reactions of [['silence'], [{ type: 'ack' }], [{ type: 'nak' }]] as const) {
      dhcp.reactions = [...reactions];
      const controller = new AbortController();
      const run = client.run(controller.signal);
      await time.pass(1);
      controller.abort();
      await run;
      expect(dhcp.open).to.equal(0);
    }
    const { length } = dhcp.questions;
    await time.pass(HOUR);
    expect(dhcp.questions).to.have.length(length);
  });
});
