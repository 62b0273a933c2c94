import { expect } from 'chai';
import { blocked } from '../../../../src/api/reasons.js';
import { PlannedAttachments } from '../../../../src/reconcilers/node-eni/planned-attachments.js';
import { aNodeENI } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const generation = (generation: number) => aNodeENI({}, { generation });

describe('PlannedAttachments', () => {
  let planned: PlannedAttachments;
  let changed: string[];

  beforeEach(() => {
    planned = new PlannedAttachments({ logger: new RecordingLogger() });
    changed = [];
    planned.subscribe(({ object }) => changed.push(object.node));
    planned.publish(generation(1), new Map([['node-a', ['x', 'y']]]));
  });

  it('knows what the plan of a NodeENI’s present generation gives a node', () => {
    expect(planned.of(generation(1), 'node-a')).to.deep.equal(['x', 'y']);
    expect(planned.of(generation(1), 'node-b')).to.equal(undefined);
  });

  it('knows nothing of a generation that has not been carried out', () => {
    expect(planned.of(generation(2), 'node-a')).to.equal(undefined);
  });

  it('knows nothing of another NodeENI under the name', () => {
    expect(planned.of(aNodeENI({}, { uid: 'another' }), 'node-a')).to.equal(undefined);
  });

  it('knows nothing of a NodeENI that is gone', () => {
    planned.forget('storage');
    expect(planned.of(generation(1), 'node-a')).to.equal(undefined);
  });

  it('notifies of nodes whose planned attachments change, and of no other', () => {
    changed = [];
    const desired = new Map([
      ['node-a', ['x', 'y']],
      ['node-b', ['z']],
    ]);
    planned.publish(generation(1), desired);
    planned.publish(generation(1), new Map(desired));
    expect(changed).to.deep.equal(['node-b']);
    planned.publish(generation(1), new Map([...desired, ['node-a', ['x', 'z']]]));
    expect(changed).to.deep.equal(['node-b', 'node-a']);
  });

  it('notifies of every node when a new generation has been carried out', () => {
    changed = [];
    planned.publish(generation(2), new Map([['node-a', ['x', 'y']]]));
    expect(changed).to.deep.equal(['node-a']);
  });

  it('knows why a node is blocked, and notifies of it where that changes', () => {
    const full = { blocked: blocked('SubnetFull', 'No address'), isServed: false };
    const at = (is: typeof full) => new Map([['node-b', is]]);
    changed = [];
    planned.publish(generation(1), new Map(), at(full));
    planned.publish(generation(1), new Map(), at({ ...full }));
    expect(changed).to.deep.equal(['node-b']);
    expect(planned.blockedOn(generation(1), 'node-b')).to.deep.equal(full);
    expect(planned.blockedOn(generation(2), 'node-b')).to.equal(undefined);
    for (const is of [
      { ...full, isServed: true },
      { ...full, blocked: blocked('SubnetFull', 'Another subnet') },
    ]) {
      changed = [];
      planned.publish(generation(1), new Map(), at(is));
      expect(changed).to.deep.equal(['node-b']);
    }
  });

  it('notifies of a node that was blocked for a while', () => {
    planned.publish(generation(1), new Map());
    changed = [];
    planned.publish(generation(1), new Map([['node-a', ['x', 'y']]]));
    expect(changed).to.deep.equal(['node-a']);
  });
});
