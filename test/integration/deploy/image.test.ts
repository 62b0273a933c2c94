import { access, readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { expect } from 'chai';
import { NODE_FLAGS, PROCESS_ENV } from '../../../tools/stage/controller-process.js';
import { AGENT_NODE_FLAGS, AGENT_PROCESS_ENV } from '../../../tools/stage/host/agent-process.js';
import { AGENT } from './support/deployed-cluster.js';
import { readDockerfile, readImageConfig } from './support/image.js';
import { ImageLayout } from './support/image-layout.js';
import { type Manifest, render, theOne } from './support/manifest.js';
import type { PodSpec } from './support/pod-process.js';

/** Of all that is ours in the image, in bytes. */
const MAX_SIZE = 6 * 1024 * 1024;

describe('the image', () => {
  it('is built from files that are there, and the builder is sent these alone', async () => {
    const sources = (await readDockerfile())
      .filter(({ keyword, text }) => keyword === 'COPY' && !text.includes('--from='))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    for (const source of sources) await access(source);
    const ignore = (await readFile('.dockerignore', 'utf8')).split('\n');
    expect(ignore).to.include('*');
    const sent = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(sent).to.have.members([...new Set(sources)]);
  });

  it('ships the stage "runtime", without what "dev" adds', async () => {
    const instructions = await readDockerfile();
    expect(instructions.at(-1)).to.include({ keyword: 'FROM', text: 'runtime' });
  });

  it('starts Node as it is measured and tested, by both components', async () => {
    const { entrypoint, env } = await readImageConfig();
    const program = '/app/eni-operator.mjs';
    expect(entrypoint).to.deep.equal(['/nodejs/bin/node', ...NODE_FLAGS, program]);
    expect(env).to.include(PROCESS_ENV);
    const agent = theOne<Manifest & { spec: { template: { spec: PodSpec } } }>(
      await render('default'),
      'DaemonSet',
      AGENT.name,
    );
    const [container] = agent.spec.template.spec.containers;
    expect(container?.command).to.deep.equal(['/nodejs/bin/node', ...AGENT_NODE_FLAGS, program]);
    const given = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value]) ?? []);
    expect(given).to.include(AGENT_PROCESS_ENV);
  });

  it('has an SBOM of what the bundle contains, and a notice for each package', async () => {
    const bom = JSON.parse(await readFile('dist/bundle/sbom.cdx.json', 'utf8')) as {
      components: { group?: string; name: string; version: string }[];
    };
    const names = bom.components.map(({ group, name }) => (group ? `${group}/${name}` : name));
    expect(names).to.include.members([
      '@aws-sdk/client-ec2',
      '@dot-i/k8s-operator',
      `@koromix/koffi-linux-${process.arch}`,
      'koffi',
      'prom-client',
      'winston',
    ]);
    expect(names).not.to.include.members(['esbuild']);
    expect(names).not.to.include.members(['typescript']);
    const notices = await readFile('dist/bundle/THIRD_PARTY_NOTICES.txt', 'utf8');
    for (const [index, { version }] of bom.components.entries()) {
      expect(notices).to.include(`${names[index]} ${version} (`);
    }
    const copied = (await readDockerfile()).filter(({ keyword, stage, text }) => {
      return keyword === 'COPY' && stage === 'runtime' && text.includes('/src/dist/bundle ');
    });
    expect(copied).to.have.length(1);
  });

  it('runs as a user whose number Kubernetes can tell from root’s', async () => {
    expect((await readImageConfig()).user).to.match(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('adds at most 6 MiB to the runtime, its native code included', async () => {
    const layout = await ImageLayout.create();
    try {
      const native = (await layout.files()).filter((path) => extname(path) === '.node');
      expect(native.map((path) => basename(path)).join()).to.include(`-${process.arch}.node`);
      expect(await layout.size()).to.be.below(MAX_SIZE);
    } finally {
      await layout.delete();
    }
  });
});
