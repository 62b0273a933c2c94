import { expect } from 'chai';
import { systemClock } from '../../../../src/runtime/clock.js';
import { KubeEventRecorder } from '../../../../src/runtime/kube/events.js';
import type { HttpKubeClient } from '../../../../src/runtime/kube/http/http-kube-client.js';
import type { KubeObject, ResourceType } from '../../../../src/runtime/kube/resource.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../../tools/envtest/shared-control-plane.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { accessOf, ConfigMap, clientOf, newNamespace } from '../support/cluster-client.js';

interface Event extends KubeObject {
  note?: string;
  reason?: string;
  regarding?: { kind?: string; name?: string; uid?: string };
  series?: { count: number };
}

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

describe('KubeEventRecorder, against a real API server', () => {
  let client: HttpKubeClient;
  let namespace: string;
  let logger: RecordingLogger;
  let recorder: KubeEventRecorder;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const { kubeconfigPath } = await sharedControlPlane();
    client = clientOf(accessOf(kubeconfigPath));
    namespace = await newNamespace(client);
    logger = new RecordingLogger();
    recorder = KubeEventRecorder.create({
      client,
      clock: systemClock,
      random: Math.random,
      logger,
      reportingController: 'example.com/operator',
      reportingInstance: 'pod-1',
    });
  });

  after(() => client.close());

  async function recorded(inNamespace: string, name: string): Promise<Event[]> {
    const { items } = await client.list<Event>(EVENTS, { namespace: inNamespace });
    return items.filter(({ regarding }) => regarding?.name === name);
  }

  it('records Events that the API server accepts, repeats as a series, the longest note too', async () => {
    const object = await client.create<ConfigMap>(ConfigMap.resource, {
      metadata: { name: 'told', namespace },
    });
    const details = {
      type: 'Warning',
      reason: 'Tested',
      action: 'Test',
      note: 'é'.repeat(2_000),
    } as const;
    for (let time = 0; time < 3; time++) recorder.event({ kind: ConfigMap, object }, details);
    await recorder.flush();

    expect(logger.entries).to.deep.equal([]);
    const [event, ...others] = await recorded(namespace, 'told');
    expect(others).to.deep.equal([]);
    expect(event).to.deep.include({ reason: 'Tested', note: 'é'.repeat(512) });
    expect(event?.regarding).to.include({ kind: 'ConfigMap', uid: object.metadata.uid });
    expect(event?.series?.count).to.equal(2);
  });

  it('records Events about cluster-scoped objects', async () => {
    const kind = {
      resource: {
        group: '',
        version: 'v1',
        plural: 'namespaces',
        kind: 'Namespace',
        namespaced: false,
      },
    };
    const object = await client.get(kind.resource, { name: namespace });
    recorder.event(
      { kind, object },
      { type: 'Normal', reason: 'Tested', action: 'Test', note: 'It works.' },
    );
    await recorder.flush();
    expect(logger.entries).to.deep.equal([]);
    expect(await recorded('default', namespace)).to.have.length(1);
  });
});
