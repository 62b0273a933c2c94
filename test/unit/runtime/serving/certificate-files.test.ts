import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import {
  CertificateError,
  CertificateFiles,
  type CertificatePair,
} from '../../../../src/runtime/serving/certificate-files.js';
import { eventually } from '../../../support/eventually.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { VirtualTime } from '../support/virtual-time.js';

const LOOK_MS = 10_000;

async function newPair(): Promise<CertificatePair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
  return { cert, key };
}

describe('CertificateFiles', () => {
  let folder: string;
  let one: CertificatePair;
  let two: CertificatePair;
  let clock: VirtualTime;
  let logger: RecordingLogger;
  let files: CertificateFiles;
  /** Which pairs were told of: key material is not for the log of a test. */
  let renewed: string[];
  let end: (() => void) | undefined;

  before(async () => {
    [one, two] = await Promise.all([newPair(), newPair()]);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-files-'));
    clock = new VirtualTime(0);
    logger = new RecordingLogger();
    renewed = [];
    const [certPath, keyPath] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    files = CertificateFiles.create({ certPath, keyPath, clock, logger });
    await mount(one);
  });

  afterEach(async () => {
    end?.();
    await rm(folder, { recursive: true });
  });

  async function mount({ cert, key }: CertificatePair): Promise<void> {
    await writeFile(join(folder, 'tls.crt'), cert);
    await writeFile(join(folder, 'tls.key'), key);
  }

  function nameOf({ cert, key }: CertificatePair): string {
    const names = { one, two };
    const found = Object.entries(names).find(([, pair]) => pair.cert === cert && pair.key === key);
    return found?.[0] ?? 'another';
  }

  async function watched(): Promise<void> {
    await files.read();
    end = files.watch((pair) => renewed.push(nameOf(pair)));
  }

  it('reads the pair', async () => {
    expect(nameOf(await files.read())).to.equal('one');
  });

  const unusable: [what: string, mount: () => Promise<void>][] = [
    ['is missing', () => rm(join(folder, 'tls.key'))],
    ['is garbage', () => mount({ ...one, cert: 'garbage' })],
    ['is empty', () => mount({ ...one, cert: '' })],
    ['does not belong to the key', () => mount({ cert: one.cert, key: two.key })],
  ];
  for (const [what, prepare] of unusable) {
    it(`refuses a certificate that ${what}, and names the files`, async () => {
      await prepare();
      const error = await files.read().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(CertificateError);
      expect(String(error)).to.include(join(folder, 'tls.crt'));
    });
  }

  it('reports a new pair at the next check, and only a new one', async () => {
    await watched();
    await clock.pass(3 * LOOK_MS);
    expect(renewed).to.deep.equal([]);
    await mount(two);
    await clock.pass(LOOK_MS);
    await eventually(() => expect(renewed).to.deep.equal(['two']));
  });

  it('keeps the pair before one that is half written, warns once, and takes it when it is whole', async () => {
    await watched();
    await mount({ cert: two.cert, key: one.key });
    for (let look = 0; look < 2; look++) {
      await clock.pass(LOOK_MS);
      await eventually(() => expect(logger.messages('warn')).to.have.length(1));
    }
    expect(renewed).to.deep.equal([]);
    await eventually(async () => {
      await mount(two);
      await clock.pass(LOOK_MS);
      expect(renewed).to.deep.equal(['two']);
    });
    expect(logger.messages('warn')).to.have.length(1);
  });

  it('looks no more once it is ended', async () => {
    await watched();
    end?.();
    await mount(two);
    await clock.pass(10 * LOOK_MS);
    expect(renewed).to.deep.equal([]);
  });
});
