import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { podNamespace } from '../../../src/config/pod-namespace.js';

describe('podNamespace', () => {
  let folder: string;
  let file: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eni-operator-namespace-'));
    file = join(folder, 'namespace');
    await writeFile(file, 'kube-system\n');
  });

  after(() => rm(folder, { recursive: true }));

  it('is what POD_NAMESPACE says', () => {
    expect(podNamespace({ env: { POD_NAMESPACE: 'networking' }, file })).to.equal('networking');
  });

  it("is the service account's where POD_NAMESPACE is empty", () => {
    expect(podNamespace({ env: { POD_NAMESPACE: '' }, file })).to.equal('kube-system');
  });

  it('is default where nothing tells', () => {
    expect(podNamespace({ env: {}, file: join(folder, 'absent') })).to.equal('default');
  });
});
