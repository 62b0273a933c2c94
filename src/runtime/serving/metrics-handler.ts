import type { Registry } from 'prom-client';
import type { Answer, Handler } from './http-server.js';

/** Decides who may read; undefined: may. */
export type Gate = (authorization: string | undefined) => Promise<Answer | undefined>;

export interface MetricsHandlerOptions {
  registry: Registry;
  /** Absent: everybody may read. */
  gate?: Gate | undefined;
}

/** `/metrics`, in Prometheus' text format. */
export function metricsHandler({ registry, gate }: MetricsHandlerOptions): Handler {
  return async ({ path, authorization }) => {
    if (path !== '/metrics') return undefined;
    const refusal = await gate?.(authorization);
    if (refusal) return refusal;
    return {
      status: 200,
      body: await registry.metrics(),
      headers: { 'content-type': registry.contentType },
    };
  };
}
