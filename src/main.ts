#!/usr/bin/env node
import { hostname } from 'node:os';
import { createLogger } from './config/create-logger.js';
import { loadConfig, StartRefused } from './config/load-config.js';
import { EniOperator } from './operators/eni-operator.js';

/** Runs the component until SIGTERM or SIGINT. Resolves with the process's exit code. */
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
  });
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
  try {
    const started = operator.start().then(() => logger.info('Started'));
    const signal = await Promise.race([asked, started.then(() => asked)]);
    logger.info('Stopping', { signal });
    await operator.stop();
    return 0;
  } catch (err) {
    logger.error('The controller cannot start', { err });
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
