import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AuditLog, kubeWritesOf } from '../../../../bench/measures/kube-writes.js';

function line(overrides: object = {}): string {
  return JSON.stringify({
    stage: 'ResponseComplete',
    verb: 'patch',
    user: { username: 'controller' },
    objectRef: { resource: 'eniattachments', name: 'a', subresource: 'status' },
    responseStatus: { code: 200 },
    ...overrides,
  });
}

describe('Kubernetes writes in an audit log', () => {
  it("are one user's writes by verb, resource and subresource, refused ones included", () => {
    const lines = [
      line(),
      line({ responseStatus: { code: 409 } }),
      line({ verb: 'create', objectRef: { resource: 'events' }, responseStatus: { code: 201 } }),
      line({ verb: 'get' }),
      line({ verb: 'watch' }),
      line({ user: { username: 'admin' } }),
      line({ stage: 'ResponseStarted' }),
      line({ objectRef: undefined }),
    ];
    expect(kubeWritesOf(lines, 'controller')).to.deep.equal({
      total: 3,
      byTarget: { 'patch eniattachments/status': 2, 'create events': 1 },
      refused: { 'patch eniattachments/status 409': 1 },
    });
  });
});

describe('An audit log that grows', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eni-operator-bench-'));
    path = join(folder, 'audit.log');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is read from where the last reading ended, each line once and only when whole', async () => {
    const log = new AuditLog(path);
    await writeFile(path, 'one\ntwo\nthr');
    expect(await log.newLines()).to.deep.equal(['one', 'two']);
    await appendFile(path, 'ee\n');
    expect(await log.newLines()).to.deep.equal(['three']);
    expect(await log.newLines()).to.deep.equal([]);
  });
});
