import { expect } from 'chai';
import type { HostRule } from '../../../../src/agent/host/host-network.js';
import { detectManagers } from '../../../../src/agent/managers/detect-managers.js';
import type { HostSigns } from '../../../../src/agent/managers/host-signs.js';

const NOTHING: HostSigns = { unixSockets: [], netlinkSockets: [], rules: [] };
const rule = (overrides: Partial<HostRule>): HostRule => ({
  family: 4,
  priority: 32_766,
  table: 254,
  protocol: 2,
  ...overrides,
});

function found(signs: Partial<HostSigns>): string[] {
  return detectManagers({ ...NOTHING, ...signs }).map(({ name }) => name);
}

describe('detectManagers', () => {
  it('finds no manager on a bare host', () => {
    expect(
      found({
        unixSockets: ['/run/dbus/system_bus_socket', '@/containerd-shim/x'],
        netlinkSockets: [
          { protocol: 0, port: 0, groups: 0 },
          { protocol: 0, port: 4711, groups: 0x551 },
          { protocol: 15, port: 1, groups: 0x551 },
          { protocol: 0, port: 1, groups: 0x11 },
        ],
        rules: [
          rule({ priority: 0, table: 255 }),
          rule({}),
          rule({ priority: 32_767, table: 253 }),
        ],
      }),
    ).to.deep.equal([]);
  });

  it('knows systemd-networkd by the netlink socket that systemd holds for it', () => {
    const own = { protocol: 0, port: 1, groups: 0x551 };
    expect(found({ netlinkSockets: [own] })).to.deep.equal(['systemd-networkd']);
    const joined = { ...own, groups: 0x800405d1 };
    expect(found({ netlinkSockets: [joined] })).to.deep.equal(['systemd-networkd']);
  });

  it('knows systemd-networkd by its socket, once', () => {
    expect(
      found({
        unixSockets: ['/run/systemd/netif/io.systemd.Network'],
        netlinkSockets: [{ protocol: 0, port: 1, groups: 0x551 }],
      }),
    ).to.deep.equal(['systemd-networkd']);
  });

  it('knows NetworkManager by its sockets', () => {
    const unixSockets = ['/run/NetworkManager/private-dhcp'];
    expect(found({ unixSockets })).to.deep.equal(['NetworkManager']);
  });

  it('knows amazon-ec2-net-utils by its rules, and not our own for it', () => {
    const rules = [rule({ priority: 10_001, table: 10_001, from: '10.0.1.5/32' })];
    expect(found({ rules })).to.deep.equal(['amazon-ec2-net-utils']);
    expect(found({ rules: [rule({ ...rules[0], protocol: 78 })] })).to.deep.equal([]);
    expect(found({ rules: [rule({ ...rules[0], table: 254 })] })).to.deep.equal([]);
    for (const id of [10_000, 14_000, 21_001]) {
      expect(found({ rules: [rule({ priority: id, table: id })] }), `${id}`).to.deep.equal([]);
    }
  });

  it('knows the VPC CNI by its rules, and says by which', () => {
    const rules = [rule({ priority: 1024 }), rule({ priority: 512, from: '10.0.1.9/32' })];
    expect(detectManagers({ ...NOTHING, rules })).to.deep.equal([
      { name: 'VPC CNI', sign: 'the rule 1024' },
    ]);
    const pod = rule({ priority: 1536, table: 2, from: '10.0.1.9/32' });
    expect(found({ rules: [pod] })).to.deep.equal(['VPC CNI']);
    expect(found({ rules: [rule({ priority: 1024, table: 7 })] })).to.deep.equal([]);
  });
});
