import { expect } from 'chai';
import { KubeApiError, MalformedAnswerError } from '../../../../src/runtime/kube/kube-errors.js';
import { listPageOf, objectOf, watchEventOf } from '../../../../src/runtime/kube/wire.js';
import { aThing } from '../support/things.js';

describe('wire', () => {
  it('reads the page of a list, and whether more follow', () => {
    const items = [aThing('a', 1)];
    expect(listPageOf({ metadata: { resourceVersion: '5', continue: 'x' }, items })).to.deep.equal({
      items,
      resourceVersion: '5',
      continue: 'x',
    });
    expect(
      listPageOf({ metadata: { resourceVersion: '5', continue: '' }, items: null }),
    ).to.deep.equal({ items: [], resourceVersion: '5' });
  });

  it('leaves managedFields behind, wherever an object stands', () => {
    const sent = () => ({ metadata: { ...aThing('a', 1).metadata, managedFields: [{}] } });
    const read = aThing('a', 1);
    expect(objectOf(sent())).to.deep.equal(read);
    expect(watchEventOf({ type: 'ADDED', object: sent() })).to.deep.include({ object: read });
    const list = { metadata: { resourceVersion: '5' }, items: [sent()] };
    expect(listPageOf(list).items).to.deep.equal([read]);
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
      expect(() => watchEventOf(json)).to.throw(MalformedAnswerError);
    });
  }

  it('takes anything else than an object or a list for a malformed answer', () => {
    expect(() => objectOf([])).to.throw(MalformedAnswerError);
    expect(() => listPageOf({ items: [] })).to.throw(MalformedAnswerError);
    expect(() =>
      listPageOf({ metadata: { resourceVersion: '1' }, items: [{ kind: 'Thing' }] }),
    ).to.throw(MalformedAnswerError);
  });
});
