import { expect } from 'chai';
import { ec2Write, kubernetesWrite } from '../../../chaos/crash-points/write-name.js';

const GROUP = '/apis/networking.k8s.aws/v1alpha1';

describe('the name of a write', () => {
  const ec2 = (body: string) => ec2Write({ method: 'POST', url: '/', body });
  const kubernetes = (method: string, url: string, body: object = {}) =>
    kubernetesWrite({ method, url, body: JSON.stringify(body) });

  it('is an EC2 action, unless that only describes', () => {
    expect(ec2('Action=CreateNetworkInterface&Version=2016-11-15')).to.equal(
      'CreateNetworkInterface',
    );
    expect(ec2('Action=DescribeNetworkInterfaces&Version=2016-11-15')).to.equal(undefined);
  });

  it('is the verb and the resource of a Kubernetes request, without names', () => {
    expect(kubernetes('POST', `${GROUP}/eniattachments`)).to.equal('post eniattachments');
    expect(kubernetes('DELETE', `${GROUP}/eniattachments/a-b?x=y`)).to.equal(
      'delete eniattachments',
    );
    expect(kubernetes('PATCH', `${GROUP}/nodeenis/a/status`)).to.equal('patch nodeenis/status');
    expect(kubernetes('POST', '/apis/events.k8s.io/v1/namespaces/default/events')).to.equal(
      'post events',
    );
    expect(kubernetes('PATCH', '/api/v1/nodes/n')).to.equal('patch nodes');
    expect(kubernetes('PUT', '/api/v1/namespaces/n')).to.equal('put namespaces');
  });

  it('distinguishes patches by the phase and the finalizers that it sets', () => {
    expect(
      kubernetes('PATCH', `${GROUP}/eniattachments/a/status`, { status: { phase: 'Ready' } }),
    ).to.equal('patch eniattachments/status Ready');
    expect(
      kubernetes('PATCH', `${GROUP}/nodeenis/a`, { metadata: { finalizers: ['f'] } }),
    ).to.equal('patch nodeenis with finalizer');
    expect(kubernetes('PATCH', `${GROUP}/nodeenis/a`, { metadata: { finalizers: [] } })).to.equal(
      'patch nodeenis without finalizer',
    );
  });

  it('is none for lists and watches', () => {
    expect(kubernetes('GET', `${GROUP}/nodeenis?watch=true`)).to.equal(undefined);
  });
});
