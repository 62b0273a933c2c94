import { expect } from 'chai';
import { type Manifest, render, renderWithPorts } from '../deploy/support/manifest.js';
import { CHART, HELM_BUILD_MS, Helm } from './support/helm.js';

/** Each component of kustomize as the values of the chart. */
const COMPONENTS = {
  ha: ['ha.enabled=true'],
  networkd: ['networkd.enabled=true'],
  dhcp: ['dhcp.enabled=true'],
  'pod-addresses': ['podAddresses.enabled=true'],
  multus: ['multus.enabled=true'],
  'node-condition': ['nodeCondition.enabled=true'],
  monitoring: ['monitoring.enabled=true'],
  'metrics-auth': ['metricsAuth.enabled=true'],
  // The same ports as without it.
  ports: [],
};

describe('the Helm chart, rendered', function () {
  this.timeout(60_000);
  let helm: Helm;

  before(async function () {
    this.timeout(HELM_BUILD_MS);
    helm = await Helm.need(this);
  });

  async function same(values: readonly string[], env: Record<string, string>): Promise<void> {
    const set = values.flatMap((value) => ['--set', value]);
    const fromChart = comparable(await helm.template(...set));
    const fromKustomize = comparable(await render('default', env));
    expect([...fromChart.keys()]).to.deep.equal([...fromKustomize.keys()]);
    for (const [name, object] of fromKustomize) {
      expect(fromChart.get(name), name).to.deep.equal(object);
    }
  }

  it('has the objects of the overlay default', async () => {
    await same([], {});
  });

  for (const [component, values] of Object.entries(COMPONENTS)) {
    it(`has the objects of the component ${component}`, async () => {
      await same(values, { COMPONENTS: component });
    });
  }

  it('has the objects of all components together', async () => {
    await same(Object.values(COMPONENTS).flat(), { COMPONENTS: Object.keys(COMPONENTS).join(' ') });
  });

  it('has the ports of the component ports, each in every place', async () => {
    const ports = {
      'controller-health': 18_081,
      'controller-metrics': 18_080,
      'agent-health': 19_811,
      'agent-metrics': 19_810,
    };
    const COMPONENTS = 'monitoring ports';
    const fromKustomize = comparable(await renderWithPorts('default', ports, { COMPONENTS }));
    const set = Object.entries(ports).flatMap(([name, port]) => [
      '--set',
      `ports.${name.replace('-', '.')}=${port}`,
    ]);
    const fromChart = comparable(await helm.template('--set', 'monitoring.enabled=true', ...set));
    for (const [name, object] of fromKustomize) {
      expect(fromChart.get(name), name).to.deep.equal(object);
    }
    const text = JSON.stringify([...fromKustomize.values()]);
    for (const port of [8_080, 8_081, 9_810, 9_811]) {
      expect(text).not.to.match(new RegExp(`[":]${port}\\b`));
    }
    for (const port of Object.values(ports)) expect(text).to.match(new RegExp(`[":]${port}\\b`));
  });

  it('takes image, Region and role as render.sh does', async () => {
    await same(
      [
        'image.repository=registry.example:5000/eni',
        'image.tag=v2',
        'awsRegion=eu-central-1',
        'serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::123456789012:role/eni',
      ],
      {
        IMG: 'registry.example:5000/eni:v2',
        REGION: 'eu-central-1',
        ROLE_ARN: 'arn:aws:iam::123456789012:role/eni',
      },
    );
  });

  it('puts scheduling, labels, annotations, resources and settings where they belong', async () => {
    const objects = await helm.template(
      ...['--set', 'nodeSelector.role=infra', '--set', 'agent.nodeSelector.enis=yes'],
      ...['--set', 'tolerations[0].operator=Exists', '--set', 'podLabels.team=net'],
      ...['--set', 'podAnnotations.note=x', '--set', 'resources.manager.limits.memory=1Gi'],
      ...['--set', 'affinity.nodeAffinity.x=y', '--set', 'ha.enabled=true'],
      ...['--set', 'logLevel=debug', '--set', 'controller.maxConcurrentReconciles=2000000'],
      ...['--set', 'controller.maxConcurrentENICleanup=7'],
      ...['--set', 'controller.settings.DETACHMENT_TIMEOUT=1m'],
      ...['--set', 'image.digest=sha256:abc', '--set', 'imagePullSecrets[0].name=pull'],
      ...['--set', 'serviceAccount.create=false', '--set', 'serviceAccount.name=mine'],
      ...['--set', 'networkPolicy.enabled=false'],
      ...['--set', 'crds.install=false', '--set', 'uninstallGuard.enabled=false'],
    );
    const find = (kind: string, name: string) =>
      objects.find((each) => each.kind === kind && each.metadata.name === name) as
        | (Manifest & { data: object; spec: { template: { metadata: object; spec: object } } })
        | undefined;
    const controller = find('Deployment', 'eni-operator-controller')?.spec.template;
    expect(controller?.metadata).to.nested.include({
      'labels.team': 'net',
      'annotations.note': 'x',
    });
    expect(controller?.spec).to.deep.include({
      serviceAccountName: 'mine',
      imagePullSecrets: [{ name: 'pull' }],
      affinity: { nodeAffinity: { x: 'y' } },
      nodeSelector: { 'kubernetes.io/os': 'linux', role: 'infra' },
    });
    expect(controller?.spec).to.nested.include({
      'tolerations[2].operator': 'Exists',
      'containers[0].image': 'eni-operator@sha256:abc',
    });
    const agent = find('DaemonSet', 'eni-operator-agent')?.spec.template;
    expect(agent?.metadata).to.nested.include({ 'labels.team': 'net', 'annotations.note': 'x' });
    expect(agent?.spec).to.nested.include({
      'nodeSelector.enis': 'yes',
      'containers[0].resources.limits.memory': '1Gi',
    });
    expect(find('ConfigMap', 'eni-operator-controller')?.data).to.deep.equal({
      AWS_REGION: '',
      LOG_LEVEL: 'debug',
      MAX_CONCURRENT_RECONCILES: '2000000',
      MAX_CONCURRENT_ENI_CLEANUP: '7',
      DETACHMENT_TIMEOUT: '1m',
    });
    expect(find('ConfigMap', 'eni-operator-agent')?.data).to.deep.equal({ LOG_LEVEL: 'debug' });
    const kinds = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(kinds).not.to.include.members(['ServiceAccount mine']);
    expect(kinds.filter((name) => /Custom|NetworkPolicy|Job|networks/.test(name))).to.deep.equal(
      [],
    );
    const subjects = objects.flatMap((each) => (each as { subjects?: object[] }).subjects ?? []);
    expect(subjects).to.deep.include({
      kind: 'ServiceAccount',
      name: 'mine',
      namespace: 'eni-system',
    });
    expect(JSON.stringify(subjects)).not.to.include('eni-operator-controller');
  });

  for (const [value, remedy] of [
    ['eniManager.enabled=true', 'eniManager is not supported: use agent'],
    ['namespace=x', 'use the --namespace flag'],
    ['dpdk.enabled=true', 'does not bind devices to DPDK drivers'],
    ['replicaCount=2', 'use ha.enabled'],
    ['awsRegoin=x', 'The value awsRegoin is unknown'],
    ['controller.detachmentTimeout=1m', 'controller.settings by its environment variable'],
    ['resources.agent.x=1', 'resources.manager for the node agents'],
    ['serviceAccount.create=false', 'serviceAccount.name is empty'],
    ['image.pullPolicy=Sometimes', 'pullPolicy'],
    ['ha.enabled=often', 'ha'],
    ['logLevel=loud', 'logLevel'],
    ['metrics.enabled=true', 'ports.controller.metrics for another port'],
    ['ports.agent.health=70000', 'health'],
  ] as const) {
    it(`refuses ${value} and says what to do`, async () => {
      const failure = await helm.template('--set', value).then(
        () => 'rendered',
        (error: Error) => error.message,
      );
      expect(failure).to.include(remedy);
    });
  }

  it('passes helm lint --strict, without and with every component', async () => {
    for (const values of [[], Object.values(COMPONENTS).flat()]) {
      const set = values.flatMap((value) => ['--set', value]);
      const { code, stdout, stderr } = await helm.run(['lint', '--strict', CHART, ...set]);
      expect(code, stdout + stderr).to.equal(0);
    }
  });
});

/** The objects by kind and name, without what only one of the two ways needs. */
function comparable(objects: readonly Manifest[]): Map<string, unknown> {
  const entries = objects
    .filter(({ kind, metadata }) => kind !== 'Namespace' && !isHook(metadata))
    .map((object) => normalized(object) as Manifest)
    .map((object): [string, unknown] => [
      `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      object,
    ]);
  return new Map(entries.sort(([a], [b]) => a.localeCompare(b)));
}

function isHook(metadata: object): boolean {
  const { annotations = {} } = metadata as { annotations?: Record<string, string> };
  return 'helm.sh/hook' in annotations;
}

/** Kustomize names a ConfigMap by its content; helm puts a checksum of it into the pods' annotations. */
const CONFIG_MAP = /^(eni-operator-(?:controller|agent))-[a-z0-9]{10}$/;
const HELM_ANNOTATIONS = ['checksum/settings', 'helm.sh/resource-policy'];

function isNamed(item: unknown): item is { name: string } {
  return (
    typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string'
  );
}

function normalized(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(CONFIG_MAP, '$1');
  if (Array.isArray(value)) {
    const items = value.map(normalized);
    return items.every(isNamed) ? items.sort((a, b) => a.name.localeCompare(b.name)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !HELM_ANNOTATIONS.includes(key))
    .map(([key, each]): [string, unknown] => [key, normalized(each)])
    .filter(([key, each]) => !(key === 'annotations' && Object.keys(each as object).length === 0));
  return Object.fromEntries(entries);
}
