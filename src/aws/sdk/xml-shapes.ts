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
  /** Makes of each item of a list what the list has, as soon as the item is complete. Default: the item. */
  map?: (item: Structure) => unknown;
}

interface Field {
  property: string;
  type: ElementShape['type'];
  fields: Fields;
  map: ElementShape['map'];
}

/** By the element's name. */
export type Fields = ReadonlyMap<string, Field>;

export type Structure = Record<string, unknown>;

/** A structure, or a list, that has begun and not ended. */
interface Open {
  fields: Fields;
  structure: Structure;
  /** Of a list, which has no structure of its own. */
  items: unknown[] | undefined;
  map: ElementShape['map'];
}

/** V8 makes longer substrings a view of the string that they are taken from, which then stays in memory. */
const LONGEST_COPIED_SUBSTRING = 12;

export function fieldsOf(shapes: readonly ElementShape[]): Fields {
  return new Map(
    shapes.map(({ element, property = capitalized(element), type, fields = [], map }) => [
      element,
      { property, type, fields: fieldsOf(fields), map },
    ]),
  );
}

/**
 * Reads what `fields` name of the root element while the document arrives. Nothing is kept of the rest.
 * @throws MalformedResponseError; the errors of the stream
 */
export async function readXml(body: AsyncIterable<Uint8Array>, fields: Fields): Promise<Structure> {
  const reader = new ShapeReader(fields);
  const parser = new SaxesParser();
  parser.on('opentagstart', ({ name }) => reader.begin(name));
  parser.on('text', (text) => reader.add(text));
  parser.on('cdata', (text) => reader.add(text));
  parser.on('closetag', () => reader.end());
  const parse = (step: () => unknown): void => {
    try {
      step();
    } catch (cause) {
      if (cause instanceof MalformedResponseError) throw cause;
      throw new MalformedResponseError('EC2 answered with malformed XML', { cause });
    }
  };
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parse(() => parser.write(decoder.decode(chunk, { stream: true })));
  }
  parse(() => parser.write(decoder.decode()).close());
  return reader.root;
}

/** Follows a document's elements. A page has 60,000 of them: only structures and lists are objects here. */
class ShapeReader {
  readonly root: Structure = {};
  private readonly open: Open[] = [];
  /** What is being read as text. */
  private field: Field | undefined;
  private text = '';
  /** How many elements around this place are skipped. */
  private skipped = 0;

  constructor(private readonly fields: Fields) {}

  begin(name: string): void {
    if (this.skipped > 0 || this.field !== undefined || !this.descend(name)) this.skipped += 1;
  }

  add(text: string): void {
    if (this.skipped === 0 && this.field !== undefined) this.text += text;
  }

  end(): void {
    if (this.skipped > 0) {
      this.skipped -= 1;
    } else if (this.field !== undefined) {
      const structure = this.open.at(-1)?.structure ?? this.root;
      structure[this.field.property] = readValue(this.field, this.text);
      this.field = undefined;
    } else {
      const ended = this.open.pop();
      const list = this.open.at(-1);
      if (ended && list?.items) {
        list.items.push(list.map ? list.map(ended.structure) : ended.structure);
      }
    }
  }

  /** @returns whether something is read of the element */
  private descend(name: string): boolean {
    const around = this.open.at(-1);
    if (around === undefined) {
      this.enter({ fields: this.fields, structure: this.root });
      return true;
    }
    if (around.items) {
      if (name !== 'item') return false;
      this.enter({ fields: around.fields, structure: {} });
      return true;
    }
    const field = around.fields.get(name);
    if (field === undefined) return false;
    const { type, property, fields, map } = field;
    if (type === 'structure' || type === 'list') {
      const structure: Structure = {};
      const items = type === 'list' ? [] : undefined;
      around.structure[property] = items ?? structure;
      this.enter({ fields, structure, items, map });
    } else {
      this.field = field;
      this.text = '';
    }
    return true;
  }

  private enter({
    fields,
    structure,
    items,
    map,
  }: Pick<Open, 'fields' | 'structure'> & Partial<Pick<Open, 'items' | 'map'>>): void {
    this.open.push({ fields, structure, items, map });
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
