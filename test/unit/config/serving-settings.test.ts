import { expect } from 'chai';
import { loadConfig, StartRefused } from '../../../src/config/load-config.js';

function load(env: Record<string, string>) {
  const printed: string[] = [];
  const stderr = (text: string) => printed.push(text);
  try {
    return { config: loadConfig({ args: ['controller'], env, stderr }).config, printed: '' };
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    return { printed: printed.join('') };
  }
}

describe('the settings of metrics and probes', () => {
  it('have kubebuilder’s addresses by default', () => {
    expect(load({}).config).to.deep.include({
      metricsAddress: { port: 8080 },
      healthAddress: { port: 8081 },
      metricsAuth: 'none',
    });
  });

  it('turn either off', () => {
    expect(load({ METRICS_ADDRESS: '0', HEALTH_ADDRESS: '0' }).config).to.deep.include({
      metricsAddress: undefined,
      healthAddress: undefined,
    });
  });

  it('refuse an address that is none, by its name and value', () => {
    expect(load({ METRICS_ADDRESS: '8080' }).printed).to.include('METRICS_ADDRESS="8080"');
  });

  for (const alone of ['METRICS_TLS_CERT', 'METRICS_TLS_KEY']) {
    it(`refuse ${alone} without the other`, () => {
      expect(load({ [alone]: '/tls/file' }).printed).to.include(
        'METRICS_TLS_CERT and METRICS_TLS_KEY go together',
      );
    });
  }

  it('take certificate and key together', () => {
    const env = { METRICS_TLS_CERT: '/tls/tls.crt', METRICS_TLS_KEY: '/tls/tls.key' };
    expect(load(env).config).to.deep.include({
      metricsTLSCert: '/tls/tls.crt',
      metricsTLSKey: '/tls/tls.key',
    });
  });
});
