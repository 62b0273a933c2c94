import { type Edit, END, inRelease, templateOf } from './template.js';

const POD = ['spec', 'template', 'spec'] as const;
const CONTAINER = [...POD, 'containers', 0] as const;

/** What both workloads take from the values. */
const COMMON: Edit[] = [
  {
    path: ['spec', 'template', 'metadata', 'labels', 'more'],
    lines: added('.Values.podLabels'),
  },
  {
    path: [...POD, 'imagePullSecrets'],
    lines: `
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent INDENT+2 }}
{{- end }}`,
  },
  {
    path: [...CONTAINER, 'image'],
    lines: `
image: {{ include "eni-operator.image" . | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}`,
  },
];

export function deploymentTemplate(text: string): string {
  const template = templateOf(text, [
    ...COMMON,
    {
      path: ['spec', 'replicas'],
      lines: 'replicas: {{ if .Values.ha.enabled }}2{{ else }}1{{ end }}',
    },
    {
      path: ['spec', 'template', 'metadata', 'annotations', 'more'],
      lines: annotations('controllerSettings'),
    },
    {
      path: [...POD, 'serviceAccountName'],
      lines: 'serviceAccountName: {{ include "eni-operator.serviceAccount" . }}',
    },
    { path: [...POD, 'nodeSelector', 'more'], lines: added('.Values.nodeSelector') },
    { path: [...POD, 'tolerations', END], lines: added('.Values.tolerations') },
    { path: [...POD, 'affinity'], lines: AFFINITY },
    { path: [...CONTAINER, 'env', END], lines: `${METRICS_ENV}${NODE_CONDITION_ENV}` },
    { path: [...CONTAINER, 'resources'], lines: resources('controller') },
    { path: [...CONTAINER, 'volumeMounts'], lines: METRICS_MOUNT },
    { path: [...POD, 'volumes'], lines: METRICS_VOLUME },
  ]);
  return swapped(template, [
    ['value: ":8080"', 'value: ":{{ .Values.ports.controller.metrics }}"'],
    ['value: ":8081"', 'value: ":{{ .Values.ports.controller.health }}"'],
    ['containerPort: 8080', 'containerPort: {{ .Values.ports.controller.metrics }}'],
    ['containerPort: 8081', 'containerPort: {{ .Values.ports.controller.health }}'],
  ]);
}

export function daemonSetTemplate(text: string): string {
  const template = templateOf(text, [
    ...COMMON,
    {
      path: ['spec', 'template', 'metadata', 'annotations'],
      lines: `annotations:\n${annotations('agentSettings')
        .split('\n')
        .map((line) => `  ${line}`.replaceAll('INDENT', 'INDENT+2'))
        .join('\n')}`,
    },
    { path: [...POD, 'nodeSelector', 'more'], lines: added('.Values.agent.nodeSelector') },
    { path: [...CONTAINER, 'env', END], lines: `${DROP_IN_ENV}${POD_ENV}` },
    { path: [...CONTAINER, 'resources'], lines: resources('manager') },
    { path: [...CONTAINER, 'volumeMounts'], lines: DROP_IN_MOUNTS },
    { path: [...POD, 'volumes'], lines: DROP_IN_VOLUMES },
    {
      path: [...CONTAINER, 'securityContext', 'capabilities', 'add'],
      lines: 'add: [NET_ADMIN{{ if .Values.dhcp.enabled }}, NET_BIND_SERVICE{{ end }}]',
    },
  ]);
  return swapped(template, [
    [
      'value: "0"',
      'value: {{ if .Values.monitoring.enabled }}"[$(HOST_IP)]:$(METRICS_PORT)"{{ else }}"0"{{ end }}',
    ],
    ['value: "9810"', 'value: {{ .Values.ports.agent.metrics | quote }}'],
    ['value: 127.0.0.1:9811', 'value: 127.0.0.1:{{ .Values.ports.agent.health }}'],
    ['port: 9811', 'port: {{ .Values.ports.agent.health }}'],
  ]);
}

/** The Service in front of the controllers, or of the agents. */
export function serviceTemplate(text: string, component: 'controller' | 'agent'): string {
  return inRelease(text).replaceAll(
    /((?:targetP|p)ort: )\d+/g,
    `$1{{ .Values.ports.${component}.metrics }}`,
  );
}

/** The template with values instead of ports of the manifests. @throws Error for a text that is not there */
function swapped(template: string, swaps: readonly (readonly [string, string])[]): string {
  return swaps.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`The manifest does not have ${from}`);
    return result.replaceAll(from, to);
  }, template);
}

/** A map or list of the values, beside what the manifest has. */
function added(values: string): string {
  return `
{{- with ${values} }}
{{- toYaml . | nindent INDENT }}
{{- end }}`;
}

/** Pods restart when a setting changes. */
function annotations(settings: string): string {
  return `
checksum/settings: {{ include "eni-operator.${settings}" . | sha256sum }}
${added('.Values.podAnnotations').trim()}`.trim();
}

function resources(of: string): string {
  return `resources:\n  {{- toYaml .Values.resources.${of} | nindent INDENT+2 }}`;
}

/** kustomize/components/ha */
const AFFINITY = `
{{- if .Values.affinity }}
affinity:
  {{- toYaml .Values.affinity | nindent INDENT+2 }}
{{- else if .Values.ha.enabled }}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: eni-operator
            app.kubernetes.io/component: controller
        matchLabelKeys: [pod-template-hash]
{{- end }}
{{- if .Values.ha.enabled }}
topologySpreadConstraints:
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        app.kubernetes.io/name: eni-operator
        app.kubernetes.io/component: controller
    matchLabelKeys: [pod-template-hash]
{{- end }}`;

/** kustomize/components/metrics-auth */
const METRICS_ENV = `
{{- if .Values.metricsAuth.enabled }}
- name: METRICS_AUTH
  value: token
- name: METRICS_TLS_CERT
  value: /etc/eni-operator/metrics-tls/tls.crt
- name: METRICS_TLS_KEY
  value: /etc/eni-operator/metrics-tls/tls.key
{{- end }}`;
/** kustomize/components/node-condition */
const NODE_CONDITION_ENV = `
{{- if .Values.nodeCondition.enabled }}
- name: NODE_CONDITION
  value: "true"
{{- end }}`;
const METRICS_MOUNT = `
{{- if .Values.metricsAuth.enabled }}
volumeMounts:
  - name: metrics-tls
    mountPath: /etc/eni-operator/metrics-tls
    readOnly: true
{{- end }}`;
const METRICS_VOLUME = `
{{- if .Values.metricsAuth.enabled }}
volumes:
  - name: metrics-tls
    secret:
      secretName: eni-operator-metrics-tls
{{- end }}`;

/** kustomize/components/pod-addresses */
const POD_ENV = `
{{- if .Values.podAddresses.enabled }}
- name: MULTUS_CONF_DIR
  value: /host/etc/cni/multus/net.d
- name: CNI_STATE_DIR
  value: /host/var/lib/cni/networks
{{- end }}`;

/** kustomize/components/networkd */
const DROP_IN_ENV = `
{{- if .Values.networkd.enabled }}
- name: NETWORKD_DROPIN_DIR
  value: /host/etc/systemd/network
- name: NETWORKMANAGER_DROPIN_DIR
  value: /host/etc/NetworkManager/conf.d
{{- end }}`;
const DROP_IN_MOUNTS = `
{{- if or .Values.networkd.enabled .Values.podAddresses.enabled }}
volumeMounts:
  {{- if .Values.networkd.enabled }}
  - name: networkd
    mountPath: /host/etc/systemd/network
  - name: networkmanager
    mountPath: /host/etc/NetworkManager/conf.d
  {{- end }}
  {{- if .Values.podAddresses.enabled }}
  - name: multus-conf
    mountPath: /host/etc/cni/multus/net.d
  - name: cni-state
    mountPath: /host/var/lib/cni/networks
  {{- end }}
{{- end }}`;
const DROP_IN_VOLUMES = `
{{- if or .Values.networkd.enabled .Values.podAddresses.enabled }}
volumes:
  {{- if .Values.networkd.enabled }}
  # A host that does not have the directory gets an empty one.
  - name: networkd
    hostPath:
      path: /etc/systemd/network
      type: DirectoryOrCreate
  - name: networkmanager
    hostPath:
      path: /etc/NetworkManager/conf.d
      type: DirectoryOrCreate
  {{- end }}
  {{- if .Values.podAddresses.enabled }}
  - name: multus-conf
    hostPath:
      path: /etc/cni/multus/net.d
      type: DirectoryOrCreate
  - name: cni-state
    hostPath:
      path: /var/lib/cni/networks
      type: DirectoryOrCreate
  {{- end }}
{{- end }}`;
