import { Gauge, type Registry } from 'prom-client';
import { VERSION } from '../../config/version.js';

/** `eni_build_info`: which version runs. */
export function registerBuildInfo(registry: Registry): void {
  const gauge = new Gauge({
    name: 'eni_build_info',
    help: 'Always 1; the labels are the version of the operator and of Node.js.',
    labelNames: ['version', 'nodejs_version'],
    registers: [registry],
  });
  gauge.set({ version: VERSION, nodejs_version: process.version }, 1);
}
