import { Counter, type Registry } from 'prom-client';
import type { RequestObserver } from '../kube/http/http-kube-client.js';

/** client-go's `rest_client_requests_total`. A watch counts when it begins. */
export class RequestMetrics implements RequestObserver {
  private readonly requests: Counter<'code' | 'method' | 'host'>;

  private constructor(registry: Registry) {
    this.requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server by HTTP status (or an error in angle brackets if there was no response), method and host.',
      labelNames: ['code', 'method', 'host'],
      registers: [registry],
    });
  }

  static create(registry: Registry): RequestMetrics {
    return new RequestMetrics(registry);
  }

  answered({ method, host, code }: { method: string; host: string; code: string }): void {
    this.requests.inc({ code, method, host });
  }
}
