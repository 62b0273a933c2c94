import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { blocked } from '../../../src/api/reasons.js';
import { checkEc2 } from '../../../src/cli/doctor/checks/ec2.js';
import { checkInstallation } from '../../../src/cli/doctor/checks/installation.js';
import { checkReads } from '../../../src/cli/doctor/checks/reads.js';
import { checkWorkload } from '../../../src/cli/doctor/checks/workload.js';
import type { ClusterFacts, Crd, PolicyBinding } from '../../../src/cli/doctor/cluster-facts.js';
import { doctorLines } from '../../../src/cli/doctor/doctor-lines.js';
import type { Ec2Facts } from '../../../src/cli/doctor/ec2-facts.js';
import type { Answer, Finding } from '../../../src/cli/doctor/finding.js';
import { createStyle } from '../../../src/cli/output/style.js';
import type { Pod, Workload } from '../../../src/cli/shared/kinds.js';
import { aNode, aNodeENI, anENIAttachment, anEni, aSubnet, NOW } from '../../support/objects.js';

const meta = (name: string) => ({ name, namespace: 'eni-system', uid: name, resourceVersion: '1' });
const crd = (plural: string): Crd =>
  parse(readFileSync(`crds/networking.k8s.aws_${plural}.yaml`, 'utf8')) as Crd;
const workload = (
  name: string,
  status: Workload['status'],
  image = 'eni-operator:1',
): Workload => ({
  metadata: meta(name),
  spec: { template: { spec: { containers: [{ name, image }] } } },
  ...(status ? { status } : {}),
});
const pod = (node: string, phase = 'Running'): Pod => ({
  metadata: meta(`agent-${node}`),
  spec: { nodeName: node, containers: [] },
  status: { phase },
});
const binding = (policyName: string, action = 'Deny'): PolicyBinding => ({
  metadata: meta(policyName),
  spec: { policyName, validationActions: [action] },
});
const reconciled = (spec = {}, status = {}) => ({
  ...aNodeENI(spec),
  status: { observedGeneration: 1, ...status },
});

type Values = { [K in keyof ClusterFacts]: ClusterFacts[K] extends Answer<infer T> ? T : never };

const HEALTHY: Omit<Values, 'now'> = {
  crds: [crd('nodeenis'), crd('eniattachments')],
  policies: [{ metadata: meta('attachments') }],
  policyBindings: [binding('attachments')],
  controllers: [workload('controller', { readyReplicas: 1 })],
  agents: [workload('agent', { desiredNumberScheduled: 1, numberReady: 1 })],
  agentPods: [pod('node-a')],
  nodeENIs: [reconciled()],
  attachments: [anENIAttachment({ status: { phase: 'Ready', attachmentID: 'eni-attach-1' } })],
  nodes: [aNode('node-a')],
  access: [
    { verb: 'list', group: '', resource: 'nodes', serviceAccount: 'eni-system/c', allowed: true },
  ],
};

function facts(change: Partial<Values> = {}): ClusterFacts {
  const values = { ...HEALTHY, ...change };
  const answers = Object.entries(values).map(([name, value]) => [name, { value }]);
  return { ...Object.fromEntries(answers), now: NOW };
}

const findings = (cluster: ClusterFacts): Finding[] => [
  ...checkReads(cluster),
  ...checkInstallation(cluster),
  ...checkWorkload(cluster),
];

const EC2: Ec2Facts = {
  clusterID: 'cluster',
  reservedInterfaces: 1,
  enis: [],
  subnets: [aSubnet('subnet-0000000a')],
  instances: [],
  networkFaults: new Map(),
  slotFaults: new Map(),
  dryRuns: [{ action: 'CreateTags', answer: 'allowed' }],
};

const link = (reason: string, message: string): ENIAttachment =>
  anENIAttachment({ status: { phase: 'Attached', link: { reason: reason as never, message } } });

function withoutField(field: string): Crd {
  const older = structuredClone(crd('nodeenis'));
  const [version] = older.spec.versions;
  delete version?.schema?.openAPIV3Schema?.properties?.spec?.properties?.[field];
  return older;
}

describe('kubectl eni doctor', () => {
  const cases: [what: string, change: Partial<Values>, check: string, text: RegExp][] = [
    ['a CRD that is missing', { crds: [crd('nodeenis')] }, 'crds', /eniattachments.*not installed/],
    [
      'a CRD that is older than the plugin',
      { crds: [withoutField('mtu'), crd('eniattachments')] },
      'crds',
      /nodeenis.*drops the fields mtu/,
    ],
    ['no policies', { policies: [] }, 'policies', /No policy of the operator/],
    ['a policy that is not bound', { policyBindings: [] }, 'policies', /attachments.*No Valid/],
    [
      'a policy that only audits',
      { policyBindings: [binding('attachments', 'Audit')] },
      'policies',
      /enforces it/,
    ],
    ['no controller', { controllers: [] }, 'controller', /No controller is deployed/],
    [
      'a controller that is not ready',
      { controllers: [workload('controller', {})] },
      'controller',
      /eni-system\/controller.*0 of 1 replicas/,
    ],
    [
      'two controllers',
      {
        controllers: [
          workload('controller', { readyReplicas: 1 }),
          workload('second', { readyReplicas: 1 }),
        ],
      },
      'controller',
      /there are several controllers/,
    ],
    ['no agents', { agents: [], agentPods: [] }, 'agents', /No node agent is deployed/],
    [
      'agents that are not ready',
      { agents: [workload('agent', { desiredNumberScheduled: 3, numberReady: 1 })] },
      'agents',
      /ready on 1 of 3 nodes/,
    ],
    [
      'an agent that is missing where there are ENIs',
      { agentPods: [pod('node-a', 'Pending')] },
      'agents',
      /Nodes node-a.*no agent runs there/,
    ],
    [
      'two versions',
      {
        agents: [
          workload('agent', { desiredNumberScheduled: 1, numberReady: 1 }, 'eni-operator:2'),
        ],
      },
      'versions',
      /eni-operator:1, eni-operator:2/,
    ],
    [
      'missing RBAC',
      { access: [{ ...HEALTHY.access[0], allowed: false } as (typeof HEALTHY.access)[0]] },
      'rbac',
      /does not let it list nodes/,
    ],
    [
      'a NodeENI with a problem',
      {
        nodeENIs: [
          reconciled(
            {},
            {
              conditions: [
                {
                  type: 'Degraded',
                  status: 'True',
                  ...blocked('SubnetFull', 'Full'),
                  lastTransitionTime: '',
                },
              ],
            },
          ),
        ],
      },
      'nodeenis',
      /SubnetFull: Full\. Free IP addresses/,
    ],
    [
      'a NodeENI without a running controller',
      { nodeENIs: [aNodeENI()] },
      'nodeenis',
      /has not processed/,
    ],
    [
      'a NodeENI without nodes',
      { nodeENIs: [reconciled({ nodeSelector: { no: 'node' } })] },
      'nodeenis',
      /No node matches/,
    ],
    [
      'a node without a providerID',
      { nodes: [{ ...aNode('node-a'), spec: {} }] },
      'provider-ids',
      /Node node-a has no spec\.providerID/,
    ],
    [
      'nodes that share an instance',
      { nodes: [aNode('node-a'), aNode('node-b')], agentPods: [pod('node-a')] },
      'provider-ids',
      /node-a, node-b.*same instance/,
    ],
    [
      'a startup taint that nothing removes',
      {
        nodes: [
          aNode('node-a'),
          {
            ...aNode('node-b', { instance: 'i-0cccccccccccccccc', labels: {} }),
            spec: { taints: [{ key: 'networking.k8s.aws/eni-not-ready', effect: 'NoSchedule' }] },
          },
        ],
      },
      'startup-taints',
      /Nodes node-b.*nothing ever removes it/,
    ],
    [
      'another manager',
      { attachments: [link('Contended', 'NetworkManager undoes it. Configure it.')] },
      'links',
      /Contended at 1 of 1 ENIs: NetworkManager undoes it\. Configure it\./,
    ],
    [
      'a removal that takes long',
      {
        attachments: [
          anENIAttachment({ metadata: { deletionTimestamp: '2025-12-31T00:00:00Z' }, status: {} }),
        ],
      },
      'removals',
      /more than ten minutes/,
    ],
  ];

  it('finds nothing where all is well', () => {
    expect(findings(facts())).to.deep.equal([]);
    expect(checkEc2(facts(), EC2)).to.deep.equal([]);
  });

  for (const [what, change, check, text] of cases) {
    it(`finds ${what}`, () => {
      const found = findings(facts(change));
      expect(found.map((each) => each.check)).to.deep.equal([check]);
      const [{ where, what: told, remedy } = { where: '', what: '', remedy: '' }] = found;
      expect(`${where} ${told} ${remedy}`).to.match(text);
      expect(remedy).not.to.equal('');
    });
  }

  it('says what it could not read, and checks the rest', () => {
    const found = findings({ ...facts({ policies: [] }), policies: { failure: 'forbidden' } });
    expect(found).to.have.length(1);
    expect(found[0]).to.deep.include({
      severity: 'unknown',
      what: 'They could not be read: forbidden',
    });
  });

  const tags = {
    'networking.k8s.aws/cluster-id': 'cluster',
    'networking.k8s.aws/managed-by': 'eni-operator',
    'networking.k8s.aws/attachment-uid': 'nobody',
  };
  const ec2Cases: [what: string, change: Partial<Ec2Facts>, check: string, text: RegExp][] = [
    [
      'a network that is not there',
      { networkFaults: new Map([['storage', blocked('SubnetNotFound', 'EC2 has no subnet x')]]) },
      'networks',
      /NodeENI storage SubnetNotFound: EC2 has no subnet x\. Name a subnet/,
    ],
    [
      'a slot that is taken',
      { slotFaults: new Map([['storage-1', blocked('InstanceFull', 'Full')]]) },
      'slots',
      /ENIAttachment storage-1 InstanceFull/,
    ],
    [
      'a subnet that is nearly full',
      { subnets: [aSubnet('subnet-0000000a', { availableAddresses: 3, name: 'data' })] },
      'addresses',
      /\(data\) It has 3 free addresses/,
    ],
    [
      'a missing permission',
      { dryRuns: [{ action: 'DeleteTags', answer: 'denied', detail: 'no' }] },
      'iam',
      /does not allow them ec2:DeleteTags/,
    ],
    [
      'interfaces of other software',
      {
        instances: [
          {
            id: 'i-0aaaaaaaaaaaaaaaa',
            type: 'm5.large',
            state: 'running',
            zone: 'us-west-2a',
            interfaces: [0, 1].map((deviceIndex) => ({
              eniId: `eni-${deviceIndex}`,
              deviceIndex,
              networkCardIndex: 0,
            })),
          },
        ],
      },
      'other-interfaces',
      /RESERVED_INTERFACES \(1\)/,
    ],
    ['an orphan', { enis: [anEni({ id: 'eni-1', tags })] }, 'orphans', /ENIs eni-1/],
  ];
  for (const [what, change, check, text] of ec2Cases) {
    it(`finds ${what} in EC2`, () => {
      const found = checkEc2(facts(), { ...EC2, ...change });
      expect(found.map((each) => each.check)).to.deep.equal([check]);
      const [{ where, what: told, remedy } = { where: '', what: '', remedy: '' }] = found;
      expect(`${where} ${told} ${remedy}`).to.match(text);
    });
  }

  it('links to headings that there are', () => {
    const all = [
      ...cases.flatMap(([, change]) => findings(facts(change))),
      ...ec2Cases.flatMap(([, change]) => checkEc2(facts(), { ...EC2, ...change })),
      ...findings({ ...facts(), nodes: { failure: '' } }),
    ];
    for (const { link: target } of all) {
      const [path = '', anchor] = target.split('#');
      expect(existsSync(path), path).to.equal(true);
      const anchors = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(
        ([, heading = '']) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\w -]/g, '')
            .replaceAll(' ', '-'),
      );
      expect(anchors, path).to.include(anchor);
    }
  });

  it('prints the worst first, with remedy and link', () => {
    const style = createStyle({ isColoured: false });
    const base = {
      check: 'x',
      where: 'Node a',
      what: 'It is so.',
      remedy: 'Do.',
      link: 'README.md',
    };
    const lines = doctorLines(
      [
        { ...base, severity: 'warning' },
        { ...base, severity: 'problem', what: 'Bad\u001b.' },
      ],
      'Checked.',
      style,
    );
    expect(lines.join('\n')).to.equal(`PROBLEM Node a
  Bad\\x1b.
  → Do.
  README.md

WARNING Node a
  It is so.
  → Do.
  README.md

1 problem, 1 warning, 0 reads failed. Checked.`);
  });
});
