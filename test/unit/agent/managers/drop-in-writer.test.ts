import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DropInFolder, NETWORKD_DROP_IN } from '../../../../src/agent/managers/drop-in-folder.js';
import { DropInWriter } from '../../../../src/agent/managers/drop-in-writer.js';
import { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { readReconciler } from '../../../../src/runtime/controller/read-reconciler.js';
import { anENIAttachment } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const macAddress = '02:00:00:00:00:01';
const FILE = '10-eni-operator-020000000001.network';

describe('DropInWriter', () => {
  let path: string;
  let attachments: IndexedStore<ENIAttachment>;
  let logger: RecordingLogger;
  let writer: DropInWriter;

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'drop-ins-'));
    attachments = IndexedStore.create<ENIAttachment>();
    logger = new RecordingLogger();
    writer = new DropInWriter({ attachments, folders: [new DropInFolder(path, NETWORKD_DROP_IN)] });
  });

  afterEach(() => rm(path, { recursive: true }));

  async function pass(): Promise<string[]> {
    const signal = new AbortController().signal;
    await writer.reconcile('host', { logger, reconcileID: '1', signal });
    return readdir(path);
  }

  it('writes a file before the device is attached, and keeps it until the attachment is gone', async () => {
    attachments.put('a', anENIAttachment({ status: { phase: 'Creating' } }));
    expect(await pass()).to.deep.equal([]);
    attachments.put('a', anENIAttachment({ status: { phase: 'Attaching', macAddress } }));
    expect(await pass()).to.deep.equal([FILE]);
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    attachments.put('a', anENIAttachment({ status: { phase: 'Detaching', macAddress }, metadata }));
    expect(await pass()).to.deep.equal([FILE]);
    attachments.delete('a');
    expect(await pass()).to.deep.equal([]);
    expect(logger.messages('info')).to.deep.equal([
      'Drop-in files changed',
      'Drop-in files changed',
    ]);
  });

  it('leaves a device to others whose state the agent does not manage', async () => {
    attachments.put(
      'a',
      anENIAttachment({ spec: { linkState: 'unmanaged' }, status: { macAddress } }),
    );
    expect(await pass()).to.deep.equal([]);
  });

  it('makes no file name of what is no MAC address', async () => {
    attachments.put('a', anENIAttachment({ status: { macAddress: '../../etc/passwd' } }));
    expect(await pass()).to.deep.equal([]);
  });

  it('looks again where an attachment’s device is another one, and not at each word of its status', () => {
    const { watches } = readReconciler(writer);
    const { when } = watches.find(({ source }) => source === ENIAttachment) ?? expect.fail('none');
    const updated = (is: ENIAttachment, was: ENIAttachment) => when.updated?.(is, was);
    const known = anENIAttachment({ status: { phase: 'Attached', macAddress } });
    expect(updated(known, anENIAttachment())).to.equal(true);
    expect(updated(anENIAttachment({ status: { phase: 'Ready', macAddress } }), known)).to.equal(
      false,
    );
    const unmanaged = anENIAttachment({ spec: { linkState: 'unmanaged' }, status: { macAddress } });
    expect(updated(unmanaged, known)).to.equal(true);
  });
});
