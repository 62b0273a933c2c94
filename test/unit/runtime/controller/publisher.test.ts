import { expect } from 'chai';
import { Publisher } from '../../../../src/runtime/controller/publisher.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

describe('Publisher', () => {
  it('passes each event to every handler in order, and logs what a handler throws', () => {
    const logger = new RecordingLogger();
    const publisher = new Publisher<string>({ logger, fieldsOf: (name) => ({ name }) });
    const received: string[] = [];
    publisher.subscribe(() => {
      throw new Error('broken');
    });
    publisher.subscribe(({ type, object }) => received.push(`${type} ${object}`));
    publisher.publish({ type: 'added', object: 'a' });
    publisher.publish({ type: 'deleted', object: 'a' });
    expect(received).to.deep.equal(['added a', 'deleted a']);
    expect(logger.messages('error')).to.have.length(2);
    expect(logger.entries[0]?.fields).to.deep.include({ name: 'a', type: 'added' });
    expect(logger.entries[0]?.fields.error).to.be.an('error').with.property('message', 'broken');
  });
});
