import { expect } from 'chai';
import {
  collectionPath,
  objectPath,
  withQuery,
} from '../../../../../src/runtime/kube/http/resource-path.js';
import { Thing } from '../../support/things.js';

const CONFIG_MAPS = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

describe('resource paths', () => {
  it('lead to the core group, and to the others', () => {
    expect(collectionPath(CONFIG_MAPS)).to.equal('/api/v1/configmaps');
    expect(collectionPath(Thing.resource)).to.equal('/apis/example.com/v1/things');
  });

  it('have the namespace where the kind has one', () => {
    const name = { name: 'a', namespace: 'n' };
    expect(objectPath(CONFIG_MAPS, name)).to.equal('/api/v1/namespaces/n/configmaps/a');
    expect(objectPath(Thing.resource, name)).to.equal('/apis/example.com/v1/things/a');
  });

  it('reach a subresource', () => {
    expect(objectPath(Thing.resource, { name: 'a' }, 'status')).to.equal(
      '/apis/example.com/v1/things/a/status',
    );
  });

  it('escape names, so that none leads elsewhere', () => {
    expect(objectPath(Thing.resource, { name: '../x?y' })).to.equal(
      '/apis/example.com/v1/things/..%2Fx%3Fy',
    );
  });

  it('carry a query of the members that are set', () => {
    expect(withQuery('/x', { limit: 5, continue: undefined, fieldSelector: 'spec.a=b' })).to.equal(
      '/x?limit=5&fieldSelector=spec.a%3Db',
    );
    expect(withQuery('/x', { limit: undefined })).to.equal('/x');
  });
});
