import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { Flag, MessageType } from '../../../../src/agent/linux/messages/rtnetlink.js';
import { NetlinkError } from '../../../../src/agent/linux/netlink-error.js';
import { NetlinkRequests } from '../../../../src/agent/linux/netlink-requests.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { FakeKernel } from './fake-socket.js';
import { aMessage, errnoBytes } from './messages.js';

const { error, done, newLink, getLink, setLink } = MessageType;
const MULTI = 2;
const ENODEV = 19;

describe('NetlinkRequests', () => {
  let kernel: FakeKernel;
  let requests: NetlinkRequests;
  let timers: SinonFakeTimers;

  beforeEach(() => {
    timers = useFakeTimers();
    kernel = new FakeKernel();
    requests = NetlinkRequests.create({ open: kernel.open, clock: systemClock });
  });

  afterEach(() => timers.restore());

  const body = [Buffer.alloc(16)];
  const item = (seq: number, value: number, flags = MULTI) =>
    aMessage(newLink, Buffer.of(value), { seq, flags });
  const end = (seq: number, errno = 0, flags = MULTI) =>
    aMessage(done, errnoBytes(errno), { seq, flags });
  const codeOf = async (request: Promise<unknown>): Promise<string> => {
    try {
      await request;
    } catch (failure) {
      if (failure instanceof NetlinkError) return failure.code;
      throw failure;
    }
    return 'success';
  };
  const values = (messages: { data: Buffer }[]) => messages.map(({ data }) => data[0]);

  it('names the errno of a refusal', async () => {
    kernel.answer = ({ seq }, socket) => socket.tell(aMessage(error, errnoBytes(ENODEV), { seq }));
    expect(await codeOf(requests.change(setLink, body))).to.equal('ENODEV');
  });

  it('puts together a dump of several datagrams', async () => {
    kernel.answer = ({ seq }, socket) => {
      socket.tell(item(seq, 1), item(seq, 2));
      socket.tell(item(seq, 3));
      socket.tell(end(seq));
    };
    expect(values(await requests.dump(getLink, body))).to.deep.equal([1, 2, 3]);
  });

  for (const [where, flags] of [
    ['in its midst', { part: MULTI | Flag.dumpInterrupted, end: MULTI }],
    ['at its end', { part: MULTI, end: MULTI | Flag.dumpInterrupted }],
  ] as const) {
    it(`restarts a dump that was interrupted ${where}`, async () => {
      let dumps = 0;
      kernel.answer = ({ seq }, socket) => {
        dumps += 1;
        if (dumps < 3) socket.tell(item(seq, dumps, flags.part), end(seq, 0, flags.end));
        else socket.tell(item(seq, dumps), end(seq));
      };
      expect(values(await requests.dump(getLink, body))).to.deep.equal([3]);
    });
  }

  it('gives a dump up that never stands still', async () => {
    kernel.answer = ({ seq }, socket) => socket.tell(end(seq, 0, MULTI | Flag.dumpInterrupted));
    expect(await codeOf(requests.dump(getLink, body))).to.equal('EINTR');
  });

  it('fails a dump that ends with an error', async () => {
    kernel.answer = ({ seq }, socket) => socket.tell(item(seq, 1), end(seq, ENODEV));
    expect(await codeOf(requests.dump(getLink, body))).to.equal('ENODEV');
  });

  it('asks for one thing at a time', async () => {
    const asked: number[] = [];
    kernel.answer = ({ seq }) => asked.push(seq);
    const first = requests.change(setLink, body);
    const second = requests.change(setLink, body);
    await timers.tickAsync(0);
    expect(asked).to.have.lengthOf(1);
    kernel.latest.tell(aMessage(error, errnoBytes(0), { seq: asked[0] ?? 0 }));
    await first;
    await timers.tickAsync(0);
    expect(asked).to.have.lengthOf(2);
    kernel.latest.tell(aMessage(error, errnoBytes(0), { seq: asked[1] ?? 0 }));
    await second;
  });

  it('goes on after a failure', async () => {
    kernel.answer = ({ seq, type }, socket) =>
      socket.tell(
        type === getLink ? item(seq, 1, 0) : aMessage(error, errnoBytes(ENODEV), { seq }),
      );
    const [first, second] = [codeOf(requests.change(setLink, body)), requests.get(getLink, body)];
    expect(await first).to.equal('ENODEV');
    expect(values([await second])).to.deep.equal([1]);
  });

  it('gives up after 10 seconds without an answer, and takes another socket', async () => {
    const late = codeOf(requests.change(setLink, body));
    await timers.tickAsync(10_000);
    expect(await late).to.equal('ETIMEDOUT');
    expect(kernel.latest.isClosed).to.equal(true);
    kernel.answer = ({ seq }, socket) => {
      socket.tell(aMessage(error, errnoBytes(ENODEV), { seq: seq - 1 }));
      socket.tell(aMessage(error, errnoBytes(0), { seq }));
    };
    await requests.change(setLink, body);
    expect(kernel.sockets).to.have.lengthOf(2);
    expect(timers.countTimers()).to.equal(0);
  });

  it('fails what is under way when the socket fails, and takes another one', async () => {
    const failing = codeOf(requests.change(setLink, body));
    await timers.tickAsync(0);
    kernel.latest.options.onFailure(new NetlinkError('ENOBUFS'));
    expect(await failing).to.equal('ENOBUFS');
    kernel.answer = ({ seq }, socket) => socket.tell(aMessage(error, errnoBytes(0), { seq }));
    await requests.change(setLink, body);
    expect(kernel.sockets).to.have.lengthOf(2);
  });

  it('fails what is under way and what comes later once it is closed', async () => {
    const current = codeOf(requests.change(setLink, body));
    await timers.tickAsync(0);
    requests.close();
    expect(await current).to.equal('ECANCELED');
    expect(await codeOf(requests.change(setLink, body))).to.equal('ECANCELED');
    expect(kernel.sockets.map(({ isClosed }) => isClosed)).to.deep.equal([true]);
  });
});
