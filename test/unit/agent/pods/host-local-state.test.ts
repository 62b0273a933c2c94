import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { HostLocalState } from '../../../../src/agent/pods/host-local-state.js';
import { NOW } from '../../../support/objects.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const [X, Y, Z] = ['10.0.64.6', '10.0.64.7', '10.0.64.8'] as const;

describe('HostLocalState', () => {
  let dir: string;
  let time: VirtualTime;
  let state: HostLocalState;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'host-local-'));
    time = new VirtualTime(NOW);
    state = new HostLocalState({ dir, clock: time });
  });

  afterEach(() => rm(dir, { recursive: true }));

  /** As host-local reserves an address: it fails where there is a file. */
  async function reserve(address: string): Promise<void> {
    await mkdir(join(dir, 'pods'), { recursive: true });
    await writeFile(join(dir, 'pods', address), 'container\r\nnet1', { flag: 'wx' });
  }

  it('tells the addresses of pods from those that the agent holds, and since when', async () => {
    await reserve(Y);
    await writeFile(join(dir, 'pods', 'last_reserved_ip.0'), Y);
    await state.hold('pods', [X, Z]);
    await time.pass(5_000);
    const held = new Map([
      [X, NOW],
      [Z, NOW],
    ]);
    expect(await state.read('pods')).to.deep.equal({ pods: [Y], held });
    expect(
      await new HostLocalState({ dir, clock: time }).read('pods'),
      'by a new agent',
    ).to.deep.equal({ pods: [Y], held });
    expect(await state.read('others')).to.deep.equal({ pods: [], held: new Map() });
  });

  it('holds an address against host-local until it is given back, and none that a pod has', async () => {
    await reserve(Y);
    await state.hold('pods', [X, Y]);
    expect((await state.read('pods'))?.pods).to.deep.equal([Y]);
    expect(await reserve(X).catch(({ code }) => code)).to.equal('EEXIST');
    await state.release('pods', [X]);
    await reserve(X);
    expect((await state.read('pods'))?.pods).to.deep.equal([X, Y]);
    expect(await readdir(join(dir, 'pods')), 'nothing else is left').to.have.members([X, Y]);
  });

  it('holds addresses of a network in which no pod ever was', async () => {
    await state.hold('pods', [X]);
    expect([...((await state.read('pods'))?.held.keys() ?? [])]).to.deep.equal([X]);
  });

  it('is unknown where the folder cannot be read', async () => {
    const nowhere = new HostLocalState({ dir: join(dir, 'nowhere'), clock: time });
    expect(await nowhere.read('pods')).to.equal(undefined);
  });
});
