import {
  duration,
  matching,
  oneOf,
  optional,
  required,
  share,
  trueOrFalse,
  type ValuesOf,
  wholeNumber,
} from './parsers.js';
import { servingSettings } from './serving-settings.js';

export type { Setting } from './parsers.js';

/** Every setting of the controller; {@link loadConfig} reads them, the documentation lists them. */
export const SETTINGS = {
  region: optional({
    env: 'AWS_REGION',
    description:
      "AWS Region of the nodes. Absent: the instance metadata service's, else the nodes' topology.kubernetes.io/region label.",
    placeholder: 'region',
    parse: matching(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'a Region name, such as us-west-2'),
  }),
  clusterID: optional({
    env: 'CLUSTER_ID',
    description:
      "Identity of the cluster, in the tags of every ENI. Absent: the kube-system namespace's UID. If you change it, the controller no longer manages ENIs created before.",
    placeholder: 'id',
    parse: matching(/^[A-Za-z0-9._-]{1,128}$/, "1 to 128 letters, digits, '.', '_' or '-'"),
  }),
  maxConcurrentReconciles: required({
    env: 'MAX_CONCURRENT_RECONCILES',
    description:
      "ENIs processed in parallel, including those that wait for EC2's request rate. Request budgets keep that rate independent of this number; a low number makes NodeENIs wait for each other.",
    placeholder: 'number',
    parse: wholeNumber(1, 100_000),
    default: '10000',
  }),
  maxConcurrentCleanup: required({
    env: 'MAX_CONCURRENT_ENI_CLEANUP',
    description: 'ENIs detached in parallel, and ENIs deleted in parallel.',
    placeholder: 'number',
    parse: wholeNumber(1, 5_000),
    default: '128',
  }),
  detachmentTimeout: required({
    env: 'DETACHMENT_TIMEOUT',
    description:
      'How long a detachment may take before an Event reports it, and before it is forced where FORCE_DETACH is true.',
    placeholder: 'duration',
    parse: duration('1s', '24h'),
    default: '5m',
  }),
  forceDetach: required({
    env: 'FORCE_DETACH',
    description:
      'Whether to force a detachment after DETACHMENT_TIMEOUT. The device index may stay unusable until the instance is stopped and started.',
    placeholder: 'true|false',
    parse: trueOrFalse,
    default: 'false',
  }),
  defaultDeviceIndex: required({
    env: 'DEFAULT_DEVICE_INDEX',
    description: "Device index of a node's first ENI if the NodeENI does not set one.",
    placeholder: 'number',
    parse: wholeNumber(1, 31),
    default: '1',
  }),
  reservedInterfaces: required({
    env: 'RESERVED_INTERFACES',
    description:
      'Network interfaces of each instance that are reserved for other software, such as the VPC CNI and its trunk ENI; includes the interface that the instance was launched with. The annotation networking.k8s.aws/reserved-interfaces of a Node overrides it.',
    placeholder: 'number',
    parse: wholeNumber(0, 99),
    default: '1',
  }),
  defaultDeleteOnTermination: required({
    env: 'DEFAULT_DELETE_ON_TERMINATION',
    description:
      'Whether EC2 deletes an ENI when its instance terminates, if the NodeENI does not set it.',
    placeholder: 'true|false',
    parse: trueOrFalse,
    default: 'true',
  }),
  waitForAgent: required({
    env: 'WAIT_FOR_AGENT',
    description:
      "Whether an attached ENI is Ready only once the node's agent reports its link up. False: it is Ready as soon as it is attached.",
    placeholder: 'true|false',
    parse: trueOrFalse,
    default: 'false',
  }),
  startupTaintTimeout: required({
    env: 'STARTUP_TAINT_TIMEOUT',
    description:
      'How long a node keeps its startup taint for a NodeENI that is blocked on it, once the ENIs of another NodeENI are ready there. 0s: without limit. A node without ready ENIs keeps the taint.',
    placeholder: 'duration',
    parse: duration('0s', '24h'),
    default: '10m',
  }),
  nodeCondition: required({
    env: 'NODE_CONDITION',
    description:
      'Whether the controller sets the condition networking.k8s.aws/ENIsReady of Nodes. The component node-condition sets it, and grants the permission.',
    placeholder: 'true|false',
    parse: trueOrFalse,
    default: 'false',
  }),
  resyncPeriod: required({
    env: 'RESYNC_PERIOD',
    description:
      'How often the controller lists all ENIs of the cluster, to find changes made in EC2.',
    placeholder: 'duration',
    parse: duration('1s', '24h'),
    default: '10m',
  }),
  observeInterval: required({
    env: 'OBSERVE_INTERVAL',
    description:
      'Minimum time between two reads of ENIs that EC2 is attaching or detaching; one read covers up to 200 ENIs.',
    placeholder: 'duration',
    parse: duration('10ms', '1m'),
    default: '1s',
  }),
  consistencyWindow: required({
    env: 'EC2_CONSISTENCY_WINDOW',
    description: "How long EC2's reads may lag behind its writes.",
    placeholder: 'duration',
    parse: duration('0s', '10m'),
    default: '30s',
  }),
  orphanCleanup: required({
    env: 'ORPHAN_CLEANUP',
    description:
      "What happens to an unattached ENI with this cluster's tags and no ENIAttachment. delete: delete the ENI. report: emit an Event only. off: disabled. The controller never detaches an attached ENI.",
    placeholder: 'delete|report|off',
    parse: oneOf('delete', 'report', 'off'),
    default: 'delete',
  }),
  orphanGracePeriod: required({
    env: 'ORPHAN_GRACE_PERIOD',
    description:
      'How long an ENI must stay unchanged and without an ENIAttachment before the controller deletes or reports it; at least EC2_CONSISTENCY_WINDOW.',
    placeholder: 'duration',
    parse: duration('1s', '24h'),
    default: '10m',
  }),
  lookupTTL: required({
    env: 'LOOKUP_TTL',
    description: 'How long the controller caches subnets and security groups.',
    placeholder: 'duration',
    parse: duration('0s', '1h'),
    default: '1m',
  }),
  budgetShare: required({
    env: 'EC2_BUDGET_SHARE',
    description:
      "Share of EC2's documented request rates that the controller may use, above 0, at most 1.",
    placeholder: 'share',
    parse: share,
    default: '1',
  }),
  blockedRetryMin: required({
    env: 'BLOCKED_RETRY_MIN',
    description:
      'First wait before a retry if you must fix the cause (a full subnet, a taken slot); it doubles with each retry.',
    placeholder: 'duration',
    parse: duration('10ms', '1h'),
    default: '5s',
  }),
  blockedRetryMax: required({
    env: 'BLOCKED_RETRY_MAX',
    description: 'Longest wait before a retry if you must fix the cause.',
    placeholder: 'duration',
    parse: duration('10ms', '24h'),
    default: '5m',
  }),
  leaderElection: required({
    env: 'LEADER_ELECTION',
    description:
      'Whether the controller is active only while it holds a Lease, so that you can run several replicas, one of them active.',
    placeholder: 'true|false',
    parse: trueOrFalse,
    default: 'false',
  }),
  leaseNamespace: optional({
    env: 'LEASE_NAMESPACE',
    description:
      "Namespace of the Lease. Absent: the pod's (POD_NAMESPACE, else its service account's), else default.",
    placeholder: 'name',
    parse: matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a namespace'),
  }),
  leaseName: required({
    env: 'LEASE_NAME',
    description: 'Name of the Lease; of the controllers with the same Lease, one is active.',
    placeholder: 'name',
    parse: matching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'the name of an object'),
    default: 'eni-operator',
  }),
  leaseDuration: required({
    env: 'LEASE_DURATION',
    description:
      'How long a Lease must go without renewal before another controller takes it over. Longer than RENEW_DEADLINE.',
    placeholder: 'duration',
    parse: duration('1s', '1h'),
    default: '15s',
  }),
  renewDeadline: required({
    env: 'RENEW_DEADLINE',
    description:
      'How long after its last successful renewal a controller still writes to EC2; then it pauses until it has renewed the Lease, or exits if another controller has led. Longer than RETRY_PERIOD.',
    placeholder: 'duration',
    parse: duration('100ms', '1h'),
    default: '10s',
  }),
  retryPeriod: required({
    env: 'RETRY_PERIOD',
    description: 'Time between two attempts to acquire or renew the Lease.',
    placeholder: 'duration',
    parse: duration('10ms', '1h'),
    default: '2s',
  }),
  ...servingSettings({ metricsAddress: ':8080', healthAddress: ':8081' }),
  logLevel: required({
    env: 'LOG_LEVEL',
    description: 'Lowest severity that is logged: error, warn, info or debug.',
    placeholder: 'level',
    parse: oneOf('error', 'warn', 'info', 'debug'),
    default: 'info',
  }),
  logFormat: required({
    env: 'LOG_FORMAT',
    description:
      'json: one object per line. text: readable lines. auto: text on a terminal, json elsewhere.',
    placeholder: 'format',
    parse: oneOf('auto', 'json', 'text'),
    default: 'auto',
  }),
};

/** The controller's settings: durations in milliseconds. */
export type Config = ValuesOf<typeof SETTINGS>;

/**
 * What is wrong with the lease's durations, as a sentence about the settings; undefined if they are valid.
 */
export function leaseTimesFault(config: Config): string | undefined {
  const { leaseDuration, renewDeadline, retryPeriod } = config;
  if (leaseDuration <= renewDeadline) {
    return `LEASE_DURATION (${leaseDuration} ms) must be longer than RENEW_DEADLINE (${renewDeadline} ms): the holder pauses before another takes over`;
  }
  if (renewDeadline <= retryPeriod) {
    return `RENEW_DEADLINE (${renewDeadline} ms) must be longer than RETRY_PERIOD (${retryPeriod} ms): a failed renewal is retried in time`;
  }
  return undefined;
}
