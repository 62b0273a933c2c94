import { expect } from 'chai';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { type Moment, pointsOf } from '../../chaos/crash-points/crash-point.js';
import { Rig } from '../../chaos/crash-points/rig.js';
import { SCENARIOS, type Scenario } from '../../chaos/crash-points/scenario.js';
import { runTrial } from '../../chaos/crash-points/trial.js';

/** The points at which ENIs leak or double most easily; `npm run test:crash` tries them all. */
const SAMPLE: { scenario: string; write: string; moments: Moment[] }[] = [
  {
    scenario: 'NodeENI deleted',
    write: 'CreateNetworkInterface',
    moments: ['before', 'unanswered'],
  },
  {
    scenario: 'NodeENI deleted',
    write: 'patch eniattachments/status Attaching',
    moments: ['late'],
  },
  { scenario: 'NodeENI deleted', write: 'AttachNetworkInterface', moments: ['unanswered'] },
  { scenario: 'NodeENI deleted', write: 'DeleteNetworkInterface', moments: ['unanswered'] },
  {
    scenario: 'NodeENI deleted',
    write: 'patch eniattachments without finalizer',
    moments: ['unanswered'],
  },
  {
    scenario: 'lagging EC2, NodeENI deleted while down',
    write: 'CreateNetworkInterface',
    moments: ['unanswered', 'late'],
  },
  {
    scenario: 'lagging EC2, NodeENI deleted while down',
    write: 'patch eniattachments/status Attaching',
    moments: ['unanswered'],
  },
  // The attachment is the ENI's record from its first write on, and the status's entry until then.
  {
    scenario: 'adoption, NodeENI deleted',
    write: 'post eniattachments',
    moments: ['before', 'unanswered', 'late'],
  },
  {
    scenario: 'adoption, NodeENI deleted while down',
    write: 'patch eniattachments/status Attaching',
    moments: ['unanswered'],
  },
  { scenario: 'adoption, NodeENI deleted', write: 'CreateTags', moments: ['before', 'unanswered'] },
];

/** Two processes start in a trial, on a machine that may be busy. */
const TRIAL_TIMEOUT_MS = 90_000;

describe('a controller that is killed', () => {
  let rig: Rig;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    rig = await Rig.create({ controlPlane: await sharedControlPlane() });
  });
  after(() => rig[Symbol.asyncDispose]());

  const scenarioOf = (name: string): Scenario => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (!scenario) {
      throw new Error(`no scenario is called ${name}`);
    }
    return scenario;
  };

  for (const { scenario, write, moments } of SAMPLE) {
    for (const point of pointsOf([{ name: write, occurrence: 1 }], moments)) {
      it(`leaks and doubles nothing: ${scenario}: ${point.moment} ${write}`, async () => {
        const result = await runTrial({ rig, scenario: scenarioOf(scenario), point });
        const told = result.survived ? [] : [...result.faults, ...result.lastLines];
        expect(told, told.join('\n')).to.deep.equal([]);
        expect(result.crashed, 'the crash point was met').to.equal(true);
      }).timeout(TRIAL_TIMEOUT_MS);
    }
  }
});
