import { open } from 'node:fs/promises';

/** Writes that the API server answered, refusals included; without requests that store nothing. */
export interface KubeWrites {
  total: number;
  /** By verb and resource: `patch eniattachments/status`. */
  byTarget: Readonly<Record<string, number>>;
  /** Those answered with 400 and above, by verb, resource and HTTP status. */
  refused: Readonly<Record<string, number>>;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The fields of an audit event (audit.k8s.io/v1) that are read here. */
interface AuditEvent {
  stage: string;
  verb: string;
  user: { username: string };
  requestURI?: string;
  objectRef?: { resource: string; subresource?: string };
  responseStatus?: { code?: number };
}

/** Counts the writes of `user` in lines of an audit log. */
export function kubeWritesOf(lines: readonly string[], user: string): KubeWrites {
  const byTarget: Record<string, number> = {};
  const refused: Record<string, number> = {};
  let total = 0;
  for (const line of lines) {
    const event = JSON.parse(line) as AuditEvent;
    const { stage, verb, user: who, objectRef, responseStatus } = event;
    const isWrite = WRITES.has(verb) && !storesNothing(event);
    if (stage !== 'ResponseComplete' || who.username !== user || !isWrite || !objectRef) {
      continue;
    }
    const { resource, subresource } = objectRef;
    const target = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    total += 1;
    byTarget[target] = (byTarget[target] ?? 0) + 1;
    const code = responseStatus?.code ?? 0;
    if (code >= 400) {
      refused[`${target} ${code}`] = (refused[`${target} ${code}`] ?? 0) + 1;
    }
  }
  return { total, byTarget, refused };
}

/** Dry runs, and questions about permissions: both are POSTs. */
function storesNothing({ requestURI = '', objectRef }: AuditEvent): boolean {
  return requestURI.includes('dryRun=All') || objectRef?.resource === 'selfsubjectaccessreviews';
}

/** Reads an audit log as it grows. */
export class AuditLog {
  private offset = 0;
  private unfinished = '';

  constructor(private readonly path: string) {}

  /** The lines written since the last call. */
  async newLines(): Promise<string[]> {
    const file = await open(this.path);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(size - this.offset),
        position: this.offset,
      });
      this.offset += bytesRead;
      const lines = (this.unfinished + buffer.toString('utf8', 0, bytesRead)).split('\n');
      this.unfinished = lines.pop() ?? '';
      return lines;
    } finally {
      await file.close();
    }
  }
}
