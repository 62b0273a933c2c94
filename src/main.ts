#!/usr/bin/env node
import { hostname } from 'node:os';
import { createLogger } from './config/create-logger.js';
import { loadConfig, StartRefused } from './config/load-config.js';
import { podNamespace } from './config/pod-namespace.js';
import { EniOperator } from './operators/eni-operator.js';
import { LeaseLostError } from './runtime/leader-election.js';

/** Runs the component until SIGTERM or SIGINT, or until it cannot go on. Resolves with the exit code. */
async function main(): Promise<number> {
  const { config } = loadConfig({ args: process.argv.slice(2), env: process.env });
  const logger = createLogger(config);
  process.on('unhandledRejection', (err) => {
    logger.error('A promise was rejected and nobody cared; this is a defect', { err });
  });

  const operator = new EniOperator({
    config,
    logger,
    instance: process.env.POD_NAME || hostname(),
    namespace: podNamespace({ env: process.env }),
  });
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
  try {
    const started = operator.start().then(() => logger.info('Started'));
    const signal = await Promise.race([asked, started.then(() => asked), operator.failed]);
    logger.info('Stopping', { signal });
    await Promise.race([operator.stop(), operator.failed]);
    return 0;
  } catch (err) {
    const lost = err instanceof LeaseLostError;
    logger.error(lost ? 'The controller may not go on' : 'The controller cannot start', { err });
    return 1;
  }
}

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof StartRefused)) {
    throw error;
  }
  process.exit(error.exitCode);
}
