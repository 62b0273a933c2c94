import { expect } from 'chai';
import {
  attachmentCondition,
  type DefinitionFault,
} from '../../../../src/reconcilers/network-attachment/network-attachment-condition.js';

const missing = (namespace: string): DefinitionFault => ({ namespace, reason: 'NamespaceMissing' });

describe('attachmentCondition', () => {
  it('names the namespaces that have the definition', () => {
    expect(attachmentCondition('storage', ['web', 'db'], [])).to.deep.equal({
      status: 'True',
      reason: 'Applied',
      message: 'NetworkAttachmentDefinition storage is in db, web.',
    });
  });

  it('names the namespaces that lack it, and what to do', () => {
    const { status, reason, message } = attachmentCondition(
      'storage',
      ['web', 'db'],
      [missing('db')],
    );
    expect({ status, reason }).to.deep.equal({ status: 'False', reason: 'NamespaceMissing' });
    expect(message).to.match(
      /^1 of 2 namespaces have .* storage\. There is no namespace db\. Create/,
    );
  });

  it('uses the most frequent fault as its reason, and reports all', () => {
    const faults: DefinitionFault[] = [
      { namespace: 'api', reason: 'Refused', detail: 'quota exceeded' },
      missing('db'),
      missing('web'),
    ];
    const { reason, message } = attachmentCondition('storage', ['api', 'db', 'web'], faults);
    expect(reason).to.equal('NamespaceMissing');
    expect(message).to.contain('no namespace db, web').and.contain('quota exceeded');
  });

  it('counts what would be too many to name, and says the same whatever the order', () => {
    const namespaces = ['e', 'd', 'c', 'b', 'a'];
    const faults = namespaces.map(missing);
    const condition = attachmentCondition('storage', namespaces, faults);
    expect(condition.message).to.contain('no namespace a, b, c and 2 more.');
    expect(attachmentCondition('storage', namespaces, faults.reverse())).to.deep.equal(condition);
  });

  it('does not count namespaces where none is asked for', () => {
    const fault: DefinitionFault = { namespace: 'web', reason: 'Refused', detail: 'no' };
    expect(attachmentCondition('storage', [], [fault]).message).to.match(
      /^The API server did not write/,
    );
  });
});
