import { expect } from 'chai';
import {
  cniConfiguration,
  ownConfiguration,
} from '../../../../src/agent/pods/cni-configuration.js';
import type { ENIAttachment, PodNetwork } from '../../../../src/api/eni-attachment.js';
import { anENIAttachment } from '../../../support/objects.js';

const DEVICE = { name: 'ens6', mtu: 9001 };
const SUBNET = '10.0.64.0/19';

function attachment(status: ENIAttachment['status']): ENIAttachment {
  return anENIAttachment({ spec: { subnetCIDR: SUBNET }, status });
}

type Network = Omit<PodNetwork, 'name'> & { gateway?: string };

function written(status: ENIAttachment['status'], { gateway, ...network }: Network) {
  return cniConfiguration({
    attachment: attachment(status),
    network: { name: 'pods', ...network },
    device: DEVICE,
    gateway,
  });
}

function configured(status: ENIAttachment['status'], network: Network) {
  const text = written(status, network);
  return text === undefined ? undefined : JSON.parse(text);
}

describe('the CNI configuration of a pod network', () => {
  const prefixes = {
    privateIPAddresses: ['10.0.64.5'],
    ipv4Prefixes: ['10.0.64.32/28'],
    ipv6Prefixes: ['2600:1f14:abc:de01:1::/80'],
  };

  it('routes to pods with addresses of the prefixes', () => {
    expect(configured(prefixes, { type: 'routed' })).to.deep.equal({
      cniVersion: '0.3.1',
      name: 'pods',
      managedBy: 'eni-operator',
      type: 'ptp',
      ipMasq: false,
      mtu: 9001,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.0.64.32/28' }], [{ subnet: '2600:1f14:abc:de01:1::/80' }]],
        routes: [{ dst: SUBNET }],
      },
    });
  });

  it('keeps the primary address for the node, and one of the others for its end', () => {
    const status = { privateIPAddresses: ['10.0.64.5', '10.0.64.7', '10.0.64.8', '10.0.64.9'] };
    const { ipam } = configured(status, { type: 'routed', gateway: '10.0.64.7' });
    expect(ipam.ranges).to.deep.equal([
      ['10.0.64.8', '10.0.64.9'].map((address) => ({
        subnet: SUBNET,
        rangeStart: address,
        rangeEnd: address,
        gateway: '10.0.64.7',
      })),
    ]);
    expect(ipam.routes, 'ptp adds the subnet’s').to.deep.equal([]);
  });

  it('has the same content wherever EC2 lists an address or a prefix', () => {
    const addresses = ['10.0.64.7', '10.0.64.8', '10.0.64.9'];
    const listed = {
      privateIPAddresses: ['10.0.64.5', ...addresses],
      ipv4Prefixes: ['10.0.64.32/28', '10.0.64.48/28'],
      ipv6Prefixes: ['2600:1f14:abc:de01:1::/80', '2600:1f14:abc:de01:2::/80'],
    };
    const inReverse = {
      privateIPAddresses: ['10.0.64.5', ...addresses.toReversed()],
      ipv4Prefixes: listed.ipv4Prefixes.toReversed(),
      ipv6Prefixes: listed.ipv6Prefixes.toReversed(),
    };
    for (const type of ['routed', 'ipvlan'] as const) {
      const network = { type, gateway: '10.0.64.8' };
      expect(written(inReverse, network)).to.equal(written(listed, network));
    }
  });

  it('shows the gateway that it names', () => {
    const status = { ...prefixes, privateIPAddresses: ['10.0.64.5', '10.0.64.7', '10.0.64.8'] };
    const text = written(status, { type: 'routed', gateway: '10.0.64.8' }) ?? '';
    expect(ownConfiguration(text)).to.deep.equal({ gateway: '10.0.64.8' });
    const none = written(prefixes, { type: 'routed' }) ?? '';
    expect(ownConfiguration(none)).to.deep.equal({ gateway: undefined });
    const own = '"managedBy":"eni-operator"';
    for (const ipam of ['7', '[null]', '{"ranges":[[null,7,{"gateway":8}]]}']) {
      expect(ownConfiguration(`{${own},"ipam":${ipam}}`)).to.deep.equal({ gateway: undefined });
    }
    for (const foreign of ['', '{"type":"bridge"}', 'null']) {
      expect(ownConfiguration(foreign)).to.equal(undefined);
    }
  });

  it('puts ipvlan pods into the subnet, with all addresses of a prefix, on this node’s device', () => {
    const routes = [{ dst: '10.1.0.0/16' }];
    expect(configured(prefixes, { type: 'ipvlan', routes })).to.deep.include({
      type: 'ipvlan',
      mode: 'l2',
      master: 'ens6',
      ipam: {
        type: 'host-local',
        ranges: [
          [
            {
              subnet: SUBNET,
              rangeStart: '10.0.64.32',
              rangeEnd: '10.0.64.47',
              gateway: '10.0.64.1',
            },
          ],
          [{ subnet: '2600:1f14:abc:de01:1::/80' }],
        ],
        routes,
      },
    });
  });

  it('is none while the ENI has no address for pods, or what its status has is none', () => {
    expect(configured({ privateIPAddresses: ['10.0.64.5'] }, { type: 'routed' })).to.equal(
      undefined,
    );
    const onlyGateway = { privateIPAddresses: ['10.0.64.5', '10.0.64.7'] };
    expect(configured(onlyGateway, { type: 'routed', gateway: '10.0.64.7' })).to.equal(undefined);
    const junk = {
      privateIPAddresses: ['10.0.64.5', '../x'],
      ipv4Prefixes: ['$(reboot)', '::/80'],
    };
    expect(configured(junk, { type: 'ipvlan' })).to.equal(undefined);
  });
});
