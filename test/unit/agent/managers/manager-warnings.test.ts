import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { logManagers } from '../../../../src/agent/managers/detect-managers.js';
import { readHostSigns } from '../../../../src/agent/managers/host-signs.js';
import { FakeHost } from '../../../support/fake-host.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20881 /run/NetworkManager/private-dhcp
0000000000000000: 00000003 00000000 00000000 0001 03 21543
0000000000000000: 00000002 00000000 00010000 0001 01  1234 @abstract
`;
const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000007cac9aba 0   1          800405d1 0        0        0     2        0        4
00000000be95e38f 4   0          00000000 0        0        0     2        0        477
`;

describe('other managers of the host', () => {
  let proc: string;
  let logger: RecordingLogger;
  const network = new FakeHost();

  beforeEach(async () => {
    proc = await mkdtemp(join(tmpdir(), 'proc-'));
    await mkdir(join(proc, 'net'));
    await mkdir(join(proc, 'fd'));
    await writeFile(join(proc, 'net/unix'), UNIX);
    await writeFile(join(proc, 'net/netlink'), NETLINK);
    logger = new RecordingLogger();
  });

  afterEach(() => rm(proc, { recursive: true, force: true }));

  it('are seen by the sockets of the host’s network namespace', async () => {
    expect(await readHostSigns({ network, proc })).to.deep.equal({
      unixSockets: ['/run/NetworkManager/private-dhcp', '@abstract'],
      netlinkSockets: [
        { protocol: 0, port: 1, groups: 0x800405d1 },
        { protocol: 4, port: 0, groups: 0 },
      ],
      rules: [],
    });
  });

  it('are not taken for others where the agent’s own sockets look like theirs', async () => {
    await symlink('socket:[4]', join(proc, 'fd/20'));
    await symlink('/dev/null', join(proc, 'fd/21'));
    const { netlinkSockets } = await readHostSigns({ network, proc });
    expect(netlinkSockets).to.deep.equal([{ protocol: 4, port: 0, groups: 0 }]);
  });

  it('are logged, each with its effect and the remedy', async () => {
    await logManagers({ network, proc, logger });
    expect(logger.entries.map(({ fields }) => fields.manager)).to.deep.equal([
      'systemd-networkd',
      'NetworkManager',
    ]);
    for (const { fields } of logger.entries) {
      expect(fields).to.have.all.keys('manager', 'sign', 'effect', 'remedy');
    }
  });

  it('do not keep the agent from its work where they cannot be seen', async () => {
    await rm(proc, { recursive: true });
    await logManagers({ network, proc, logger });
    expect(logger.messages('warn')).to.have.length(1);
  });

  it('can be looked for on this machine', async function () {
    if (process.platform !== 'linux') this.skip();
    const { netlinkSockets } = await readHostSigns({ network });
    expect(netlinkSockets.every(({ groups }) => Number.isInteger(groups))).to.equal(true);
    expect(netlinkSockets.map(({ protocol }) => protocol)).to.include(0);
  });
});
