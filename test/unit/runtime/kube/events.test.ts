import { expect } from 'chai';
import type sinon from 'sinon';
import { systemClock } from '../../../../src/runtime/clock.js';
import { type EventDetails, KubeEventRecorder } from '../../../../src/runtime/kube/events.js';
import type { KubeClient } from '../../../../src/runtime/kube/kube-client.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { useFakeTime } from '../support/fake-timers.js';
import { stubbedKubeClient } from '../support/stubbed-kube-client.js';
import { aThing, Thing } from '../support/things.js';

const details: EventDetails = {
  type: 'Warning',
  reason: 'NoSubnet',
  action: 'Attach',
  note: 'No subnet fits.',
};

describe('KubeEventRecorder', () => {
  const time = useFakeTime();
  let client: sinon.SinonStubbedInstance<KubeClient>;
  let logger: RecordingLogger;
  let recorder: KubeEventRecorder;

  beforeEach(() => {
    client = stubbedKubeClient();
    client.create.resolves(aThing('event', 1));
    client.patch.resolves(aThing('event', 2));
    logger = new RecordingLogger();
    recorder = KubeEventRecorder.create({
      client,
      clock: systemClock,
      random: () => 0.5,
      logger,
      reportingController: 'example.com/operator',
      reportingInstance: 'pod-1',
      maxPending: 4,
    });
  });

  const tell = (name: string, change: Partial<EventDetails> = {}): void =>
    recorder.event({ kind: Thing, object: aThing(name, 7) }, { ...details, ...change });

  function created(index: number): Record<string, unknown> {
    return client.create.args[index]?.[1] as unknown as Record<string, unknown>;
  }

  it('writes an Event about a cluster-scoped object into the namespace default', async () => {
    tell('a');
    await recorder.flush();
    expect(created(0)).to.deep.equal({
      metadata: { name: `a.${Date.now().toString(16)}8000`, namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/operator',
      reportingInstance: 'pod-1',
      regarding: {
        apiVersion: 'example.com/v1',
        kind: 'Thing',
        name: 'a',
        uid: 'uid-of-a',
        resourceVersion: '7',
      },
      ...details,
    });
  });

  it('writes an Event about a namespaced object into its namespace', async () => {
    recorder.event({ kind: Thing, object: aThing('a', 7, { namespace: 'n' }) }, details);
    await recorder.flush();
    expect(created(0).metadata).to.deep.include({ namespace: 'n' });
    expect(created(0).regarding).to.deep.include({ namespace: 'n' });
  });

  it('cuts a note at 1,024 bytes, between characters', async () => {
    tell('a', { note: `${'x'.repeat(1_023)}é` });
    await recorder.flush();
    expect(created(0).note).to.equal('x'.repeat(1_023));
  });

  it('keeps names within what an object may be called', async () => {
    tell('n'.repeat(253));
    await recorder.flush();
    const { name } = created(0).metadata as { name: string };
    expect(name.length).to.be.at.most(253);
  });

  it('counts the same Event in its series, and writes the count no more than once a minute', async () => {
    tell('a');
    tell('a');
    for (let repeat = 0; repeat < 100; repeat++) {
      await time.tick(1_000);
      tell('a');
    }
    await recorder.flush();
    expect(client.create.callCount).to.equal(1);
    const counts = client.patch.args.map(
      ([, , patch]) => (patch.body as { series: { count: number } }).series.count,
    );
    expect(counts).to.deep.equal([2, 62]);
  });

  it('begins a new Event for what differs, and for what comes back much later', async () => {
    tell('a');
    tell('b');
    tell('a', { note: 'Other.' });
    await recorder.flush();
    await time.tick(360_000);
    tell('a');
    await recorder.flush();
    expect(client.create.callCount).to.equal(4);
  });

  it('sends in order, and blocks nothing meanwhile', async () => {
    let answer = (): void => undefined;
    client.create.onFirstCall().returns(
      new Promise((resolve) => {
        answer = () => resolve(aThing('event', 1));
      }),
    );
    tell('a');
    tell('b');
    await time.tick(0);
    expect(client.create.callCount).to.equal(1);
    answer();
    await recorder.flush();
    expect(client.create.callCount).to.equal(2);
  });

  it('sends an Event that is recorded just as the one before it has been sent', async () => {
    for (let microtasks = 0; microtasks < 10; microtasks++) {
      client.create.resetHistory();
      tell(`first-${microtasks}`);
      while (client.create.callCount === 0) await Promise.resolve();
      for (let passed = 0; passed < microtasks; passed++) await Promise.resolve();
      tell(`second-${microtasks}`);
      await time.tick(0);
      expect(client.create.callCount, `after ${microtasks} microtasks`).to.equal(2);
    }
  });

  it('goes on after an Event that was refused', async () => {
    client.create.onFirstCall().rejects(new Error('forbidden'));
    tell('a');
    tell('b');
    await recorder.flush();
    expect(client.create.callCount).to.equal(2);
    expect(logger.messages('warn')).to.deep.equal(['An Event could not be recorded']);
  });

  it('drops what is too much, and says so once', async () => {
    client.create.onFirstCall().returns(new Promise(() => undefined));
    for (let index = 0; index < 10; index++) tell(`thing-${index}`);
    await time.tick(0);
    expect(logger.messages('warn')).to.deep.equal([
      'Too many Events wait to be sent; dropping new ones',
    ]);
  });

  it('does not wait for an API server that is away beyond the time it is given', async () => {
    client.create.returns(new Promise(() => undefined));
    tell('a');
    let flushed = false;
    void recorder.flush(3_000).then(() => {
      flushed = true;
    });
    await time.tick(2_999);
    expect(flushed).to.equal(false);
    await time.tick(1);
    expect(flushed).to.equal(true);
  });

  it('has nothing to flush where nothing was recorded', async () => {
    await recorder.flush();
    expect(client.create.called).to.equal(false);
  });
});
