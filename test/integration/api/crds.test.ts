import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { getMetadataStorage } from 'class-validator';
import fc from 'fast-check';
import { parse } from 'yaml';
import { ENIAttachment, ENIAttachmentSpec, PHASES } from '../../../src/api/eni-attachment.js';
import { NodeENI, NodeENISpec } from '../../../src/api/node-eni.js';
import { eniAttachmentSpecFaults, nodeENISpecFaults } from '../../../src/api/validate.js';
import { KubeConfigAccess } from '../../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../../src/runtime/kube/http/http-kube-client.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import { isInvalid, isNotFound } from '../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { silentLogger } from '../../../tools/stage/silent-logger.js';
import { aNodeENI, anENIAttachment } from '../../support/objects.js';

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  enum?: string[];
}

function schemaOf(plural: string): Schema {
  const crd = parse(readFileSync(`crds/networking.k8s.aws_${plural}.yaml`, 'utf8'));
  return crd.spec.versions[0].schema.openAPIV3Schema;
}

function propertyOf(schema: Schema, ...path: string[]): Schema {
  return path.reduce<Schema>((inner, name) => inner.properties?.[name] ?? {}, schema);
}

function validatedFields(type: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))].sort();
}

/** Paths of the fields that `kubectl explain` would have nothing to say of. */
function undescribed(schema: Schema, path: string): string[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description || name === 'metadata' ? [] : [`${path}.${name}`]),
    ...undescribed(property, `${path}.${name}`),
  ]);
  return schema.items ? [...inner, ...undescribed(schema.items, `${path}[]`)] : inner;
}

/** Sections of every type, with fields of each type and values that are and are not valid. */
const IPAM = fc.record(
  {
    type: fc.constantFrom('host-local', 'static', 'dhcp', 'whereabouts', 'calico-ipam'),
    subnet: fc.constantFrom('10.0.64.0/24', '10.0.64.0', 'data'),
    rangeStart: fc.constantFrom('10.0.64.9', 'fd00::9', 'first'),
    ranges: fc.constantFrom([], [[]], [[{ subnet: '10.0.64.0/24', gateway: '10.0.64.1' }]], [[{}]]),
    addresses: fc.constantFrom([], [{ address: '10.0.64.9/24' }], [{ address: '10.0.64.9' }]),
    range: fc.constantFrom('10.0.64.0/24', '/etc'),
    exclude: fc.constantFrom([], ['10.0.64.0/28'], ['all']),
    network_name: fc.constantFrom('blue', 'Blue', '../blue'),
    gateway: fc.constantFrom('10.0.64.1', ''),
    routes: fc.constantFrom([], [{ dst: '0.0.0.0/0' }], [{ dst: '0.0.0.0/0', gw: 'x' }], [{}]),
  },
  { requiredKeys: [] },
);
/** Mostly valid, so that the other rules are reached as well. */
const LIKELY_IPAM = fc.constantFrom(
  { type: 'dhcp' },
  { type: 'static', addresses: [{ address: '10.0.64.9/24', gateway: '10.0.64.1' }] },
  { type: 'whereabouts', range: '10.0.64.0/24', exclude: ['10.0.64.0/28'] },
  { type: 'host-local', ranges: [[{ subnet: '10.0.64.0/24', rangeStart: '10.0.64.9' }]] },
);

const POOL = fc.uniqueArray(
  fc.constantFrom(
    ...['10.0.64.0/24', '10.0.64.0/25', '10.0.64.9', '10.0.64.9/32', '10.0.0.0/8', '0.0.0.0/8'],
    ...['10.0.64.9/24', '10.128.0.0/8', '10.0.0.0/7', '10.0.64.0/33', '10.0.64.256', '010.0.64.1'],
    ...['10.0.64', '10.0.64.0/', '10.0.64.0/24/1', 'fd00::/8', ''],
  ),
  { maxLength: 2 },
);

describe('the CRDs', () => {
  let kube: KubeClient;
  let names = 0;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const { kubeconfigPath } = await sharedControlPlane();
    const access = KubeConfigAccess.fromFiles(kubeconfigPath);
    kube = HttpKubeClient.create({ access, logger: silentLogger });
  });

  /** What the API server says against an object; undefined where it takes it. */
  async function refusal(resource: ResourceType, object: object): Promise<string | undefined> {
    names += 1;
    const name = `crd-test-${names}`;
    try {
      await kube.create<KubeObject>(resource, { metadata: { name }, ...object });
    } catch (error) {
      if (isInvalid(error)) {
        return error.message;
      }
      throw error;
    }
    await kube.delete(resource, { name }).catch((error) => {
      if (!isNotFound(error)) {
        throw error;
      }
    });
    return undefined;
  }

  for (const [plural, type] of [
    ['nodeenis', NodeENISpec],
    ['eniattachments', ENIAttachmentSpec],
  ] as const) {
    it(`describe every field of ${plural}, and have the fields of the class`, () => {
      const schema = schemaOf(plural);
      expect(undescribed(schema, plural)).to.deep.equal([]);
      const fields = Object.keys(propertyOf(schema, 'spec').properties ?? {}).sort();
      expect(fields).to.deep.equal(validatedFields(type));
    });
  }

  it('know the phases that the controller writes', () => {
    const phase = propertyOf(schemaOf('eniattachments'), 'status', 'phase');
    expect(phase.enum).to.deep.equal([...PHASES]);
  });

  for (const file of readdirSync('manifests/samples')) {
    it(`take the sample ${file}`, async () => {
      const { spec } = parse(readFileSync(`manifests/samples/${file}`, 'utf8'));
      expect(await refusal(NodeENI.resource, { spec })).to.equal(undefined);
      expect(nodeENISpecFaults(spec)).to.deep.equal([]);
    });
  }

  for (const [title, spec, told] of [
    ['an empty selector', { nodeSelector: {} }, 'an empty selector would select every node'],
    ['no selector', { nodeSelector: undefined }, 'spec.nodeSelector: Required value'],
    [
      'no subnets',
      { subnetID: undefined, subnetNames: [] },
      'set at least one of subnetID, subnetName, subnetIDs, subnetNames',
    ],
    ['no groups', { securityGroupIDs: [] }, 'set at least one of securityGroupIDs'],
    ['the launch interface’s index', { deviceIndex: 0 }, 'spec.deviceIndex'],
    ['an MTU that no ENI has', { mtu: 9002 }, 'spec.mtu'],
    ['a pool of IPv6', { ipv4: { primary: { fromPool: ['fd00::/64'] } } }, 'fromPool[0]'],
    ['a pool of nothing', { ipv4: { primary: { fromPool: [] } } }, 'fromPool'],
    [
      'an address with the length of its subnet in a pool',
      { ipv4: { primary: { fromPool: ['10.0.64.9/24'] } } },
      'must begin at its first address',
    ],
    [
      'an address that a pool names twice',
      { ipv4: { primary: { fromPool: ['10.0.64.9', '10.0.64.9'] } } },
      'ipv4.primary.fromPool must name each block once',
    ],
    [
      'a pool that is longer than a plan can read',
      {
        ipv4: { primary: { fromPool: Array.from({ length: 65 }, (_, i) => `10.0.64.${i}`) } },
      },
      'must have at most 64 items',
    ],
    ['a subnet that is no id', { subnetID: 'data' }, 'spec.subnetID'],
    [
      'a name that a kernel gives',
      { interfaceName: 'eth1' },
      'choose another, such as eni-storage',
    ],
    [
      'an ipam section of two types',
      {
        interfaceName: 'eni-storage',
        networkAttachment: {
          namespaces: ['a'],
          type: 'ipvlan',
          ipam: { type: 'dhcp', range: '10.0.0.0/8' },
        },
      },
      'only ipam of type whereabouts has range',
    ],
  ] as const) {
    it(`refuse ${title}, and name the field`, async () => {
      const message = await refusal(NodeENI.resource, { spec: { ...aNodeENI().spec, ...spec } });
      expect(message).to.include(told);
    });
  }

  it('take subnets and groups of all kinds together, and empty lists', async () => {
    const spec = {
      ...aNodeENI().spec,
      subnetIDs: ['subnet-0000000b'],
      subnetName: 'data',
      subnetNames: [],
      securityGroupNames: ['nodes'],
    };
    expect(await refusal(NodeENI.resource, { spec })).to.equal(undefined);
    expect(nodeENISpecFaults(spec)).to.deep.equal([]);
  });

  it('take a name that is no label value, as the Go controller did', async () => {
    const metadata = { name: 'n'.repeat(253) };
    await kube.create(NodeENI.resource, { metadata, spec: aNodeENI().spec } as never);
    await kube.delete(NodeENI.resource, metadata);
  });

  it('agree with the classes on every NodeENI', async function () {
    this.timeout(60_000);
    const sometimes = <T>(values: fc.Arbitrary<T>) =>
      fc.option(values, { nil: undefined, freq: 2 });
    const ids = (prefix: string) =>
      fc.array(fc.constantFrom(`${prefix}-00000001`, `${prefix}-0000000000000000a`, 'x', ''), {
        maxLength: 3,
      });
    const names = fc.array(fc.constantFrom('data', 'a b', ''), { maxLength: 3 });
    const spec = fc.record({
      nodeSelector: fc.dictionary(
        fc.constantFrom('role', 'example.com/role', 'Bad/role', 'a b', 'x'.repeat(318)),
        fc.constantFrom('storage', '', 'b c', '-', 'y'.repeat(64)),
        { maxKeys: 2 },
      ),
      subnetID: sometimes(fc.constantFrom('subnet-0000000a', 'subnet-xyz', '')),
      subnetName: sometimes(fc.constantFrom('data', '', 'z'.repeat(256))),
      subnetIDs: sometimes(ids('subnet')),
      subnetNames: sometimes(names),
      securityGroupIDs: sometimes(ids('sg')),
      securityGroupNames: sometimes(names),
      deviceIndex: sometimes(fc.integer({ min: -1, max: 33 })),
      deleteOnTermination: sometimes(fc.boolean()),
      description: sometimes(fc.constantFrom('', 'fast', 'd'.repeat(256))),
      mtu: sometimes(fc.constantFrom(575, 576, 1500, 9001, 9002)),
      addressing: sometimes(fc.constantFrom('none', 'static', 'dhcp', 'DHCP')),
      routing: sometimes(fc.constantFrom('none', 'policy', '')),
      linkState: sometimes(fc.constantFrom('up', 'unmanaged', 'down')),
      interfaceName: sometimes(
        fc.constantFrom(
          'eni-storage',
          'e',
          '0eni',
          'eni-storage-2',
          'Eni',
          'eth1',
          'ens5',
          'lo',
          'br0',
          'brain',
          'tun',
          'tun0',
          'cni0',
          'veth-x',
        ),
      ),
      ipv4: sometimes(
        fc.record({
          secondaryAddresses: sometimes(fc.constantFrom(-1, 0, 2, 65)),
          prefixes: sometimes(fc.constantFrom(-1, 0, 2, 65)),
          primary: sometimes(fc.record({ fromPool: POOL })),
        }),
      ),
      ipv6: sometimes(
        fc.record({
          addresses: sometimes(fc.constantFrom(-1, 0, 2, 65)),
          prefixes: sometimes(fc.constantFrom(0, 1, 65)),
        }),
      ),
      sourceDestCheck: sometimes(fc.boolean()),
      connectionTracking: sometimes(
        fc.record({
          tcpEstablishedTimeout: sometimes(fc.constantFrom(59, 60, 432_000, 432_001)),
          udpStreamTimeout: sometimes(fc.constantFrom(59, 60, 180, 181)),
          udpTimeout: sometimes(fc.constantFrom(29, 30, 60, 61)),
        }),
      ),
      enaExpress: sometimes(fc.record({ enabled: fc.boolean(), udp: sometimes(fc.boolean()) })),
      ipv6Primary: sometimes(fc.boolean()),
      elasticIP: sometimes(
        fc.record({
          tags: sometimes(
            fc.dictionary(
              fc.constantFrom('team', 'Name', 'aws:x', 'constructor', 'k'.repeat(129)),
              fc.constantFrom('', 'edge', 'v'.repeat(257)),
              { maxKeys: 2 },
            ),
          ),
          pool: sometimes(
            fc.constantFrom('ipv4pool-ec2-012345678', 'ipam-pool-0123456789abcdef0', 'amazon', ''),
          ),
        }),
      ),
      startupTaint: sometimes(
        fc.constantFrom('a.example/b:NoSchedule', 'b:NoExecute', 'b', ':NoSchedule', 'b:Never'),
      ),
      networkAttachment: sometimes(
        fc.record({
          namespaces: fc.array(fc.constantFrom('apps', 'edge', 'Edge'), { maxLength: 2 }),
          type: fc.constantFrom('routed', 'ipvlan', 'host-device', 'bridge'),
          addresses: sometimes(fc.constantFrom('pool', 'none')),
          routes: sometimes(fc.constantFrom([], [{ dst: '10.1.0.0/16' }], [{ dst: 'all' }])),
          ipam: sometimes(fc.oneof(IPAM, LIKELY_IPAM)),
        }),
      ),
      deviceIndexPolicy: sometimes(fc.constantFrom('Auto', 'Fixed', 'auto')),
      networkCardIndex: sometimes(fc.constantFrom(-1, 0, 1, 63, 64)),
      reclaimPolicy: sometimes(fc.constantFrom('Delete', 'Retain', 'Keep')),
      updatePolicy: sometimes(
        fc.record({
          maxUnavailable: sometimes(fc.constantFrom(0, 1, 7, '0%', '25%', '100%', '101%', 'all')),
        }),
      ),
      tags: sometimes(
        fc.dictionary(
          fc.constantFrom(
            'team',
            'Name',
            'name',
            'AWS:x',
            'eks:x',
            'Kubernetes.io/cluster/other',
            'kubernetes.io/role',
            'cluster.k8s.amazonaws.com/name',
            'NODE.k8s.amazonaws.com/no_manage',
            'Networking.k8s.aws/cluster-id',
            'constructor',
            'k'.repeat(129),
          ),
          fc.constantFrom('', 'storage', 'v'.repeat(257)),
          { maxKeys: 2 },
        ),
      ),
    });
    // Mostly one subnet field and one group field, so that the other rules are reached as well.
    const likely = spec.map((all) => ({
      ...all,
      ...(all.subnetID
        ? { subnetName: undefined, subnetIDs: undefined, subnetNames: undefined }
        : {}),
      ...(all.securityGroupIDs ? { securityGroupNames: undefined } : {}),
    }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spec, likely), async (generated) => {
        const schema = await refusal(NodeENI.resource, { spec: generated });
        const faults = nodeENISpecFaults(generated);
        expect(faults.length > 0, `${schema} / ${faults}`).to.equal(schema !== undefined);
      }),
      { numRuns: 500 },
    );
  });

  it('agree with the classes on ENIAttachments', async () => {
    for (const change of [
      {},
      { instanceID: 'web' },
      { subnetID: 'x' },
      { securityGroupIDs: [] },
      { deviceIndex: 0 },
      { networkCardIndex: -1 },
      { mtu: 100 },
      { nodeName: undefined },
      { interfaceName: 'eni-storage-31', linkState: 'unmanaged', hostDevice: true },
      { interfaceName: 'eni-storage-0031' },
      { addressing: 'maybe' },
      { routing: 'maybe' },
      { privateIPAddress: '10.0.64.9' },
      { privateIPAddress: '10.0.64.0/24' },
    ]) {
      const spec = { ...anENIAttachment().spec, ...change };
      const schema = await refusal(ENIAttachment.resource, { spec });
      const faults = eniAttachmentSpecFaults(spec);
      expect(faults.length > 0, `${schema} / ${faults}`).to.equal(schema !== undefined);
    }
  });

  it('keep the identity of an ENIAttachment as it was made', async () => {
    const metadata = { name: 'crd-test-identity' };
    await kube.create(ENIAttachment.resource, { metadata, spec: anENIAttachment().spec } as never);
    try {
      const body = { spec: { privateIPAddress: '10.0.64.9' } };
      await kube.patch(ENIAttachment.resource, metadata, { type: 'merge', body });
      for (const [change, told] of [
        [{ deviceIndex: 2 }, 'cannot change: edit the NodeENI'],
        [{ privateIPAddress: '10.0.64.10' }, 'privateIPAddress cannot change: edit ipv4.primary'],
        [{ privateIPAddress: null }, 'privateIPAddress cannot change: edit ipv4.primary'],
      ] as const) {
        const patch = { type: 'merge', body: { spec: change } } as const;
        await kube.patch(ENIAttachment.resource, metadata, patch).then(
          () => expect.fail('was taken'),
          (error) => expect(error.message).to.include(told),
        );
      }
    } finally {
      await kube.delete(ENIAttachment.resource, metadata);
    }
  });

  it('let records be listed by node and by NodeENI', async () => {
    const metadata = { name: 'crd-test-select' };
    await kube.create(ENIAttachment.resource, { metadata, spec: anENIAttachment().spec } as never);
    try {
      for (const [fieldSelector, count] of [
        ['spec.nodeName=node-a,spec.nodeENI=storage', 1],
        ['spec.nodeName=node-b', 0],
      ] as const) {
        const { items } = await kube.list(ENIAttachment.resource, { fieldSelector });
        expect(items, fieldSelector).to.have.length(count);
      }
    } finally {
      await kube.delete(ENIAttachment.resource, metadata);
    }
  });
});
