import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { NetlinkError } from '../../../../src/agent/linux/netlink-error.js';
import { NetlinkEvents } from '../../../../src/agent/linux/netlink-events.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { FakeKernel } from './fake-socket.js';
import { aMessage } from './messages.js';

describe('NetlinkEvents', () => {
  let kernel: FakeKernel;
  let timers: SinonFakeTimers;
  let events: NetlinkEvents;
  let heard: (number | 'overrun')[];

  beforeEach(() => {
    timers = useFakeTimers();
    kernel = new FakeKernel();
    heard = [];
    events = NetlinkEvents.create({
      open: kernel.open,
      clock: systemClock,
      logger: silentLogger,
      onMessage: ({ type }) => heard.push(type),
      onOverrun: () => heard.push('overrun'),
    });
  });

  afterEach(() => timers.restore());

  const overrun = () => kernel.latest.options.onFailure(new NetlinkError('ENOBUFS'));

  it('listens as soon as it is created', () => {
    kernel.latest.tell(aMessage(16, Buffer.alloc(16)), aMessage(17, Buffer.alloc(16)));
    expect(heard).to.deep.equal([16, 17]);
  });

  it('reports an overrun once another socket listens, so that it misses nothing afterwards', async () => {
    overrun();
    expect(kernel.latest.isClosed).to.equal(true);
    expect(heard).to.deep.equal([]);
    await timers.tickAsync(10);
    expect(heard).to.deep.equal(['overrun']);
    expect(kernel.sockets).to.have.lengthOf(2);
    kernel.latest.tell(aMessage(16, Buffer.alloc(16)));
    expect(heard).to.deep.equal(['overrun', 16]);
  });

  it('ignores a socket that it has replaced', async () => {
    const [first] = kernel.sockets;
    overrun();
    await timers.tickAsync(10);
    first?.options.onFailure(new NetlinkError('ENOBUFS'));
    expect(kernel.latest.isClosed).to.equal(false);
  });

  it('slows down while sockets fail, and resets after a steady time', async () => {
    for (const delayMs of [10, 20, 40, 80]) {
      overrun();
      await timers.tickAsync(delayMs - 1);
      expect(kernel.latest.isClosed).to.equal(true);
      await timers.tickAsync(1);
      expect(kernel.latest.isClosed).to.equal(false);
    }
    await timers.tickAsync(30_001);
    overrun();
    await timers.tickAsync(10);
    expect(kernel.latest.isClosed).to.equal(false);
  });

  it('tries again where no socket can be had', async () => {
    overrun();
    kernel.refusal = new NetlinkError('EMFILE');
    await timers.tickAsync(10);
    expect(heard).to.deep.equal([]);
    await timers.tickAsync(20);
    expect(heard).to.deep.equal(['overrun']);
  });

  it('is silent once it is closed', async () => {
    overrun();
    events.close();
    await timers.tickAsync(60_000);
    expect(heard).to.deep.equal([]);
    expect(kernel.sockets).to.have.lengthOf(1);
    expect(timers.countTimers()).to.equal(0);
  });
});
