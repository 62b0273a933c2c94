import { expect } from 'chai';
import {
  hasFinalizer,
  ownerReferenceTo,
  withFinalizer,
  withoutFinalizer,
} from '../../../../src/runtime/kube/finalizers.js';
import { aThing, Thing } from '../support/things.js';

describe('finalizers', () => {
  const others = ['example.com/other'];

  it('are added beside those of others, under the version that was read', () => {
    expect(withFinalizer(aThing('a', 7, { finalizers: others }), 'example.com/own')).to.deep.equal({
      type: 'merge',
      body: {
        metadata: {
          uid: 'uid-of-a',
          resourceVersion: '7',
          finalizers: ['example.com/other', 'example.com/own'],
        },
      },
    });
  });

  it('are removed, and those of others stay', () => {
    const thing = aThing('a', 7, { finalizers: ['example.com/own', ...others] });
    expect(withoutFinalizer(thing, 'example.com/own')).to.deep.equal({
      type: 'merge',
      body: { metadata: { uid: 'uid-of-a', resourceVersion: '7', finalizers: others } },
    });
  });

  it('need no patch where they are as they should be', () => {
    const thing = aThing('a', 7, { finalizers: others });
    expect(withFinalizer(thing, 'example.com/other')).to.equal(undefined);
    expect(withoutFinalizer(thing, 'example.com/own')).to.equal(undefined);
    expect(withoutFinalizer(aThing('b', 1), 'example.com/own')).to.equal(undefined);
    expect(hasFinalizer(thing, 'example.com/other')).to.equal(true);
  });
});

describe('ownerReferenceTo', () => {
  it('names the owner as the controlling one', () => {
    const reference = ownerReferenceTo(aThing('a', 7), Thing.resource);
    expect(reference).to.deep.equal({
      apiVersion: 'example.com/v1',
      kind: 'Thing',
      name: 'a',
      uid: 'uid-of-a',
      controller: true,
      blockOwnerDeletion: true,
    });
  });
});
