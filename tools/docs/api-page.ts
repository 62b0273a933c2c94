import { parse } from 'yaml';
import { code, table } from './markdown.js';

/** The part of an OpenAPI schema that the page shows. */
interface Schema {
  type?: string;
  format?: string;
  description?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  'x-kubernetes-int-or-string'?: boolean;
}

interface Definition {
  spec: {
    names: { kind: string; shortNames?: string[] };
    group: string;
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

interface Field {
  path: string;
  schema: Schema;
  required: boolean;
}

/** Every field of the kinds that the CustomResourceDefinitions define. */
export function apiPage(crds: readonly string[]): string {
  // The project's own files; a test compares them with the classes.
  const kinds = crds.map((text) => kindSection(parse(text) as Definition));
  return `# API

All kinds are cluster-scoped. \`kubectl explain nodeeni.spec\` shows the same texts.

${kinds.join('\n\n')}
`;
}

function kindSection({ spec: { names, group, versions } }: Definition): string {
  const [version] = versions;
  if (!version) throw new Error(`${names.kind} has no version`);
  const { description = '', properties = {} } = version.schema.openAPIV3Schema;
  const parts = (['spec', 'status'] as const).map((part) => {
    const rows = fieldsOf(properties[part] ?? {}, part).map(({ path, schema, required }) => [
      `${code(path)}${required ? ' (required)' : ''}`,
      typeOf(schema),
      schema.description ?? '',
    ]);
    return `### ${names.kind}.${part}\n\n${table(['Field', 'Type', 'Meaning'], rows)}`;
  });
  const short = names.shortNames?.map(code).join(', ') ?? '';
  return `## ${names.kind}

\`${group}/${version.name}\`${short ? `, short name ${short}` : ''}. ${description}

${parts.join('\n\n')}`;
}

function fieldsOf(schema: Schema, path: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isList = field.type === 'array';
    const here = `${path}.${name}${isList ? '[]' : ''}`;
    const required = schema.required?.includes(name) ?? false;
    return [
      { path: here, schema: field, required },
      ...fieldsOf(isList ? (field.items ?? {}) : field, here),
    ];
  });
}

function typeOf({ items, additionalProperties, minimum, maximum, ...schema }: Schema): string {
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema['x-kubernetes-int-or-string']) return 'integer or string';
  if (items) return `list of ${typeOf(items)}`;
  if (typeof additionalProperties === 'object') return `map of ${typeOf(additionalProperties)}`;
  const bounds =
    minimum === undefined
      ? ''
      : maximum === undefined
        ? `, from ${minimum}`
        : `, ${minimum} to ${maximum}`;
  return `${schema.format === 'date-time' ? 'time' : (schema.type ?? 'any')}${bounds}`;
}
