import { readdir, readFile } from 'node:fs/promises';
import { chartReadme } from './readme.js';
import { inRelease, onlyIf, templateOf } from './template.js';
import { daemonSetTemplate, deploymentTemplate, serviceTemplate } from './workloads.js';

const CHART = 'charts/eni-operator';
const NOTE = '{{- /* Written by `npm run chart`, from %s. */ -}}\n';

/** A file of the chart that is made from a manifest. */
interface Source {
  from: string;
  /** Below the chart's folder. */
  to: string;
  make: (text: string) => string;
}

/** The files of the chart that the manifests or values.yaml decide, by their paths. */
export async function chartFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { from, to, make } of await sources()) {
    files.set(`${CHART}/${to}`, make(await readFile(from, 'utf8')));
  }
  files.set(`${CHART}/README.md`, chartReadme(await readFile(`${CHART}/values.yaml`, 'utf8')));
  return files;
}

async function sources(): Promise<Source[]> {
  const crds = (await readdir('crds')).filter((name) => name.startsWith('networking'));
  const policies = await manifestsIn('manifests/policy');
  const roles = (await manifestsIn('manifests/rbac')).filter(
    (name) => name !== 'service-accounts.yaml',
  );
  return [
    ...crds.map((name) => template(`crds/${name}`, `crds/${name}`, crd)),
    ...policies.map((name) => template(`manifests/policy/${name}`, `policy/${name}`, inRelease)),
    ...roles.map((name) => template(`manifests/rbac/${name}`, `rbac/${name}`, forAccount)),
    template('manifests/rbac/service-accounts.yaml', 'rbac/service-accounts.yaml', accounts),
    ...grants('multus', 'multus.enabled'),
    ...grants('node-condition', 'nodeCondition.enabled'),
    template(
      'manifests/controller/deployment.yaml',
      'controller/deployment.yaml',
      deploymentTemplate,
    ),
    template('manifests/controller/service.yaml', 'controller/service.yaml', (text) =>
      serviceTemplate(text, 'controller'),
    ),
    template('manifests/controller/network-policy.yaml', 'controller/network-policy.yaml', (text) =>
      onlyIf('networkPolicy.enabled', inRelease(text)),
    ),
    template('manifests/agent/daemonset.yaml', 'agent/daemonset.yaml', daemonSetTemplate),
    template(
      'kustomize/components/ha/pod-disruption-budget.yaml',
      'controller/pod-disruption-budget.yaml',
      (text) => onlyIf('ha.enabled', inRelease(text)),
    ),
    ...['reader.yaml', 'reviews.yaml'].map((name) =>
      template(`kustomize/components/metrics-auth/${name}`, `metrics-auth/${name}`, (text) =>
        onlyIf('metricsAuth.enabled', forAccount(text)),
      ),
    ),
    template('manifests/monitoring/servicemonitor.yaml', 'monitoring/controller.yaml', (text) =>
      onlyIf('monitoring.enabled', serviceMonitor(text)),
    ),
    template('kustomize/components/monitoring/agents.yaml', 'monitoring/agents.yaml', (text) =>
      onlyIf('monitoring.enabled', inRelease(text)),
    ),
    template(
      'kustomize/components/monitoring/agent-service.yaml',
      'monitoring/agent-service.yaml',
      (text) => onlyIf('monitoring.enabled', serviceTemplate(text, 'agent')),
    ),
    // Both have braces of their own, so the chart reads them as files.
    { from: 'manifests/monitoring/alerts.yaml', to: 'files/alerts.yaml', make: (text) => text },
    {
      from: 'manifests/monitoring/dashboard.json',
      to: 'files/dashboard.json',
      make: (text) => text,
    },
  ];
}

/** What a component lets the controller do, and the policy that restricts it. */
function grants(component: string, value: string): Source[] {
  return ['role.yaml', 'policy.yaml'].map((name) =>
    template(`kustomize/components/${component}/${name}`, `${component}/${name}`, (text) =>
      onlyIf(value, forAccount(text)),
    ),
  );
}

function template(from: string, to: string, make: (text: string) => string): Source {
  const note = NOTE.replace('%s', from);
  return { from, to: `templates/${to}`, make: (text) => `${note}${make(text)}` };
}

async function manifestsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== 'kustomization.yaml').sort();
}

/** Helm upgrades what is in templates/, unlike crds/; and it keeps the CRD, and with it the ENIs, at an uninstall. */
function crd(text: string): string {
  const kept = templateOf(text, [
    {
      path: ['metadata', 'annotations'],
      lines: 'annotations:\n  helm.sh/resource-policy: keep',
    },
  ]);
  return onlyIf('crds.install', kept);
}

/** Bindings to the controller's service account, by the name that the values give it. */
function forAccount(text: string): string {
  return inRelease(text).replaceAll(
    /(- kind: ServiceAccount\n +name: )eni-operator-controller\n/g,
    '$1{{ include "eni-operator.serviceAccount" . }}\n',
  );
}

function accounts(text: string): string {
  const [controller = '', agent = ''] = text.split('---\n');
  return [
    onlyIf(
      'serviceAccount.create',
      templateOf(controller, [
        {
          path: ['metadata', 'name'],
          lines: 'name: {{ include "eni-operator.serviceAccount" . }}',
        },
        { path: ['metadata', 'annotations'], lines: annotationsOf('.Values.serviceAccount') },
      ]),
    ),
    templateOf(agent, [
      { path: ['metadata', 'annotations'], lines: annotationsOf('.Values.agent.serviceAccount') },
    ]),
  ].join('---\n');
}

function annotationsOf(value: string): string {
  return `
{{- with ${value}.annotations }}
annotations:
  {{- toYaml . | nindent INDENT+2 }}
{{- end }}`;
}

/** kustomize/components/metrics-auth/scrape.yaml */
function serviceMonitor(text: string): string {
  return templateOf(text, [
    {
      path: ['spec', 'endpoints', 0, 'scheme'],
      lines: `
{{- if .Values.metricsAuth.enabled }}
scheme: https
bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
tlsConfig:
  serverName: eni-operator-controller.eni-system.svc
  ca:
    secret:
      name: eni-operator-metrics-tls
      key: ca.crt
{{- end }}`,
    },
  ]);
}
