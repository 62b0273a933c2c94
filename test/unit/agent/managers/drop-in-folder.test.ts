import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  DropInError,
  DropInFolder,
  NETWORKD_DROP_IN,
  NETWORKMANAGER_DROP_IN,
  OWN_MARK,
} from '../../../../src/agent/managers/drop-in-folder.js';

const [MAC, OTHER] = ['02:00:0a:00:01:05', '02:00:0a:00:01:06'] as const;
const FILE = '10-eni-operator-02000a000105.network';
const OTHER_FILE = '10-eni-operator-02000a000106.network';

describe('DropInFolder', () => {
  let path: string;
  let folder: DropInFolder;

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'drop-ins-'));
    folder = new DropInFolder(path, NETWORKD_DROP_IN);
  });

  afterEach(() => rm(path, { recursive: true, force: true }));

  const settle = (...macs: string[]) => folder.settle(new Set(macs));
  const put = (name: string, content: string) => writeFile(join(path, name), content);
  const content = (name: string) => readFile(join(path, name), 'utf8');

  it('configures systemd-networkd to leave the device alone, but not devices on top of it', async () => {
    expect(await settle(MAC)).to.deep.equal({ written: [FILE], removed: [], foreign: [] });
    expect(await content(FILE)).to.equal(
      `${OWN_MARK}\n[Match]\nMACAddress=${MAC}\nPermanentMACAddress=${MAC}\n\n[Link]\nUnmanaged=yes\n`,
    );
  });

  it('configures NetworkManager likewise, in addition to other files', async () => {
    folder = new DropInFolder(path, NETWORKMANAGER_DROP_IN);
    await settle(MAC);
    const name = '90-eni-operator-02000a000105.conf';
    expect(await readdir(path)).to.deep.equal([name]);
    expect(await content(name)).to.equal(`${OWN_MARK}\n[keyfile]\nunmanaged-devices+=mac:${MAC}\n`);
  });

  it('follows no link that was planted under a name of its own', async () => {
    const victim = join(path, 'victim');
    await writeFile(victim, 'theirs');
    await symlink(victim, join(path, FILE));
    expect(await settle(MAC)).to.deep.equal({ written: [], removed: [], foreign: [FILE] });
    await symlink(victim, join(path, `.${OTHER_FILE}.tmp`));
    await settle(MAC, OTHER);
    expect(await content('victim')).to.equal('theirs');
    expect((await lstat(join(path, OTHER_FILE))).isSymbolicLink()).to.equal(false);
    expect((await lstat(join(path, FILE))).isSymbolicLink()).to.equal(true);
  });

  it('lets every user read its files', async () => {
    await settle(MAC);
    expect((await stat(join(path, FILE))).mode & 0o777).to.equal(0o644);
  });

  it('writes nothing twice', async () => {
    await settle(MAC);
    const { mtimeMs, ino } = await stat(join(path, FILE));
    expect(await settle(MAC)).to.deep.equal({ written: [], removed: [], foreign: [] });
    expect(await stat(join(path, FILE))).to.include({ mtimeMs, ino });
  });

  it('removes what is left of ENIs that are gone, half-written files too', async () => {
    await settle(MAC, OTHER);
    await put(`.${FILE}.tmp`, 'half');
    expect(await settle(OTHER)).to.deep.equal({
      written: [],
      removed: [`.${FILE}.tmp`, FILE],
      foreign: [],
    });
    expect(await readdir(path)).to.deep.equal([OTHER_FILE]);
  });

  it('puts right what is ours and says something else', async () => {
    await put(FILE, `${OWN_MARK}\n[Match]\nName=*\n`);
    expect((await settle(MAC)).written).to.deep.equal([FILE]);
    expect(await content(FILE)).to.include(`MACAddress=${MAC}`);
  });

  it('touches nothing of others, not even under our names', async () => {
    const theirs = [
      FILE,
      '10-eth0.network',
      '10-eni-operator-primary.network',
      'x10-eni-operator-02000a000105.network',
      '10-eni-operator-02000a000105xnetwork',
      `${FILE}.rpmsave`,
    ];
    for (const name of theirs) await put(name, '[Match]\nName=*\n');
    const nothing = { written: [], removed: [], foreign: [FILE] };
    expect(await settle(MAC)).to.deep.equal(nothing);
    expect(await settle()).to.deep.equal(nothing);
    for (const name of theirs) expect(await content(name)).to.equal('[Match]\nName=*\n');
    expect(await readdir(path)).to.have.members(theirs);
  });

  it('says which setting names a folder that is not there', async () => {
    await rm(path, { recursive: true });
    const error: unknown = await settle(MAC).catch((reason) => reason);
    expect(error).to.be.instanceOf(DropInError);
    expect(String(error)).to.include('NETWORKD_DROPIN_DIR').and.include(path);
  });
});
