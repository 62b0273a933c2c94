import { expect } from 'chai';
import { DhcpLeases } from '../../../../src/agent/dhcp/leases.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { NOW } from '../../../support/objects.js';
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
  let stop: AbortController;

  beforeEach(async () => {
    time = new VirtualTime(NOW);
    dhcp = new ScriptedDhcp(time);
    dhcp.reactions = [{ type: 'ack' }];
    const { openSocket: open } = dhcp;
    leases = new DhcpLeases({ open, clock: time, random: () => 0.5, logger: silentLogger });
    news = [];
    leases.subscribe(({ object }) => news.push(object.key));
    stop = new AbortController();
    await leases.start(stop.signal);
  });

  afterEach(() => stop.abort());

  it('tells by news that what was asked for is held', async () => {
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

  it('asks anew where the address or the device is another', async () => {
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

  it('renews nothing that was released, and tells of it no more', async () => {
    leases.hold('a', REQUEST);
    leases.release('a');
    leases.release('unknown');
    await time.pass(DAY);
    expect(news).to.deep.equal([]);
    expect(dhcp.questions.length).to.be.lessThan(2);
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
