import { expect } from 'chai';
import type { OpenDhcpSocket } from '../../../../src/agent/dhcp/dhcp-socket.js';
import { DhcpLeases } from '../../../../src/agent/dhcp/leases.js';
import { NOW } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';
import { ScriptedDhcp } from './support/scripted-dhcp.js';

const REQUEST = { macAddress: '02:00:00:00:00:01', address: '10.0.1.10' };
const MINUTE_MS = 60_000;
const DAY = 86_400_000;

describe('DhcpLeases', () => {
  let time: VirtualTime;
  let dhcp: ScriptedDhcp;
  let leases: DhcpLeases;
  let news: string[];
  let logger: RecordingLogger;
  /** Where it is set, the port cannot even be opened. */
  let defect: Error | undefined;
  let stop: AbortController;

  beforeEach(async () => {
    time = new VirtualTime(NOW);
    dhcp = new ScriptedDhcp(time);
    dhcp.reactions = [{ type: 'ack' }];
    defect = undefined;
    logger = new RecordingLogger();
    const open: OpenDhcpSocket = async (...args) => {
      if (defect) throw defect;
      return dhcp.openSocket(...args);
    };
    leases = new DhcpLeases({ open, clock: time, random: () => 0.5, logger });
    news = [];
    leases.subscribe(({ object }) => news.push(object.key));
    stop = new AbortController();
    await leases.start(stop.signal);
  });

  afterEach(() => stop.abort());

  it('emits an event once the address is confirmed', async () => {
    expect(leases.hold('a', REQUEST)).to.deep.equal({ is: 'pending' });
    await time.pass(1);
    expect(news).to.deep.equal(['a']);
    expect(leases.hold('a', REQUEST)).to.deep.equal({ is: 'held' });
  });

  it('asks once, however often it is told to hold the same', async () => {
    for (let count = 0; count < 3; count++) leases.hold('a', REQUEST);
    await time.pass(MINUTE_MS);
    leases.hold('a', { ...REQUEST });
    await time.pass(MINUTE_MS);
    expect(dhcp.questions).to.have.length(1);
  });

  it('starts again for another address or device', async () => {
    leases.hold('a', REQUEST);
    await time.pass(1);
    expect(leases.hold('a', { ...REQUEST, address: '10.0.1.11' })).to.deep.equal({ is: 'pending' });
    await time.pass(1);
    const moved = { address: '10.0.1.11', macAddress: '02:00:00:00:00:02' };
    expect(leases.hold('a', moved)).to.deep.equal({ is: 'pending' });
    await time.pass(DAY);
    const addresses = dhcp.questions.map(({ address }) => address);
    expect(addresses.slice(0, 4)).to.deep.equal(['10.0.1.10', ...Array(3).fill('10.0.1.11')]);
    expect(addresses.slice(1)).to.not.include('10.0.1.10');
  });

  it('keeps the leases of records apart', async () => {
    dhcp.reactions = [{ type: 'ack' }, 'silence'];
    leases.hold('a', REQUEST);
    await time.pass(1);
    leases.hold('b', { ...REQUEST, address: '10.0.1.11' });
    await time.pass(MINUTE_MS);
    expect(news).to.deep.equal(['a', 'b']);
    expect(leases.hold('a', REQUEST)).to.deep.equal({ is: 'held' });
    expect(leases.hold('b', { ...REQUEST, address: '10.0.1.11' })).to.have.property(
      'is',
      'missing',
    );
  });

  it('neither renews nor reports a released lease', async () => {
    leases.hold('a', REQUEST);
    leases.release('a');
    leases.release('unknown');
    await time.pass(DAY);
    expect(news).to.deep.equal([]);
    expect(dhcp.questions.length).to.be.lessThan(2);
  });

  it('reports an unexpected failure, and retries until it succeeds', async () => {
    defect = new TypeError('setBroadcast EBADF');
    leases.hold('a', REQUEST);
    await time.pass(1);
    expect(news).to.deep.equal(['a']);
    const { fault } = { fault: undefined, ...leases.hold('a', REQUEST) };
    expect(fault).to.have.property('reason', 'AddressMissing');
    expect(fault).to.have.property('message').that.contains('setBroadcast EBADF');
    await time.pass(10 * MINUTE_MS);
    expect(leases.hold('a', REQUEST), 'between').to.have.property('is', 'missing');
    expect(logger.messages('error').length, 'tries').to.be.within(5, 20);

    defect = undefined;
    await time.pass(2 * MINUTE_MS);
    expect(leases.hold('a', REQUEST)).to.deep.equal({ is: 'held' });
    expect(news.at(-1)).to.equal('a');
  });

  it('reports a failure during a lease, until a new client succeeds', async () => {
    leases.hold('a', REQUEST);
    await time.pass(1);
    defect = new TypeError('out of files');
    await time.pass(30 * MINUTE_MS);
    expect(leases.hold('a', REQUEST)).to.have.property('is', 'missing');
    defect = undefined;
    await time.pass(2 * MINUTE_MS);
    expect(leases.hold('a', REQUEST)).to.deep.equal({ is: 'held' });
  });

  it('begins with the shortest wait again after a failure that follows a lease', async () => {
    const triesOf = async (): Promise<number> => {
      const before = logger.messages('error').length;
      defect = new TypeError('out of files');
      await time.pass(30 * MINUTE_MS);
      defect = undefined;
      await time.pass(2 * MINUTE_MS);
      return logger.messages('error').length - before;
    };
    leases.hold('a', REQUEST);
    await time.pass(1);
    const first = await triesOf();
    expect(first).to.be.greaterThan(3);
    expect(await triesOf()).to.be.closeTo(first, 2);
  });

  it('asks no more once it is released, though it failed before', async () => {
    defect = new TypeError('setBroadcast EBADF');
    leases.hold('a', REQUEST);
    await time.pass(1);
    leases.release('a');
    await time.pass(DAY);
    expect(logger.messages('error')).to.have.length(1);
    expect(news).to.deep.equal(['a']);
  });

  it('releases all as the agent stops', async () => {
    leases.hold('a', REQUEST);
    leases.hold('b', { ...REQUEST, address: '10.0.1.11' });
    await time.pass(1);
    stop.abort();
    await time.pass(DAY);
    expect(dhcp.questions).to.have.length(2);
  });
});
