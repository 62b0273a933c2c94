import type { SourcePlace } from './source-places.js';

/** Node's modules by what they do: the beginnings of their names, without `node:` and `internal/`. */
const NODE_PARTS: readonly [RegExp, string][] = [
  [/^(_?tls|crypto|webcrypto)/, 'Node: TLS and crypto'],
  [/^(_?http|https|http2)/, 'Node: HTTP'],
  [/^(net|stream|_stream|js_stream|streams)/, 'Node: streams and sockets'],
];

/** What of the program a function belongs to: a folder of `src`, a package, a part of Node or V8. */
export function partOf({ name, file }: SourcePlace): string {
  if (name === '(garbage collector)') return 'V8: garbage collection';
  if (name === '(program)') return 'V8 and Node: native code outside of functions';
  if (file === undefined) return 'Node: native functions';
  if (file.startsWith('node:')) {
    const module = file.slice('node:'.length).replace(/^internal\//, '');
    return NODE_PARTS.find(([names]) => names.test(module))?.[1] ?? 'Node: other modules';
  }
  const [, scope, rest] = /.*node_modules\/(@[^/]+|[^/]+)(\/[^/]+)?/.exec(file) ?? [];
  if (scope !== undefined) return scope === '@smithy' ? `${scope}${rest ?? ''}` : scope;
  const [, folder] = /(?:^|\/)(src\/[^/]+(?:\/[^/.]+(?=\/))?)/.exec(file) ?? [];
  return folder ?? 'other';
}
