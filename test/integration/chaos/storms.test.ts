import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { runCampaign } from '../../chaos/storms/campaign.js';

const STORMS = 2;
const SIZE = { nodes: 5, nodeENIs: 3, rounds: 1, stepsPerRound: 40, apiServerRestarts: false };
/** Some seconds where nothing else runs. */
const SETTLES_WITHIN_MS = 60_000;

describe('a storm of user actions, EC2 faults, kills and restarts', () => {
  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await sharedControlPlane();
  });

  it('never doubles an ENI or touches another’s, and ends with what is asked for; all deleted, with nothing', async () => {
    await runCampaign({
      controlPlane: await sharedControlPlane(),
      size: SIZE,
      seed: 3,
      goesOn: (storms) => storms < STORMS,
      settlesWithinMs: SETTLES_WITHIN_MS,
      replay: (seed) =>
        `npm run test:soak -- --seed ${seed} --storms 1 --nodes ${SIZE.nodes} --node-enis ${SIZE.nodeENIs} --rounds ${SIZE.rounds} --steps ${SIZE.stepsPerRound} --no-api-server-restarts`,
    });
  }).timeout(STORMS * 4 * SETTLES_WITHIN_MS);
});
