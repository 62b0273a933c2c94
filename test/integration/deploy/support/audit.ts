import { readFile } from 'node:fs/promises';
import { type Permission, permission, type ServiceAccountName } from './permissions.js';

/** The part of an audit.k8s.io/v1 Event that is read here. */
interface AuditEvent {
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: {
    apiGroup?: string;
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code?: number; message?: string };
  annotations?: Record<string, string>;
}

/** A request of a service account, as the audit log has it. */
export interface AuditedRequest {
  verb: string;
  group: string;
  resource: string;
  namespace: string | undefined;
  name: string | undefined;
  /** The API server's own answer to whether it may. */
  decision: string | undefined;
  code: number | undefined;
  uri: string;
}

export async function requestsOf(
  auditLogPath: string,
  { namespace, name }: ServiceAccountName,
): Promise<AuditedRequest[]> {
  const username = `system:serviceaccount:${namespace}:${name}`;
  const lines = (await readFile(auditLogPath, 'utf8')).trimEnd().split('\n');
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ user }) => user.username === username)
    .map(({ verb, requestURI, objectRef, annotations, responseStatus }) => ({
      verb,
      group: objectRef?.apiGroup ?? '',
      resource: [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/'),
      namespace: objectRef?.namespace,
      name: objectRef?.name,
      decision: annotations?.['authorization.k8s.io/decision'],
      code: responseStatus?.code,
      uri: requestURI,
    }));
}

/** The permissions, of those granted, that the requests made use of. */
export function usedOf(
  grants: readonly Permission[],
  requests: readonly AuditedRequest[],
): Permission[] {
  const used = new Set<Permission>();
  for (const { verb, group, resource, namespace, name } of requests) {
    const names = name ? [undefined, name] : [undefined];
    const namespaces = namespace ? [undefined, namespace] : [undefined];
    for (const inName of names) {
      for (const inNamespace of namespaces) {
        used.add(
          permission({
            verb,
            group,
            resource,
            ...(inName ? { name: inName } : {}),
            namespace: inNamespace,
          }),
        );
      }
    }
  }
  return grants.filter((grant) => used.has(grant));
}
