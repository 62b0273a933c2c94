/** The part of an OpenAPI v3 schema of a CRD from which variants are derived. */
export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  required?: string[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
}

/** A spec with one value changed. */
export interface Variant {
  title: string;
  spec: unknown;
}

/**
 * Variants of a valid spec: for each field of the schema that the spec has, one at a time, no value, another type, the
 * bounds and what lies beyond them, empty and repeated values.
 */
export function variantsOf(spec: unknown, schema: Schema): Variant[] {
  return changesOf(spec, schema, 'spec').map(({ title, value }) => ({ title, spec: value }));
}

interface Change {
  title: string;
  value: unknown;
}

function changesOf(value: unknown, schema: Schema, path: string): Change[] {
  const own =
    path === 'spec'
      ? []
      : valuesOf(value, schema).map((each) => ({ title: `${path} = ${shown(each)}`, value: each }));
  return [...own, ...innerChanges(value, schema, path)];
}

/** Changes of members, each within the whole value. */
function innerChanges(value: unknown, schema: Schema, path: string): Change[] {
  if (Array.isArray(value)) {
    if (!schema.items || value.length === 0) return [];
    const [first, ...others] = value;
    return changesOf(first, schema.items, `${path}[0]`).map((change) => ({
      title: change.title,
      value: [change.value, ...others],
    }));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = schema.properties?.[name] ?? schema.additionalProperties ?? {};
    return changesOf(member, inner, `${path}.${name}`).map((change) => ({
      title: change.title,
      value: { ...value, [name]: change.value },
    }));
  });
}

const OTHER_TYPES: Readonly<Record<string, unknown[]>> = {
  string: [1, true, {}, []],
  integer: ['1', true, 1.5, {}],
  boolean: ['true', 1, {}],
  array: ['x', {}],
  object: ['x', 1, []],
};

function valuesOf(value: unknown, schema: Schema): unknown[] {
  const { type = '' } = schema;
  return [undefined, null, ...(OTHER_TYPES[type] ?? ['x', {}]), ...boundaries(value, schema)];
}

function boundaries(value: unknown, schema: Schema): unknown[] {
  switch (schema.type) {
    case 'integer': {
      const { minimum = 0, maximum = 1_000 } = schema;
      return [minimum - 1, minimum, maximum, maximum + 1];
    }
    case 'boolean':
      return [true, false];
    case 'string': {
      const { maxLength = 100 } = schema;
      return [
        ...(schema.enum ?? []),
        '',
        'x',
        'x y',
        'x'.repeat(maxLength),
        'x'.repeat(maxLength + 1),
      ];
    }
    case 'array': {
      const [first] = value as unknown[];
      const { maxItems = 16 } = schema;
      const many = (count: number) =>
        Array.from({ length: count }, (_, index) => nth(first, index));
      return [[], [first, first], [null], many(maxItems), many(maxItems + 1)];
    }
    case 'object':
      return [{}, ...entriesBeyond(value as object, schema)];
    default:
      return [];
  }
}

/** A value like the given one; a string differs from the others by its end. */
function nth(value: unknown, index: number): unknown {
  return typeof value === 'string' && value.length > 2
    ? `${value.slice(0, -2)}${index.toString(16).padStart(2, '0')}`
    : value;
}

function entriesBeyond(value: object, { maxProperties, additionalProperties }: Schema): object[] {
  const [entry] = Object.entries(value);
  if (maxProperties === undefined || !additionalProperties || !entry) return [];
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, entry[1]]));
  const { maxLength = 63 } = additionalProperties;
  return [
    many(maxProperties),
    many(maxProperties + 1),
    { '': 'x' },
    { 'a b': 'x' },
    { ['k'.repeat(129)]: 'x' },
    { k: 'v'.repeat(maxLength) },
    { k: 'v'.repeat(maxLength + 1) },
    { k: null },
    { k: 1 },
  ];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
