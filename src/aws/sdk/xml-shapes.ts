import { SaxesParser } from 'saxes';
import { MalformedResponseError } from './sdk-mapping.js';

/** What to read of an element, and as which property; all other elements are skipped. */
export interface ElementShape {
  /** The element's name. */
  element: string;
  /** Default: the element's name with an upper-case first letter. */
  property?: string;
  /** Default: the element's text. `list`: the elements `item` in it. */
  type?: 'boolean' | 'number' | 'structure' | 'list';
  /** Of a structure, and of a list's items. */
  fields?: readonly ElementShape[];
}

interface Field {
  property: string;
  type: ElementShape['type'];
  fields: Fields;
}

/** By the element's name. */
export type Fields = ReadonlyMap<string, Field>;

type Structure = Record<string, unknown>;

/** An element that has begun and not ended. */
type Open =
  | { is: 'structure'; fields: Fields; value: Structure }
  | { is: 'list'; fields: Fields; items: Structure[] }
  | { is: 'text'; text: string; parent: Structure; field: Field }
  | { is: 'skipped' };

const SKIPPED: Open = { is: 'skipped' };

/** V8 makes longer substrings a view of the string that they are taken from, which then stays in memory. */
const LONGEST_COPIED_SUBSTRING = 12;

export function fieldsOf(shapes: readonly ElementShape[]): Fields {
  return new Map(
    shapes.map(({ element, property = capitalized(element), type, fields = [] }) => [
      element,
      { property, type, fields: fieldsOf(fields) },
    ]),
  );
}

/**
 * Reads what `fields` name of the root element while the document arrives. Nothing is kept of the rest.
 * @throws MalformedResponseError; the errors of the stream
 */
export async function readXml(body: AsyncIterable<Uint8Array>, fields: Fields): Promise<Structure> {
  const root: Structure = {};
  const open: Open[] = [];
  const parser = new SaxesParser();
  parser.on('opentagstart', ({ name }) => open.push(opened(open.at(-1), name, { root, fields })));
  const addText = (text: string): void => {
    const last = open.at(-1);
    if (last?.is === 'text') last.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const last = open.pop();
    if (last?.is === 'text') last.parent[last.field.property] = readValue(last.field, last.text);
  });
  const parse = (step: () => unknown): void => {
    try {
      step();
    } catch (cause) {
      throw new MalformedResponseError('EC2 answered with malformed XML', { cause });
    }
  };
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parse(() => parser.write(decoder.decode(chunk, { stream: true })));
  }
  parse(() => parser.write(decoder.decode()).close());
  return root;
}

function opened(
  around: Open | undefined,
  name: string,
  { root, fields }: { root: Structure; fields: Fields },
): Open {
  if (around === undefined) return { is: 'structure', fields, value: root };
  if (around.is === 'list') {
    if (name !== 'item') return SKIPPED;
    const value: Structure = {};
    around.items.push(value);
    return { is: 'structure', fields: around.fields, value };
  }
  const field = around.is === 'structure' ? around.fields.get(name) : undefined;
  if (around.is !== 'structure' || field === undefined) return SKIPPED;
  switch (field.type) {
    case 'structure': {
      const value: Structure = {};
      around.value[field.property] = value;
      return { is: 'structure', fields: field.fields, value };
    }
    case 'list': {
      const items: Structure[] = [];
      around.value[field.property] = items;
      return { is: 'list', fields: field.fields, items };
    }
    default:
      return { is: 'text', text: '', parent: around.value, field };
  }
}

function readValue({ type }: Field, text: string): unknown {
  if (type === 'number') return Number(text);
  if (type === 'boolean') return text === 'true';
  return text.length > LONGEST_COPIED_SUBSTRING ? Buffer.from(text).toString() : text;
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
