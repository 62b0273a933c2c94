import { listenAddress, matching, oneOf, optional, required, type ValuesOf } from './parsers.js';

const path = matching(/^.+$/, 'the path of a file');

/** What a component serves over HTTP: its metrics and its probes. */
export function servingSettings(defaults: { metricsAddress: string; healthAddress: string }) {
  return {
    metricsAddress: required({
      env: 'METRICS_ADDRESS',
      description:
        'Where /metrics is served. :0 takes any free port and logs which; 0 serves none.',
      placeholder: 'address',
      parse: listenAddress,
      default: defaults.metricsAddress,
    }),
    metricsTLSCert: optional({
      env: 'METRICS_TLS_CERT',
      description:
        'File with the certificate (PEM) for /metrics, with METRICS_TLS_KEY; it is read again when it changes. Absent: plain HTTP.',
      placeholder: 'file',
      parse: path,
    }),
    metricsTLSKey: optional({
      env: 'METRICS_TLS_KEY',
      description: 'File with the private key (PEM) of METRICS_TLS_CERT.',
      placeholder: 'file',
      parse: path,
    }),
    metricsAuth: required({
      env: 'METRICS_AUTH',
      description:
        'Who can read /metrics. none: all clients. token: clients with the bearer token of a user that RBAC allows to get the nonResourceURL /metrics.',
      placeholder: 'none|token',
      parse: oneOf('none', 'token'),
      default: 'none',
    }),
    healthAddress: required({
      env: 'HEALTH_ADDRESS',
      description:
        'Where /healthz and /readyz are served. :0 takes any free port and logs which; 0 serves none.',
      placeholder: 'address',
      parse: listenAddress,
      default: defaults.healthAddress,
    }),
  };
}

export type ServingConfig = ValuesOf<ReturnType<typeof servingSettings>>;

/** What is wrong with the combination of values, in the user's terms. */
export function servingFault(config: ServingConfig): string | undefined {
  const { metricsTLSCert, metricsTLSKey } = config;
  return (metricsTLSCert === undefined) === (metricsTLSKey === undefined)
    ? undefined
    : 'METRICS_TLS_CERT and METRICS_TLS_KEY go together: one of them is not set';
}
