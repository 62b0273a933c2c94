import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import { eniAttachmentSpecFaults, nodeENISpecFaults } from '../../../src/api/validate.js';
import { KubeConfigAccess } from '../../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../../src/runtime/kube/http/http-kube-client.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import { isInvalid } from '../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { silentLogger } from '../../../tools/stage/silent-logger.js';
import { aNodeENI, anENIAttachment } from '../../support/objects.js';
import { type Schema, type Variant, variantsOf } from './support/spec-variants.js';

const RANGE = '10.0.64.0/24';
const ADDRESS = '10.0.64.9';
const ROUTES = [{ dst: '10.1.0.0/16', gw: '10.0.64.1' }];

const SETTINGS = {
  description: 'fast',
  mtu: 9001,
  tags: { team: 'storage' },
  reclaimPolicy: 'Retain',
  ipv4: { secondaryAddresses: 2 },
  ipv6: { addresses: 1, prefixes: 1 },
  sourceDestCheck: false,
  connectionTracking: { tcpEstablishedTimeout: 60, udpStreamTimeout: 60, udpTimeout: 30 },
  enaExpress: { enabled: true, udp: true },
  ipv6Primary: true,
  elasticIP: { tags: { use: 'gateway' }, pool: 'ipv4pool-ec2-0123456789abcdef0' },
  addressing: 'static',
  routing: 'policy',
  linkState: 'up',
};

const FULL_NODE_ENI = {
  ...aNodeENI().spec,
  ...SETTINGS,
  ipv4: { ...SETTINGS.ipv4, primary: { fromPool: [ADDRESS, RANGE] } },
  subnetName: 'data',
  subnetIDs: ['subnet-0000000b'],
  subnetNames: ['net1'],
  securityGroupNames: ['storage'],
  deviceIndex: 1,
  deviceIndexPolicy: 'Fixed',
  networkCardIndex: 0,
  deleteOnTermination: true,
  updatePolicy: { maxUnavailable: 2 },
  interfaceName: 'eni-storage',
  startupTaint: 'example.com/eni:NoSchedule',
  enableDPDK: false,
  dpdkDriver: 'vfio-pci',
  dpdkPCIAddress: '0000:00:06.0',
  dpdkResourceName: 'intel.com/eni',
};

function attached(networkAttachment: object): object {
  return {
    ...aNodeENI().spec,
    interfaceName: 'eni-storage',
    networkAttachment: { namespaces: ['apps'], type: 'ipvlan', ...networkAttachment },
  };
}

/** Valid specs that together have every field. */
const NODE_ENIS: Record<string, object> = {
  'all settings': FULL_NODE_ENI,
  'prefixes, and a percentage': {
    ...aNodeENI().spec,
    ipv4: { prefixes: 1 },
    updatePolicy: { maxUnavailable: '25%' },
  },
  'a pool for the primary address': {
    ...aNodeENI().spec,
    ipv4: { primary: { fromPool: ['10.0.64.0/24'] }, secondaryAddresses: 1 },
  },
  'only a pool for the primary address': {
    ...aNodeENI().spec,
    ipv4: { primary: { fromPool: ['10.0.64.9'] } },
  },
  'addresses for pods': {
    ...attached({ type: 'routed', addresses: 'pool', routes: ROUTES }),
    ipv4: { prefixes: 1 },
  },
  'host-local with a subnet': attached({
    ipam: {
      type: 'host-local',
      subnet: RANGE,
      rangeStart: ADDRESS,
      rangeEnd: '10.0.64.99',
      gateway: '10.0.64.1',
      routes: ROUTES,
    },
  }),
  'host-local with ranges': attached({
    ipam: {
      type: 'host-local',
      ranges: [
        [{ subnet: RANGE, rangeStart: ADDRESS, rangeEnd: '10.0.64.99', gateway: '10.0.64.1' }],
      ],
    },
  }),
  static: attached({
    ipam: { type: 'static', addresses: [{ address: `${ADDRESS}/24`, gateway: '10.0.64.1' }] },
  }),
  whereabouts: attached({
    ipam: {
      type: 'whereabouts',
      range: RANGE,
      range_start: ADDRESS,
      range_end: '10.0.64.99',
      exclude: ['10.0.64.0/28'],
      network_name: 'blue',
      gateway: '10.0.64.1',
    },
  }),
};

/** One for each rule of the CRD that compares fields. */
const ACROSS_FIELDS: Record<string, object> = {
  'UDP over ENA Express that is off': { enaExpress: { enabled: false, udp: true } },
  'UDP explicitly off with ENA Express': { enaExpress: { enabled: false, udp: false } },
  'a pool with a block that begins elsewhere': {
    ipv4: { primary: { fromPool: ['10.0.64.9/24'] } },
  },
  'addresses and prefixes': { ipv4: { secondaryAddresses: 1, prefixes: 1 } },
  'zero addresses and zero prefixes': { ipv4: { secondaryAddresses: 0, prefixes: 0 } },
  'Auto with an index': { deviceIndexPolicy: 'Auto' },
  'Auto without an index': { deviceIndexPolicy: 'Auto', deviceIndex: undefined },
  'index 0 of card 0': { deviceIndex: 0 },
  'index 0 of card 1': { deviceIndex: 0, networkCardIndex: 1 },
  'no subnets': {
    subnetID: undefined,
    subnetName: undefined,
    subnetIDs: undefined,
    subnetNames: undefined,
  },
  'only empty subnets': {
    subnetID: undefined,
    subnetName: undefined,
    subnetIDs: [],
    subnetNames: [],
  },
  'no groups': { securityGroupIDs: undefined, securityGroupNames: [] },
  'a network without an interface name': {
    interfaceName: undefined,
    networkAttachment: { namespaces: ['apps'], type: 'ipvlan' },
  },
  'a reserved tag': { tags: { 'AWS:x': 'y' } },
  'the tag Name': { tags: { Name: 'y' } },
  'the tag constructor': { tags: { constructor: 'y' } },
  'the label constructor': { nodeSelector: { constructor: 'y' } },
  'a pool alone': { ipv4: { primary: { fromPool: [RANGE] } } },
  ...Object.fromEntries(
    ['10.0.64.9/24', '10.0.64.8/29', '10.0.0.0/7', '10.0.64.300', 'fd00::/64', '10.0.64.0/33'].map(
      (entry) => [`the pool ${entry}`, { ipv4: { primary: { fromPool: [entry] } } }],
    ),
  ),
  'a label with a bad prefix': { nodeSelector: { 'Bad/role': 'y' } },
  'routed without a pool': { networkAttachment: { namespaces: ['apps'], type: 'routed' } },
  'routes without a pool': {
    networkAttachment: { namespaces: ['apps'], type: 'ipvlan', routes: ROUTES },
  },
  'a pool for host-device': {
    networkAttachment: { namespaces: ['apps'], type: 'host-device', addresses: 'pool' },
  },
  'a pool and ipam': {
    networkAttachment: {
      namespaces: ['apps'],
      type: 'ipvlan',
      addresses: 'pool',
      ipam: { type: 'dhcp' },
    },
  },
  'a pool without addresses': {
    ipv4: undefined,
    ipv6: { addresses: 2 },
    networkAttachment: { namespaces: ['apps'], type: 'routed', addresses: 'pool' },
  },
  'a pool of IPv6 prefixes': {
    ipv4: undefined,
    networkAttachment: { namespaces: ['apps'], type: 'routed', addresses: 'pool' },
  },
  ...Object.fromEntries(
    [
      { type: 'host-local' },
      { type: 'host-local', subnet: RANGE, ranges: [[{ subnet: RANGE }]] },
      { type: 'whereabouts' },
      { type: 'static', gateway: ADDRESS },
      ...['host-local', 'static', 'dhcp', 'whereabouts'].flatMap((type) =>
        [
          { subnet: RANGE },
          { rangeStart: ADDRESS },
          { ranges: [[{ subnet: RANGE }]] },
          { addresses: [{ address: `${ADDRESS}/24` }] },
          { range: RANGE },
          { exclude: [RANGE] },
          { network_name: 'blue' },
          { gateway: ADDRESS },
          { routes: ROUTES },
        ].map((field) => ({ type, ...field })),
      ),
    ].map((ipam) => [
      `ipam ${JSON.stringify(ipam)}`,
      { networkAttachment: { namespaces: ['apps'], type: 'ipvlan', ipam } },
    ]),
  ),
};

/** What only the API server can decide: whether the stored object has the value already. */
const NEEDS_THE_STORED_OBJECT = /^spec\.networkAttachment\.type = "macvlan"$/;

function specSchemaOf(plural: string): Schema {
  const crd = parse(readFileSync(`crds/networking.k8s.aws_${plural}.yaml`, 'utf8'));
  return crd.spec.versions[0].schema.openAPIV3Schema.properties.spec;
}

/** Users meet the rules at the API server, with kubectl eni before that, and with stored objects in the controller. */
describe('CRDs and classes refuse the same specs', function () {
  this.timeout(120_000);
  let kube: KubeClient;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const { kubeconfigPath } = await sharedControlPlane();
    const access = KubeConfigAccess.fromFiles(kubeconfigPath);
    kube = HttpKubeClient.create({ access, logger: silentLogger });
  });

  /** The API server's refusal; undefined if it accepts the object. */
  async function refusal(resource: ResourceType, spec: unknown): Promise<string | undefined> {
    const object = { metadata: { name: 'both-doors' }, spec } as unknown as KubeObject;
    try {
      await kube.create<KubeObject>(resource, object, { dryRun: true });
      return undefined;
    } catch (error) {
      if (isInvalid(error)) return error.message;
      throw error;
    }
  }

  /** Specs about which the two disagree. */
  async function disagreements(
    variants: readonly Variant[],
    resource: ResourceType,
    faultsOf: (spec: unknown) => string[],
  ): Promise<string[]> {
    const compared = await Promise.all(
      variants.map(async ({ title, spec }) => {
        const crd = await refusal(resource, spec);
        // As it arrives: without undefined members.
        const faults = faultsOf(JSON.parse(JSON.stringify(spec)));
        if ((crd === undefined) === (faults.length === 0)) return [];
        return [`${title}: ${crd ?? `the classes alone: ${faults.join('; ')}`}`];
      }),
    );
    return compared.flat();
  }

  for (const [title, spec] of Object.entries(NODE_ENIS)) {
    it(`of NodeENIs like ${title}, with one field changed`, async () => {
      expect(await refusal(NodeENI.resource, spec)).to.equal(undefined);
      expect(nodeENISpecFaults(spec)).to.deep.equal([]);
      const variants = variantsOf(spec, specSchemaOf('nodeenis')).filter(
        (variant) => !NEEDS_THE_STORED_OBJECT.test(variant.title),
      );
      expect(await disagreements(variants, NodeENI.resource, nodeENISpecFaults)).to.deep.equal([]);
    });
  }

  it('of NodeENIs with fields that do not fit together', async () => {
    const variants = Object.entries(ACROSS_FIELDS).map(([title, change]) => ({
      title,
      spec: { ...FULL_NODE_ENI, ...change },
    }));
    expect(await disagreements(variants, NodeENI.resource, nodeENISpecFaults)).to.deep.equal([]);
  });

  it('of ENIAttachments, with one field changed', async () => {
    const spec = {
      ...anENIAttachment().spec,
      ...SETTINGS,
      subnetCIDR: RANGE,
      privateIPAddress: ADDRESS,
      position: 0,
      baseDeviceIndex: 1,
      interfaceName: 'eni-storage',
      hostDevice: true,
      podNetwork: { name: 'storage', type: 'routed', routes: ROUTES },
    };
    expect(await refusal(ENIAttachment.resource, spec)).to.equal(undefined);
    expect(eniAttachmentSpecFaults(spec)).to.deep.equal([]);
    const variants = variantsOf(spec, specSchemaOf('eniattachments'));
    expect(
      await disagreements(variants, ENIAttachment.resource, eniAttachmentSpecFaults),
    ).to.deep.equal([]);
  });

  it('and the valid specs together have every field of NodeENIs', () => {
    const fields = Object.keys(specSchemaOf('nodeenis').properties ?? {});
    const covered = new Set(Object.values(NODE_ENIS).flatMap((spec) => Object.keys(spec)));
    expect(fields.filter((field) => !covered.has(field))).to.deep.equal([]);
  });
});
