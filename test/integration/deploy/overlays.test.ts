import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { HOST_LOCAL_FOLDER, MULTUS_FOLDER } from '../../../tools/stage/host/pod-runtime.js';
import { bareCrd } from './support/custom-objects.js';
import { AGENT, CONTROLLER, DeployedCluster, NAMESPACE } from './support/deployed-cluster.js';
import { type Manifest, OVERLAYS, render, renderWithPorts, theOne } from './support/manifest.js';
import type { PodSpec } from './support/pod-process.js';

interface Volume {
  name: string;
  hostPath?: { path: string };
}

interface Workload extends Manifest {
  spec: {
    replicas?: number;
    template: { metadata: object; spec: PodSpec & { volumes?: Volume[] } };
  };
}

/** The Prometheus operator's kinds. */
const PROMETHEUS = [
  { kind: 'ServiceMonitor', plural: 'servicemonitors' },
  { kind: 'PrometheusRule', plural: 'prometheusrules' },
].map((names) => bareCrd({ group: 'monitoring.coreos.com', ...names }));

const DEPLOYMENT = ['Deployment', CONTROLLER.name] as const;
const DAEMON_SET = ['DaemonSet', AGENT.name] as const;

describe('the overlays', () => {
  let cluster: DeployedCluster;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    await cluster.apply([...(await render('default')), ...PROMETHEUS]);
    await cluster.untilServed('monitoring.coreos.com/v1');
  });

  after(async () => {
    await cluster?.stop();
  });

  for (const overlay of OVERLAYS) {
    it(`${overlay}: is taken by the API server as a whole, with no unknown field and no warning`, async () => {
      await cluster.apply(await render(overlay), { dryRun: true });
    });

    it(`${overlay}: labels every object as a part of eni-operator`, async () => {
      for (const { kind, metadata } of await render(overlay)) {
        const { labels = {} } = metadata;
        expect(labels, `${kind} ${metadata.name}`).to.include({
          'app.kubernetes.io/name': 'eni-operator',
          'app.kubernetes.io/part-of': 'eni-operator',
        });
        if (kind === 'CustomResourceDefinition') continue;
        expect(labels, `${kind} ${metadata.name}`).to.have.property('app.kubernetes.io/component');
      }
    });
  }

  it('take every component besides, all at once', async () => {
    const components = await readdir('kustomize/components');
    await cluster.apply(await render('default', { COMPONENTS: components.join(' ') }), {
      dryRun: true,
    });
  });

  it('have other ports in every place where the component ports has them in one', async () => {
    const ports = { 'controller-health': 18_081, 'agent-health': 19_811, 'agent-metrics': 19_810 };
    const manifests = await renderWithPorts('monitoring', ports, { COMPONENTS: 'ports' });
    await cluster.apply(manifests, { dryRun: true });
    const containerOf = (kind: string, name: string) =>
      theOne<Workload>(manifests, kind, name).spec.template.spec.containers[0];
    expect(containerOf(...DEPLOYMENT)).to.deep.nested.include({
      'ports[1]': { name: 'health', containerPort: 18_081 },
    });
    const agent = containerOf(...DAEMON_SET);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(agent).to.have.nested.property(`${probe}.httpGet.port`, 19_811);
    }
    expect(agent?.env).to.deep.include.members([
      { name: 'HEALTH_ADDRESS', value: '127.0.0.1:19811' },
      { name: 'METRICS_PORT', value: '19810' },
      { name: 'METRICS_ADDRESS', value: '[$(HOST_IP)]:$(METRICS_PORT)' },
    ]);
    expect(manifests.filter(({ metadata }) => /ports/.test(metadata.name))).to.deep.equal([]);
  });

  it('mount with pod-addresses the folders that Multus and host-local have by default', async () => {
    const manifests = await render('default', { COMPONENTS: 'pod-addresses' });
    const { spec } = theOne<Workload>(manifests, ...DAEMON_SET).spec.template;
    const [agent] = spec.containers;
    const folderOn = (setting: string) => {
      const { value } = agent?.env?.find(({ name }) => name === setting) ?? {};
      const { name } = agent?.volumeMounts?.find(({ mountPath }) => mountPath === value) ?? {};
      return spec.volumes?.find((volume) => volume.name === name)?.hostPath?.path;
    };
    // PodRuntime runs Multus with these and names neither.
    expect(folderOn('MULTUS_CONF_DIR')).to.equal(MULTUS_FOLDER);
    expect(folderOn('CNI_STATE_DIR')).to.equal(HOST_LOCAL_FOLDER);
  });

  it('take image, Region and role from the environment, and change no file', async () => {
    const manifests = await render('ha', {
      IMG: 'registry.example:5000/eni:v2',
      REGION: 'eu-central-1',
      ROLE_ARN: 'arn:aws:iam::123456789012:role/eni',
    });
    for (const [kind, name] of [DEPLOYMENT, DAEMON_SET]) {
      const { template } = theOne<Workload>(manifests, kind, name).spec;
      for (const { image } of template.spec.containers) {
        expect(image).to.equal('registry.example:5000/eni:v2');
      }
    }
    const settings = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(CONTROLLER.name),
    );
    expect(settings).to.deep.include({ data: { AWS_REGION: 'eu-central-1' } });
    expect(theOne(manifests, 'ServiceAccount', CONTROLLER.name).metadata).to.deep.include({
      annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/eni' },
    });
  });

  it('ha: runs two controllers, and lets one at a time be evicted', async () => {
    const manifests = await render('ha');
    expect(theOne<Workload>(manifests, ...DEPLOYMENT).spec.replicas).to.equal(2);
    const budget = theOne(manifests, 'PodDisruptionBudget', CONTROLLER.name);
    expect(budget).to.have.nested.property('spec.maxUnavailable', 1);
    expect(budget).to.have.nested.property('spec.selector.matchLabels').that.deep.equals({
      'app.kubernetes.io/name': 'eni-operator',
      'app.kubernetes.io/component': 'controller',
    });
  });

  it('networkd: lets the agent write to the folders of drop-in files, and to no other of the host', async () => {
    const { template } = theOne<Workload>(await render('networkd'), ...DAEMON_SET).spec;
    expect(template.spec.volumes).to.deep.equal([
      volume('networkd', '/etc/systemd/network'),
      volume('networkmanager', '/etc/NetworkManager/conf.d'),
    ]);
    const [{ env = [], volumeMounts = [] } = {}] = template.spec.containers;
    expect(env.filter(({ name }) => name.endsWith('_DROPIN_DIR'))).to.deep.equal(
      volumeMounts.map(({ name, mountPath }) => ({
        name: `${name.toUpperCase()}_DROPIN_DIR`,
        value: mountPath,
      })),
    );
  });

  it('use a variable only after it is defined, for Kubernetes does not expand it before', async () => {
    const overlays = await Promise.all(OVERLAYS.map((overlay) => render(overlay)));
    for (const manifest of overlays.flat()) {
      const containers = (manifest as Partial<Workload>).spec?.template?.spec.containers ?? [];
      for (const { env = [] } of containers) {
        env.forEach(({ value = '' }, index) => {
          const defined = env.slice(0, index).map(({ name }) => name);
          for (const [, name = ''] of value.matchAll(/\$\(([A-Z_]+)\)/g)) {
            expect(defined, `${manifest.kind} ${manifest.metadata.name}`).to.include(name);
          }
        });
      }
    }
  });

  function volume(name: string, path: string) {
    return { name, hostPath: { path, type: 'DirectoryOrCreate' } };
  }

  describe('under the Pod Security Standard "restricted"', () => {
    before(async () => {
      await cluster.apply([
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: {
            name: 'strict',
            labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
          },
        },
      ]);
    });

    async function violations(manifests: readonly Manifest[], which: readonly [string, string]) {
      const { template } = theOne<Workload>(manifests, ...which).spec;
      const { status, body } = await cluster.api.send(
        'POST',
        '/api/v1/namespaces/strict/pods?dryRun=All',
        { metadata: { ...template.metadata, name: 'pod' }, spec: template.spec },
      );
      if (status === 201) return [];
      const [, list = ''] = /"restricted:latest": (.*)$/.exec(body.message ?? '') ?? [];
      expect(list, body.message).not.to.equal('');
      // `host namespaces (hostNetwork=true), unrestricted capabilities (…), …`
      return list.split(/(?<=\)), /);
    }

    for (const overlay of OVERLAYS) {
      it(`${overlay}: the controller's pod is admitted`, async () => {
        expect(await violations(await render(overlay), DEPLOYMENT)).to.deep.equal([]);
      });
    }

    const AGENT_NEEDS = [
      'host namespaces (hostNetwork=true)',
      'probe or lifecycle host (container "agent" uses probe or lifecycle host "127.0.0.1")',
      'unrestricted capabilities (container "agent" must not include "NET_ADMIN" in securityContext.capabilities.add)',
      'runAsNonRoot != true (pod or container "agent" must set securityContext.runAsNonRoot=true)',
      'runAsUser=0 (pod must not set runAsUser=0)',
    ];

    it("default: the agent's pod needs the host's network, probes on its loopback and NET_ADMIN, as root, and no more", async () => {
      expect(await violations(await render('default'), DAEMON_SET)).to.deep.equal(AGENT_NEEDS);
    });

    it("networkd: the agent's pod needs folders of the host besides", async () => {
      const found = await violations(await render('networkd'), DAEMON_SET);
      expect(found.filter((each) => !AGENT_NEEDS.includes(each))).to.deep.equal([
        'restricted volume types (volumes "networkd", "networkmanager" use restricted volume type "hostPath")',
      ]);
    });
  });

  it(`put everything into ${NAMESPACE}, but for the Events about what is in no namespace`, async () => {
    for (const { kind, metadata } of await render('ha')) {
      const { namespace = NAMESPACE } = metadata;
      if (namespace === NAMESPACE) continue;
      expect([kind, metadata.name, namespace]).to.be.deep.oneOf([
        ['Role', 'eni-operator-events', 'default'],
        ['RoleBinding', 'eni-operator-events', 'default'],
      ]);
    }
  });
});
