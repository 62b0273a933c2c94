import { expect } from 'chai';
import { listBody, objectOf, watchEventOf } from '../../../../../src/runtime/kube/http/wire.js';
import {
  KubeApiError,
  MalformedResponseError,
} from '../../../../../src/runtime/kube/kube-errors.js';
import { aThing } from '../../support/things.js';

async function* bodyOf(json: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(json));
}

function pageOf(json: unknown) {
  return listBody(bodyOf(json), { maxBytes: 10_000 });
}

describe('wire', () => {
  it('reads the page of a list, and whether more follow', async () => {
    const items = [aThing('a', 1)];
    expect(
      await pageOf({ metadata: { resourceVersion: '5', continue: 'x' }, items }),
    ).to.deep.equal({ items, resourceVersion: '5', continue: 'x' });
    expect(
      await pageOf({ metadata: { resourceVersion: '5', continue: '' }, items: null }),
    ).to.deep.equal({ items: [], resourceVersion: '5' });
  });

  it('leaves managedFields behind, wherever an object stands', async () => {
    const sent = () => ({ metadata: { ...aThing('a', 1).metadata, managedFields: [{}] } });
    const read = aThing('a', 1);
    expect(objectOf(sent())).to.deep.equal(read);
    expect(watchEventOf({ type: 'ADDED', object: sent() })).to.deep.include({ object: read });
    const list = { metadata: { resourceVersion: '5' }, items: [sent()] };
    expect((await pageOf(list)).items).to.deep.equal([read]);
  });

  it('reads changes and bookmarks of a watch', () => {
    const object = aThing('a', 1);
    expect(watchEventOf({ type: 'MODIFIED', object })).to.deep.equal({ type: 'MODIFIED', object });
    expect(
      watchEventOf({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } }),
    ).to.deep.equal({ type: 'BOOKMARK', resourceVersion: '9' });
  });

  it('throws the error that a watch reports, with its reason and how long to wait', () => {
    const status = {
      kind: 'Status',
      code: 429,
      reason: 'TooManyRequests',
      message: 'slow down',
      details: { retryAfterSeconds: 2 },
    };
    expect(() => watchEventOf({ type: 'ERROR', object: status }))
      .to.throw(KubeApiError, 'slow down')
      .that.includes({ status: 429, reason: 'TooManyRequests', retryAfterMs: 2_000 });
  });

  for (const [what, json] of Object.entries({
    nothing: null,
    'a string': 'ADDED',
    'an unknown type': { type: 'EXPLODED', object: aThing('a', 1) },
    'a change without an object': { type: 'ADDED' },
    'an object without metadata': { type: 'ADDED', object: { kind: 'Thing' } },
    'a bookmark without a version': { type: 'BOOKMARK', object: { metadata: {} } },
  })) {
    it(`takes ${what} in a watch for a malformed answer`, () => {
      expect(() => watchEventOf(json)).to.throw(MalformedResponseError);
    });
  }

  it('takes anything else than an object for a malformed answer', () => {
    expect(() => objectOf([])).to.throw(MalformedResponseError);
  });

  const metadata = { resourceVersion: '1' };
  for (const [what, json] of Object.entries({
    'a list without a version': { items: [] },
    'a list of other things': { metadata, items: [{ kind: 'Thing' }] },
    'items that are no list': { metadata, items: {} },
    'a number': 5,
  })) {
    it(`takes ${what} for a malformed answer`, async () => {
      const failure = await pageOf(json).then(
        () => expect.fail('it was read'),
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(MalformedResponseError);
    });
  }
});
