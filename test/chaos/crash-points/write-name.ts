/** A request that a proxy has received whole and has not forwarded. */
interface HttpRequest {
  method: string;
  /** Path and query. */
  url: string;
  body: string;
}

/** What a request writes, in a few words that are the same in every run; `undefined` where it only reads. */
export type WriteNamer = (request: HttpRequest) => string | undefined;

const MUTATING_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** EC2's query protocol: the action is a field of the form, and all that does not describe is a write. */
export const ec2Write: WriteNamer = ({ body }) => {
  const action = new URLSearchParams(body).get('Action');
  return action === null || action.startsWith('Describe') ? undefined : action;
};

/** The Kubernetes API: the verb, the resource, and of a patch what it is about. */
export const kubernetesWrite: WriteNamer = ({ method, url, body }) => {
  if (!MUTATING_METHODS.includes(method)) {
    return undefined;
  }
  const { resource, subresource } = resourceOf(url);
  const words = [method.toLowerCase(), subresource ? `${resource}/${subresource}` : resource];
  return [...words, ...(method === 'PATCH' ? detailsOf(body) : [])].join(' ');
};

/** `/api/VERSION/…` or `/apis/GROUP/VERSION/…`, then perhaps a namespace, then `RESOURCE/NAME/SUBRESOURCE`. */
function resourceOf(url: string): { resource: string; subresource?: string | undefined } {
  const [root, ...path] = url.split('?', 1)[0]?.split('/').slice(1) ?? [];
  const rest = path.slice(root === 'api' ? 1 : 2);
  const [resource = url, , subresource] =
    rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  return { resource, subresource };
}

interface Patch {
  metadata?: { finalizers?: unknown[] };
  status?: { phase?: string };
}

function detailsOf(body: string): string[] {
  const { metadata, status } = JSON.parse(body) as Patch;
  const { finalizers } = metadata ?? {};
  return [
    ...(status?.phase ? [status.phase] : []),
    ...(finalizers ? [finalizers.length > 0 ? 'with finalizer' : 'without finalizer'] : []),
  ];
}
