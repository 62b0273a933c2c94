import type { Registry } from 'prom-client';
import type { ServingConfig } from '../config/serving-settings.js';
import type { Clock } from '../runtime/clock.js';
import type { KubeAccess } from '../runtime/kube/access/kube-access.js';
import type { Logger } from '../runtime/logger.js';
import { KubeAccessReviews } from '../runtime/serving/access-reviews.js';
import { CertificateFiles } from '../runtime/serving/certificate-files.js';
import type { HealthChecks } from '../runtime/serving/health-checks.js';
import { type Authorizer, HttpServer, metricsHandler } from '../runtime/serving/http-server.js';
import { TokenAuthorizer } from '../runtime/serving/token-authorizer.js';

export interface ServingOptions {
  config: ServingConfig;
  registry: Registry;
  /** Each under its own name: `healthz`, `readyz`. */
  checks: readonly HealthChecks[];
  /** The API server that reviews tokens. */
  access: KubeAccess;
  clock: Clock;
  logger: Logger;
}

/** A component's probes and metrics over HTTP, as enabled by its settings. */
export class Serving {
  private readonly undo = new AsyncDisposableStack();

  private constructor(private readonly options: ServingOptions) {}

  /**
   * Resolves once the servers listen.
   * @throws AddressUnavailableError, CertificateError
   */
  static async start(options: ServingOptions): Promise<Serving> {
    const serving = new Serving(options);
    try {
      await serving.serveHealth();
      await serving.serveMetrics();
      return serving;
    } catch (error) {
      await serving.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.undo.disposeAsync();
  }

  private async serveHealth(): Promise<void> {
    const { config, checks, logger } = this.options;
    if (!config.healthAddress) return;
    const server = await HttpServer.start({
      name: 'health',
      setting: 'HEALTH_ADDRESS',
      address: config.healthAddress,
      handler: (request) => {
        for (const each of checks) {
          const answer = each.handler(request);
          if (answer) return answer;
        }
        return undefined;
      },
      logger,
    });
    this.undo.defer(() => server.close());
  }

  private async serveMetrics(): Promise<void> {
    const { config, registry, logger } = this.options;
    if (!config.metricsAddress) return;
    const server = await HttpServer.start({
      name: 'metrics',
      setting: 'METRICS_ADDRESS',
      address: config.metricsAddress,
      handler: metricsHandler({ registry, authorize: this.authorizer() }),
      certificate: this.certificate(),
      logger,
    });
    this.undo.defer(() => server.close());
  }

  private authorizer(): Authorizer | undefined {
    const { config, access, clock, logger } = this.options;
    if (config.metricsAuth === 'none') return undefined;
    if (config.metricsTLSCert === undefined) {
      logger.warn('Bearer tokens for /metrics are sent over plain HTTP; set METRICS_TLS_CERT');
    }
    const reviews = KubeAccessReviews.create({ access, clock });
    this.undo.defer(() => reviews.close());
    const authorizer = TokenAuthorizer.create({ reviews, path: '/metrics', clock, logger });
    return (authorization) => authorizer.authorize(authorization);
  }

  private certificate(): CertificateFiles | undefined {
    const { metricsTLSCert: certPath, metricsTLSKey: keyPath } = this.options.config;
    if (certPath === undefined || keyPath === undefined) return undefined;
    const { clock, logger } = this.options;
    return CertificateFiles.create({ certPath, keyPath, clock, logger });
  }
}
