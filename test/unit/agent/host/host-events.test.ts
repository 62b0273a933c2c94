import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { HostEvent, HostEventSource } from '../../../../src/agent/host/host-events.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { aLink, FakeHost } from '../../../support/fake-host.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const MAC = '02:00:00:00:00:01';

describe('HostEventSource', () => {
  let host: FakeHost;
  let time: VirtualTime;
  let stop: AbortController;
  let heard: HostEvent[];

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
    expect(heard.splice(0)).to.deep.equal([new HostEvent()]);
    await time.pass(120_000);
    expect(heard.splice(0)).to.deep.equal([new HostEvent(), new HostEvent()]);
    stop.abort();
    await time.pass(600_000);
    expect(heard).to.deep.equal([]);
  });

  it('emits the MAC address for a new or removed device, its addresses and its routes', () => {
    heard.splice(0);
    host.emit({ type: 'link', link: aLink() });
    host.emit({ type: 'address', linkIndex: 2 });
    host.emit({ type: 'route', table: 21_001, linkIndex: 2 });
    host.emit({ type: 'linkGone', index: 2 });
    expect(heard).to.deep.equal(Array.from({ length: 4 }, () => new HostEvent(MAC)));
  });

  it('emits the table for rules', () => {
    heard.splice(0);
    host.emit({ type: 'rule', table: 21_001 });
    expect(heard).to.deep.equal([new HostEvent(undefined, 21_001)]);
  });

  it('lists the devices again after lost events', async () => {
    host.state.links.push(aLink({ index: 7, macAddress: '02:00:00:00:00:07' }));
    heard.splice(0);
    host.emit({ type: 'address', linkIndex: 7 });
    expect(heard.splice(0)).to.deep.equal([new HostEvent()]);
    host.emit({ type: 'overrun' });
    await setImmediate();
    heard.splice(0);
    host.emit({ type: 'address', linkIndex: 7 });
    expect(heard).to.deep.equal([new HostEvent('02:00:00:00:00:07')]);
  });
});
