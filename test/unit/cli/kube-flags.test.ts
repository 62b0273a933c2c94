import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { kubeAccess } from '../../../src/cli/shared/kube-flags.js';
import { KubeConfigError } from '../../../src/runtime/kube/access/kube-access.js';

const KUBECONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'one',
  clusters: ['one', 'two'].map((name) => ({
    name,
    cluster: { server: `https://${name}.example:6443` },
  })),
  users: ['one', 'two'].map((name) => ({ name, user: { token: `token-${name}` } })),
  contexts: ['one', 'two'].map((name) => ({ name, context: { cluster: name, user: name } })),
};

describe("kubectl eni's way to the cluster", () => {
  let folder: string;
  let path: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubectl-eni-'));
    path = join(folder, 'config');
    await writeFile(path, JSON.stringify(KUBECONFIG));
  });
  after(() => rm(folder, { recursive: true }));

  const reach = async (flags: object, env: Record<string, string> = { KUBECONFIG: path }) => {
    const access = kubeAccess(flags, env);
    return [access.server.url, (await access.credentials()).headers];
  };

  it('is the current context, or the one that --context names', async () => {
    expect(await reach({})).to.deep.equal([
      'https://one.example:6443',
      { authorization: 'Bearer token-one' },
    ]);
    expect(await reach({ context: 'two', kubeconfig: path }, {})).to.deep.equal([
      'https://two.example:6443',
      { authorization: 'Bearer token-two' },
    ]);
  });

  it('mixes --cluster, --user and --as into it', async () => {
    expect(await reach({ cluster: 'two', user: 'two', as: 'jane' })).to.deep.equal([
      'https://two.example:6443',
      { authorization: 'Bearer token-two', 'impersonate-user': 'jane' },
    ]);
  });

  it('names what is missing, and what there is', () => {
    const attempt = (flags: object) => () => kubeAccess(flags, { KUBECONFIG: path });
    expect(attempt({ context: 'three' })).to.throw(
      KubeConfigError,
      'no context "three" (--context); it has: one, two',
    );
    expect(attempt({ cluster: 'three' })).to.throw(KubeConfigError, 'no cluster "three"');
    expect(attempt({ user: 'three' })).to.throw(KubeConfigError, 'no user "three"');
    expect(attempt({ kubeconfig: join(folder, 'nothere') })).to.throw(
      KubeConfigError,
      'The kubeconfig cannot be read: ENOENT',
    );
  });
});
