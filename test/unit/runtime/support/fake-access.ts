import type {
  KubeAccess,
  KubeCredentials,
  TlsCredentials,
} from '../../../../src/runtime/kube/access/kube-access.js';

/** A way to an API server whose credentials a test changes as it likes. */
export class FakeAccess implements KubeAccess {
  readonly server: { url: string };
  token = 'one';
  tls: TlsCredentials = {};
  /** How often they have been read. */
  readings = 0;

  constructor(url: string) {
    this.server = { url };
  }

  async credentials(): Promise<KubeCredentials> {
    this.readings += 1;
    return { headers: { authorization: `Bearer ${this.token}` }, tls: { ...this.tls } };
  }
}
