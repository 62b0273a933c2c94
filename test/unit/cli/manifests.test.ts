import { expect } from 'chai';
import { readManifests } from '../../../src/cli/plan/manifests.js';
import { UsageError } from '../../../src/cli/shared/exit-code.js';

const nodeENI = (name: string) =>
  `apiVersion: networking.k8s.aws/v1alpha1\nkind: NodeENI\nmetadata: { name: ${name} }\nspec: { mtu: 9001 }\n`;

describe('the manifests that kubectl eni plan reads', () => {
  it('are all NodeENIs of a file, also in lists; others are named', () => {
    const text = `${nodeENI('a')}---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Service\n    metadata: { name: s }\n---\n${JSON.stringify({ apiVersion: 'networking.k8s.aws/v1alpha1', kind: 'NodeENI', metadata: { name: 'b' }, spec: {} })}`;
    const { nodeENIs, others } = readManifests(text, 'x.yaml');
    expect(nodeENIs.map(({ metadata, spec }) => [metadata.name, spec])).to.deep.equal([
      ['a', { mtu: 9001 }],
      ['b', {}],
    ]);
    expect(others).to.deep.equal(['Service s']);
  });

  const wrong: [text: string, message: string][] = [
    ['', 'x.yaml has no NodeENI'],
    ['a: [', 'x.yaml, document 1 is not YAML'],
    ['just text', 'x.yaml, document 1 is not an object'],
    ['kind: NodeENI', 'x.yaml, document 1 has no kind or no metadata.name'],
    [
      `${nodeENI('a')}---\n${nodeENI('b').replace('v1alpha1', 'v2')}`,
      'x.yaml, document 2: apiVersion must be networking.k8s.aws/v1alpha1, not networking.k8s.aws/v2',
    ],
    [nodeENI('a').replace(/spec.*/, ''), 'x.yaml, document 1 has no spec'],
  ];
  for (const [text, message] of wrong) {
    it(`say ${JSON.stringify(message)}`, () => {
      expect(() => readManifests(text, 'x.yaml')).to.throw(UsageError, message);
    });
  }
});
