#!/usr/bin/env node
import { hostname } from 'node:os';
import { createLogger } from './config/create-logger.js';
import { type Invocation, loadConfig, StartRefused } from './config/load-config.js';
import { podNamespace } from './config/pod-namespace.js';
import { VERSION } from './config/version.js';
import type { Operator } from './operators/operator.js';
import { loadKubeAccess } from './runtime/kube/access/load-kube-access.js';
import { LeaseLostError } from './runtime/leader-election/leader-election.js';
import type { Logger } from './runtime/logger.js';

type OperatorInvocation = Exclude<Invocation, { component: 'check-undeploy' }>;

/** Each component is loaded only when it runs: the agent must not load the AWS SDK. */
async function createOperator(invocation: OperatorInvocation, logger: Logger): Promise<Operator> {
  const instance = process.env.POD_NAME || hostname();
  const access = await loadKubeAccess({ env: process.env });
  switch (invocation.component) {
    case 'controller': {
      const { EniOperator } = await import('./operators/eni-operator.js');
      const namespace = podNamespace({ env: process.env });
      return new EniOperator({ config: invocation.config, logger, access, instance, namespace });
    }
    case 'agent': {
      const { AgentOperator } = await import('./operators/agent-operator.js');
      const { RtnetlinkHostNetwork } = await import('./agent/linux/rtnetlink-host-network.js');
      const network = RtnetlinkHostNetwork.create({ logger });
      return new AgentOperator({ config: invocation.config, logger, network, access });
    }
  }
}

/** Runs the component until SIGTERM or SIGINT, or until it cannot continue. Resolves with the exit code. */
async function main(): Promise<number> {
  const invocation = loadConfig({ args: process.argv.slice(2), env: process.env });
  if (invocation.component === 'check-undeploy') {
    const { checkUndeploy } = await import('./operators/check-undeploy.js');
    return checkUndeploy({ access: await loadKubeAccess({ env: process.env }) });
  }
  const logger = createLogger(invocation.config);
  logger.info('Starting', { component: invocation.component, version: VERSION });
  process.on('unhandledRejection', (error) => {
    logger.error('Unhandled promise rejection; this is a bug', { error });
  });

  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve(signal));
    }
  });
  try {
    const operator = await createOperator(invocation, logger);
    const started = operator.start().then(() => logger.info('Started'));
    const signal = await Promise.race([asked, started.then(() => asked), operator.failed]);
    logger.info('Stopping', { signal });
    await Promise.race([operator.stop(), operator.failed]);
    return 0;
  } catch (error) {
    const { component } = invocation;
    const lost = error instanceof LeaseLostError;
    logger.error(lost ? 'Lost leadership; exiting' : `The ${component} cannot start`, {
      error,
    });
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
