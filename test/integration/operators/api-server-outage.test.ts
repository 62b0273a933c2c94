import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import type { ResourceType } from '../../../src/runtime/kube/resource.js';
import type { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import type { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { CRDS, StageParts } from '../../../tools/stage/stage-parts.js';
import { eventually } from '../../support/eventually.js';
import { servedPort } from '../../support/served-port.js';

const REGION = 'us-west-2';
const CRD: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
/** A bound for a busy machine; the delays themselves are in the reflector's tests. */
const PATIENCE_MS = 40_000;

describe('a controller whose API server fails', function () {
  this.timeout(120_000);
  let parts: StageParts;
  let controlPlane: ControlPlane;
  let kube: KubeClient;
  let ec2Url: string;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    parts = new StageParts();
    controlPlane = await parts.controlPlane();
    kube = parts.kube(controlPlane.kubeconfigPath);
    ec2Url = (await parts.ec2({ region: REGION })).url;
  });

  after(async () => {
    await parts[Symbol.asyncDispose]();
  });

  function start(): ControllerProcess {
    const { kubeconfigPath } = controlPlane;
    const env = { HEALTH_ADDRESS: '127.0.0.1:0' };
    return parts.controller({ kubeconfigPath, ec2Url, region: REGION, env });
  }

  async function readyz(controller: ControllerProcess): Promise<string> {
    const port = await servedPort(controller, 'health');
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
  }

  const untilReady = (controller: ControllerProcess) =>
    eventually(async () => expect(await readyz(controller)).to.equal('ok'), PATIENCE_MS);

  it('waits for it at its start, says so, and goes on by itself', async () => {
    await controlPlane.stopApiServer();
    const controller = start();
    try {
      await eventually(async () => {
        expect(await readyz(controller)).to.match(
          /^\[-\]sources failed: waiting for the API server: KubeUnreachableError: /m,
        );
      });
      await controlPlane.startApiServer();
      await untilReady(controller);
      const waits = controller.log.filter(({ msg }) => msg === 'Waiting for the API server');
      expect(waits).to.have.length(1);
    } finally {
      await controller.stop();
      await controlPlane.startApiServer();
    }
  });

  it('is not ready while a CRD is missing, and works on once it is back', async () => {
    const controller = start();
    try {
      await untilReady(controller);
      const { group, plural } = ENIAttachment.resource;
      await kube.delete(CRD, { name: `${plural}.${group}` });
      await eventually(async () => {
        expect(await readyz(controller)).to.include(
          `[-]sources failed: the API server refuses to list or watch ${plural}.${group}: `,
        );
      }, PATIENCE_MS);
      await controlPlane.applyCrds(CRDS);
      await untilReady(controller);
    } finally {
      await controller.stop();
    }
  });
});
