import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { HostEventSource, HostEvents } from '../../../../src/agent/host/host-events.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { aLink, FakeHost } from '../../../support/fake-host.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const MAC = '02:00:00:00:00:01';

describe('HostEventSource', () => {
  let host: FakeHost;
  let time: VirtualTime;
  let stop: AbortController;
  let heard: HostEvents[];

  beforeEach(async () => {
    host = new FakeHost();
    host.state.links.push(aLink());
    time = new VirtualTime(0);
    stop = new AbortController();
    const source = new HostEventSource({
      network: host,
      clock: time,
      logger: silentLogger,
      resyncMs: 60_000,
    });
    heard = [];
    source.subscribe(({ object }) => heard.push(object));
    await source.start(stop.signal);
  });

  it('has all looked at when it starts, and again each resync until it is stopped', async () => {
    expect(heard.splice(0)).to.deep.equal([new HostEvents()]);
    await time.pass(120_000);
    expect(heard.splice(0)).to.deep.equal([new HostEvents(), new HostEvents()]);
    stop.abort();
    await time.pass(600_000);
    expect(heard).to.deep.equal([]);
  });

  it('tells by MAC address of a device, of its addresses and routes, and of its end', () => {
    heard.splice(0);
    host.emit({ type: 'link', link: aLink() });
    host.emit({ type: 'address', linkIndex: 2 });
    host.emit({ type: 'route', table: 21_001, linkIndex: 2 });
    host.emit({ type: 'linkGone', index: 2 });
    expect(heard).to.deep.equal(Array.from({ length: 4 }, () => new HostEvents(MAC)));
  });

  it('tells of rules by table', () => {
    heard.splice(0);
    host.emit({ type: 'rule', table: 21_001 });
    expect(heard).to.deep.equal([new HostEvents(undefined, 21_001)]);
  });

  it('learns the devices anew where events were lost', async () => {
    host.state.links.push(aLink({ index: 7, macAddress: '02:00:00:00:00:07' }));
    heard.splice(0);
    host.emit({ type: 'address', linkIndex: 7 });
    expect(heard.splice(0)).to.deep.equal([new HostEvents()]);
    host.emit({ type: 'overrun' });
    await setImmediate();
    heard.splice(0);
    host.emit({ type: 'address', linkIndex: 7 });
    expect(heard).to.deep.equal([new HostEvents('02:00:00:00:00:07')]);
  });
});
