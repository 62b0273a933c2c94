import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Invocation, loadConfig, StartRefused } from '../../../src/config/load-config.js';

interface Loaded {
  component?: Invocation['component'];
  config?: Invocation['config'];
  printed: string;
  refused?: StartRefused;
}

function load(args: string[], env: Record<string, string> = {}): Loaded {
  const printed: string[] = [];
  const streams = {
    stdout: (text: string) => printed.push(text),
    stderr: (text: string) => printed.push(text),
  };
  try {
    return { ...loadConfig({ args, env, ...streams }), printed: printed.join('') };
  } catch (error) {
    if (error instanceof StartRefused) {
      return { refused: error, printed: printed.join('') };
    }
    throw error;
  }
}

describe('loadConfig', () => {
  it('starts the controller with documented defaults', () => {
    expect(load([])).to.deep.include({ component: 'controller' });
    expect(load([]).config).to.deep.include({
      region: undefined,
      defaultDeviceIndex: 1,
      defaultDeleteOnTermination: true,
      detachmentTimeout: 300_000,
      budgetShare: 1,
      logLevel: 'info',
    });
  });

  it('reads the variables that users know from before', () => {
    const { config } = load([], {
      AWS_REGION: 'eu-central-1',
      MAX_CONCURRENT_RECONCILES: '5',
      MAX_CONCURRENT_ENI_CLEANUP: '3',
      DETACHMENT_TIMEOUT: '1m30s',
      DEFAULT_DEVICE_INDEX: '2',
      DEFAULT_DELETE_ON_TERMINATION: 'false',
      LOG_LEVEL: 'debug',
    });
    expect(config).to.deep.include({
      region: 'eu-central-1',
      maxConcurrentReconciles: 5,
      maxConcurrentCleanup: 3,
      detachmentTimeout: 90_000,
      defaultDeviceIndex: 2,
      defaultDeleteOnTermination: false,
      logLevel: 'debug',
    });
  });

  it('lets a flag win over the environment, and an empty variable mean none', () => {
    const { config } = load(['--aws-region', 'us-east-1'], {
      AWS_REGION: 'eu-west-1',
      LOG_LEVEL: '',
    });
    expect(config).to.deep.include({ region: 'us-east-1', logLevel: 'info' });
  });

  for (const [name, value, allowed] of [
    ['MAX_CONCURRENT_RECONCILES', '0', 'a whole number from 1 to 100000'],
    ['MAX_CONCURRENT_RECONCILES', '2.5', 'a whole number'],
    ['DETACHMENT_TIMEOUT', 'soon', 'a duration from 1s to 24h, such as'],
    ['DETACHMENT_TIMEOUT', '-5s', 'a duration'],
    ['DEFAULT_DEVICE_INDEX', '0', 'a whole number from 1 to 31'],
    ['DEFAULT_DELETE_ON_TERMINATION', 'yes', 'true or false'],
    ['LOG_LEVEL', 'loud', 'one of error, warn, info, debug'],
    ['AWS_REGION', 'Oregon', 'a Region name'],
    ['EC2_BUDGET_SHARE', '1.5', 'above 0 and at most 1'],
    ['COMPONENT', 'both', 'one of controller'],
  ] as const) {
    it(`refuses ${name}=${value}, and says what is allowed`, () => {
      const { refused, printed } = load([], { [name]: value });
      expect(refused?.exitCode).to.equal(1);
      expect(printed).to.include(name).and.include(value).and.include(allowed);
    });
  }

  it('refuses a wrong flag by its name', () => {
    const { refused, printed } = load(['--default-device-index', 'first']);
    expect(refused?.exitCode).to.equal(1);
    expect(printed).to.include('--default-device-index').and.include('from 1 to 31');
  });

  it('refuses a flag that it does not know', () => {
    expect(load(['--regoin', 'x']).refused?.exitCode).to.equal(1);
  });

  it('starts the agent where it is asked for, with settings of its own', () => {
    const env = { COMPONENT: 'agent', NODE_NAME: 'ip-10-0-0-1.ec2.internal' };
    const { component, config } = load(['--route-table-base', '22000'], env);
    expect(component).to.equal('agent');
    expect(config).to.deep.include({ nodeName: env.NODE_NAME, routeTableBase: 22_000 });
    expect(load(['agent'], { NODE_NAME: 'a' }).component).to.equal('agent');
  });

  it('does not start the agent without a node', () => {
    const { refused, printed } = load(['agent']);
    expect(refused?.exitCode).to.equal(1);
    expect(printed).to.include('NODE_NAME is not set');
  });

  it('knows the check before an undeploy, which has no settings', () => {
    expect(loadConfig({ args: ['check-undeploy'], env: {} })).to.deep.equal({
      component: 'check-undeploy',
      config: {},
    });
  });

  it('refuses a component that there is not', () => {
    expect(load(['both']).refused?.exitCode).to.equal(1);
  });

  it('prints the version of package.json for --version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const { refused, printed } = load(['--version']);
    expect(refused?.exitCode).to.equal(0);
    expect(printed).to.equal(`${version}\n`);
  });

  it('names the components in --help', () => {
    const { refused, printed } = load(['--help']);
    expect(refused?.exitCode).to.equal(0);
    expect(printed).to.include('controller').and.include('agent');
  });

  it("lists every setting of a component in the component's --help", () => {
    const { refused, printed } = load(['controller', '--help']);
    expect(refused?.exitCode).to.equal(0);
    expect(printed).to.include('--detachment-timeout <duration>').and.include('DETACHMENT_TIMEOUT');
    expect(load(['agent', '--help']).printed).to.include('--node-name <name>');
  });
});
