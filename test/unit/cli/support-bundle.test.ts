import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { createStubInstance } from 'sinon';
import { Cluster } from '../../../src/cli/shared/cluster.js';
import { KINDS } from '../../../src/cli/shared/kinds.js';
import { collect } from '../../../src/cli/support-bundle/collect.js';
import { REDACTED, redactObject, redactText } from '../../../src/cli/support-bundle/redact.js';
import { tar } from '../../../src/cli/support-bundle/tar.js';
import { HttpKubeClient } from '../../../src/runtime/kube/http/http-kube-client.js';
import type { KubeObject } from '../../../src/runtime/kube/resource.js';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl';
const SECRETS = {
  jwt: JWT,
  bearer: 'abcdef0123456789',
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  temporaryKey: 'ASIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIvYXdzEBYaDExampleToken',
  password: 'hunter2-hunter2',
  proxy: 'proxypass99',
  signature: 'fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024',
  pem: 'MIIEpAIBAAKCAQEAexample',
};
const LOG = [
  `request failed: Authorization: Bearer ${SECRETS.bearer}`,
  `token ${JWT} rejected`,
  `AWS_ACCESS_KEY_ID=${SECRETS.accessKey} AWS_SECRET_ACCESS_KEY=${SECRETS.secretKey}`,
  `credentials {"accessKeyId":"${SECRETS.temporaryKey}","sessionToken":"${SECRETS.sessionToken}"}`,
  `proxy https://me:${SECRETS.proxy}@proxy.example:3128 refused`,
  `GET /?X-Amz-Credential=a%2Fb&X-Amz-Signature=${SECRETS.signature}&Action=DescribeSubnets`,
  `password: ${SECRETS.password}`,
  `-----BEGIN RSA PRIVATE KEY-----\n${SECRETS.pem}\n-----END RSA PRIVATE KEY-----`,
  '{"level":"info","message":"ENI created","eniID":"eni-0a1b2c3d4e5f60001","node":"ip-10-0-1-7"}',
].join('\n');

const meta = { name: 'controller-1', namespace: 'eni-system', uid: 'u', resourceVersion: '1' };
const POD = {
  metadata: {
    ...meta,
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': `{"password":"${SECRETS.password}"}`,
      note: `see https://me:${SECRETS.proxy}@wiki.example`,
    },
  },
  spec: {
    automountServiceAccountToken: true,
    containers: [
      {
        name: 'controller',
        env: [
          { name: 'AWS_REGION', value: 'us-west-2' },
          { name: 'AWS_SECRET_ACCESS_KEY', value: SECRETS.secretKey },
          { name: 'PROXY_PASSWORD', value: SECRETS.password },
        ],
      },
    ],
  },
};

describe('kubectl eni support-bundle', () => {
  const secretsIn = (text: string): string[] =>
    Object.entries(SECRETS).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

  it('takes secrets out of logs, and nothing else', () => {
    expect(secretsIn(LOG)).to.have.length(Object.keys(SECRETS).length);
    const redacted = redactText(LOG);
    expect(secretsIn(redacted)).to.deep.equal([]);
    expect(redacted).to.include('"eniID":"eni-0a1b2c3d4e5f60001","node":"ip-10-0-1-7"');
    expect(redacted).to.include(`proxy https://${REDACTED}@proxy.example:3128 refused`);
    expect(redacted).to.include('Action=DescribeSubnets');
  });

  it('leaves what support needs as it is', () => {
    for (const text of [
      'CredentialsUnavailable: No valid AWS credentials for DescribeSubnets (ExpiredToken).',
      'Device index 1 of i-0123456789abcdef0 (node a) is in use by eni-0a1b2c3d4e5f60001.',
      'arn:aws:iam::123456789012:role/eni-operator',
    ]) {
      expect(redactText(text)).to.equal(text);
    }
    expect(redactObject({ automountServiceAccountToken: true, secretName: 'tls' })).to.deep.equal({
      automountServiceAccountToken: true,
      secretName: 'tls',
    });
  });

  it('has no secret in any file, wherever it was, and never asks for Secrets', async () => {
    const client = createStubInstance(HttpKubeClient);
    const asked: string[] = [];
    client.list.callsFake(async (resource) => {
      asked.push(resource.plural);
      const items: KubeObject[] =
        resource.plural === 'pods'
          ? [POD]
          : resource.plural === 'configmaps'
            ? [{ metadata: meta, data: { API_KEY: SECRETS.bearer, AWS_REGION: 'x' } } as KubeObject]
            : resource.plural === 'events'
              ? [
                  {
                    metadata: meta,
                    reportingController: 'networking.k8s.aws/eni-operator',
                    note: LOG,
                  } as KubeObject,
                ]
              : [];
      if (resource === KINDS.policies) throw new Error(`forbidden: Bearer ${SECRETS.bearer}`);
      return { items: items as never, resourceVersion: '1' };
    });
    client.json.resolves({ gitVersion: 'v1.36.3' });
    client.text.callsFake(async (path) => {
      if (path.includes('previous=true')) throw new Error('no previous container');
      return LOG;
    });
    const cluster = new Cluster({ client, signal: new AbortController().signal });
    const files = await collect(cluster, new Date(0));
    expect(files.map(({ path }) => path)).to.include.members([
      'version.yaml',
      'objects/nodeenis.yaml',
      'objects/pods.yaml',
      'objects/events.yaml',
      'logs/controller-1.controller.log',
      'errors.txt',
    ]);
    for (const { path, text } of files) expect(secretsIn(text), path).to.deep.equal([]);
    const all = files.map(({ text }) => text).join('');
    expect(all).to.include('us-west-2').and.include('gitVersion').and.include('ENI created');
    expect(files.find(({ path }) => path === 'errors.txt')?.text).to.include(
      'objects/validatingadmissionpolicies.yaml: forbidden',
    );
    expect(asked).not.to.include('secrets');
  });

  it('is an archive that tar reads', () => {
    const archive = tar(
      [
        { path: 'a/b.txt', text: 'hällo' },
        { path: 'c.txt', text: 'x'.repeat(513) },
      ],
      1_700_000_000,
    );
    const listed = execFileSync('tar', ['-tvf', '-'], { input: archive, encoding: 'utf8' });
    expect(listed).to.match(/^-rw-------.* 6 .* a\/b\.txt\n-rw-------.* 513 .* c\.txt\n$/);
    const content = execFileSync('tar', ['-xOf', '-', 'a/b.txt'], { input: archive });
    expect(content.toString()).to.equal('hällo');
    expect(() => tar([{ path: 'x'.repeat(101), text: '' }], 0)).to.throw(RangeError, 'too long');
  });
});
