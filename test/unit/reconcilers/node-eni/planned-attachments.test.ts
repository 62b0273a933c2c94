import { expect } from 'chai';
import { PlannedAttachments } from '../../../../src/reconcilers/node-eni/planned-attachments.js';
import { aNodeENI } from '../../../support/objects.js';

const generation = (generation: number) => aNodeENI({}, { generation });

describe('PlannedAttachments', () => {
  let demand: PlannedAttachments;
  let told: string[];

  beforeEach(() => {
    demand = new PlannedAttachments();
    told = [];
    demand.subscribe(({ object }) => told.push(object.node));
    demand.publish(generation(1), new Map([['node-a', ['x', 'y']]]));
  });

  it('knows what the plan of a NodeENI’s present generation gives a node', () => {
    expect(demand.of(generation(1), 'node-a')).to.deep.equal(['x', 'y']);
    expect(demand.of(generation(1), 'node-b')).to.equal(undefined);
  });

  it('knows nothing of a generation that has not been carried out', () => {
    expect(demand.of(generation(2), 'node-a')).to.equal(undefined);
  });

  it('knows nothing of another NodeENI under the name', () => {
    expect(demand.of(aNodeENI({}, { uid: 'another' }), 'node-a')).to.equal(undefined);
  });

  it('knows nothing of a NodeENI that is gone', () => {
    demand.forget('storage');
    expect(demand.of(generation(1), 'node-a')).to.equal(undefined);
  });

  it('tells of the nodes that something else is wanted for, and of no other', () => {
    told = [];
    const wanted = new Map([
      ['node-a', ['x', 'y']],
      ['node-b', ['z']],
    ]);
    demand.publish(generation(1), wanted);
    demand.publish(generation(1), new Map(wanted));
    expect(told).to.deep.equal(['node-b']);
    demand.publish(generation(1), new Map([...wanted, ['node-a', ['x', 'z']]]));
    expect(told).to.deep.equal(['node-b', 'node-a']);
  });

  it('tells of every node when a new generation has been carried out', () => {
    told = [];
    demand.publish(generation(2), new Map([['node-a', ['x', 'y']]]));
    expect(told).to.deep.equal(['node-a']);
  });

  it('tells of a node that was kept from its ENIs for a while', () => {
    demand.publish(generation(1), new Map());
    told = [];
    demand.publish(generation(1), new Map([['node-a', ['x', 'y']]]));
    expect(told).to.deep.equal(['node-a']);
  });
});
