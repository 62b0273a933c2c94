import sinon, { type SinonStubbedInstance } from 'sinon';
import type { KubeClient } from '../../../../src/runtime/kube/kube-client.js';

/** A client whose every method is a stub without an answer. */
export function stubbedKubeClient(): SinonStubbedInstance<KubeClient> {
  const stubs = {
    list: sinon.stub(),
    watch: sinon.stub(),
    get: sinon.stub(),
    create: sinon.stub(),
    patch: sinon.stub(),
    delete: sinon.stub(),
  };
  // A stub has one signature, where the methods are generic.
  return stubs as unknown as SinonStubbedInstance<KubeClient>;
}
