import { Agent, request } from 'undici';
import { KubeConfigAccess } from '../../../../src/runtime/kube/access/kubeconfig-access.js';
import type { Manifest } from './manifest.js';

export interface Answer {
  status: number;
  body: { message?: string; metadata?: { uid?: string } } & Record<string, unknown>;
  warnings: string[];
}

interface Discovered {
  resources: { kind: string; name: string; namespaced: boolean }[];
}

export interface ApplyOptions {
  /** Nothing is stored. */
  dryRun?: boolean;
}

/** The API server, as bare as it is: its answers, its warnings, and fields that it does not know as errors. */
export class Api {
  private readonly discovered = new Map<string, Promise<Discovered>>();

  private constructor(
    private readonly server: string,
    private readonly headers: Record<string, string>,
    private readonly dispatcher: Agent,
  ) {}

  static async open(kubeconfigPath: string): Promise<Api> {
    const access = KubeConfigAccess.fromFiles(kubeconfigPath);
    const { headers, tls } = await access.credentials();
    const { ca, cert, key } = tls;
    const connect = { ...(ca ? { ca } : {}), ...(cert && key ? { cert, key } : {}) };
    return new Api(access.server.url, headers, new Agent({ connect }));
  }

  /** Applies one object, server-side and with strict validation. */
  async apply(manifest: Manifest, { dryRun = false }: ApplyOptions = {}): Promise<Answer> {
    const query = new URLSearchParams({
      fieldManager: 'deploy-test',
      force: 'true',
      fieldValidation: 'Strict',
      ...(dryRun ? { dryRun: 'All' } : {}),
    });
    return this.send(
      'PATCH',
      `${await this.pathOf(manifest)}?${query}`,
      manifest,
      'apply-patch+yaml',
    );
  }

  merge(path: string, body: object): Promise<Answer> {
    return this.send('PATCH', path, body, 'merge-patch+json');
  }

  /** The same, as another user; that takes the right to impersonate. */
  impersonating(user: string): { user: string; api: Api } {
    const headers = { ...this.headers, 'impersonate-user': user };
    return { user, api: new Api(this.server, headers, this.dispatcher) };
  }

  async send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    type = 'json',
  ): Promise<Answer> {
    const answer = await request(`${this.server}${path}`, {
      method,
      dispatcher: this.dispatcher,
      headers: { ...this.headers, 'content-type': `application/${type}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const warning = answer.headers.warning ?? [];
    return {
      status: answer.statusCode,
      body: parsed(await answer.body.text()),
      warnings: Array.isArray(warning) ? warning : [warning],
    };
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  private async pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let discovery = this.discovered.get(base);
    if (!discovery) {
      discovery = this.send('GET', base).then(({ body }) => body as unknown as Discovered);
      this.discovered.set(base, discovery);
    }
    const resource = (await discovery).resources.find(
      (each) => each.kind === kind && !each.name.includes('/'),
    );
    if (!resource) throw new Error(`The API server knows no ${kind} of ${apiVersion}`);
    const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${base}${scope}/${resource.name}/${metadata.name}`;
  }
}

/** A path that the API server does not serve is answered in plain text. */
function parsed(text: string): Answer['body'] {
  return text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { message: text };
}
