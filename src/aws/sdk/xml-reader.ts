/** An XML document ends too early, or its tags do not match. */
export class MalformedXmlError extends Error {
  override name = 'MalformedXml';

  constructor(problem: string, at: number) {
    super(`The XML is malformed at byte ${at}: ${problem}`);
  }
}

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
  name: Buffer;
  property: string;
  type: ElementShape['type'];
  fields: Fields;
}

/** By the hash of the element's name. */
type Fields = ReadonlyMap<number, Field>;

const [TAB, NEWLINE, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [BANG, QUOTE, AMPERSAND, APOSTROPHE, SLASH] = [0x21, 0x22, 0x26, 0x27, 0x2f];
const [LESS, GREATER, QUESTION] = [0x3c, 0x3e, 0x3f];

const ITEM = Buffer.from('item');
const ITEM_HASH = hashOf(ITEM);

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** Prepares a document's shape for {@link readXml}. */
export function xmlFields(shapes: readonly ElementShape[]): Fields {
  return new Map(
    shapes.map(({ element, property = capitalized(element), type, fields = [] }) => {
      const name = Buffer.from(element);
      return [hashOf(name), { name, property, type, fields: xmlFields(fields) }];
    }),
  );
}

/**
 * Reads what `fields` name of the root element, straight from the bytes: nothing is made of the rest, and no
 * value keeps the document in memory.
 * @throws MalformedXmlError
 */
export function readXml(bytes: Buffer, fields: Fields): Record<string, unknown> {
  return new XmlReader(bytes).document(fields);
}

class XmlReader {
  private at = 0;
  /** The name of the last start tag. */
  private nameHash = 0;
  private nameFrom = 0;
  private nameTo = 0;
  /** Whether the last start tag closed its element. */
  private isEmpty = false;

  constructor(private readonly bytes: Buffer) {}

  document(fields: Fields): Record<string, unknown> {
    if (!this.nextChild()) throw this.malformed('there is no root element');
    const root = {};
    this.structure(root, fields);
    return root;
  }

  /** Reads the children of the element whose start tag was read, up to its end tag. */
  private structure(into: Record<string, unknown>, fields: Fields): void {
    if (this.isEmpty) return;
    const hash = this.nameHash;
    while (this.nextChild()) {
      const field = fields.get(this.nameHash);
      if (field === undefined || !this.isName(field.name)) this.skip();
      else into[field.property] = this.value(field);
    }
    this.endOf(hash);
  }

  private value({ type, fields }: Field): unknown {
    switch (type) {
      case 'structure': {
        const structure = {};
        this.structure(structure, fields);
        return structure;
      }
      case 'list':
        return this.list(fields);
      case 'number':
        return Number(this.text());
      case 'boolean':
        return this.text() === 'true';
      default:
        return this.text();
    }
  }

  private list(fields: Fields): object[] {
    const items: object[] = [];
    if (this.isEmpty) return items;
    const hash = this.nameHash;
    while (this.nextChild()) {
      if (this.nameHash === ITEM_HASH && this.isName(ITEM)) {
        const item = {};
        this.structure(item, fields);
        items.push(item);
      } else {
        this.skip();
      }
    }
    this.endOf(hash);
    return items;
  }

  private skip(): void {
    if (this.isEmpty) return;
    const hash = this.nameHash;
    while (this.nextChild()) this.skip();
    this.endOf(hash);
  }

  /** The text of the element whose start tag was read, up to its end tag. */
  private text(): string {
    if (this.isEmpty) return '';
    const { bytes, nameHash: hash } = this;
    let text = '';
    for (;;) {
      const from = this.at;
      let bits = 0;
      let hasEntity = false;
      let byte = bytes[this.at];
      while (byte !== LESS && byte !== undefined) {
        bits |= byte;
        if (byte === AMPERSAND || byte === RETURN) hasEntity = true;
        this.at += 1;
        byte = bytes[this.at];
      }
      const part =
        bits < 0x80
          ? bytes.toString('latin1', from, this.at)
          : bytes.toString('utf8', from, this.at);
      text += hasEntity ? unescaped(part) : part;
      const next = bytes[this.at + 1];
      if (next === SLASH) break;
      if (next !== BANG && next !== QUESTION) throw this.malformed('an element in a text');
      text += this.passMarkup();
    }
    this.at += 2;
    this.endOf(hash);
    return text;
  }

  /** Moves past the next start tag, and true; or past the `</` of the end tag of the element around it, and false. */
  private nextChild(): boolean {
    const { bytes } = this;
    for (;;) {
      let byte = bytes[this.at];
      while (byte !== LESS) {
        if (byte === undefined) throw this.malformed('it ends too early');
        this.at += 1;
        byte = bytes[this.at];
      }
      const next = bytes[this.at + 1];
      if (next === SLASH) {
        this.at += 2;
        return false;
      }
      if (next !== BANG && next !== QUESTION) break;
      this.passMarkup();
    }
    this.at += 1;
    this.readName();
    this.passAttributes();
    return true;
  }

  private readName(): void {
    const { bytes } = this;
    let at = this.at;
    let hash = 0;
    this.nameFrom = at;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) throw this.malformed('it ends in a tag');
      if (byte === GREATER || byte === SLASH || isSpace(byte)) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
      at += 1;
    }
    this.nameHash = hash;
    this.nameTo = at;
    this.at = at;
  }

  private passAttributes(): void {
    const { bytes } = this;
    let quote: number | undefined;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined) throw this.malformed('it ends in a tag');
      this.at += 1;
      if (quote !== undefined) {
        if (byte === quote) quote = undefined;
      } else if (byte === QUOTE || byte === APOSTROPHE) {
        quote = byte;
      } else if (byte === GREATER) {
        this.isEmpty = bytes[this.at - 2] === SLASH;
        return;
      }
    }
  }

  /** Moves past the rest of an end tag, which must be the one of the start tag with this name. */
  private endOf(hash: number): void {
    this.readName();
    if (this.nameHash !== hash) throw this.malformed('an end tag without its start tag');
    this.passAttributes();
  }

  /** Moves past a comment, a declaration, an instruction or a CDATA section; the latter's text is returned. */
  private passMarkup(): string {
    const { bytes } = this;
    const from = this.at;
    if (bytes.toString('latin1', from, from + 9) === '<![CDATA[') {
      const end = this.endAfter(']]>');
      return bytes.toString('utf8', from + 9, end - 3);
    }
    const isComment = bytes.toString('latin1', from, from + 4) === '<!--';
    this.endAfter(isComment ? '-->' : bytes[from + 1] === QUESTION ? '?>' : '>');
    return '';
  }

  private endAfter(mark: string): number {
    const found = this.bytes.indexOf(mark, this.at);
    if (found === -1) throw this.malformed(`${mark} is missing`);
    this.at = found + mark.length;
    return this.at;
  }

  private isName(name: Buffer): boolean {
    const { bytes, nameFrom, nameTo } = this;
    if (nameTo - nameFrom !== name.length) return false;
    for (let i = 0; i < name.length; i += 1) {
      if (bytes[nameFrom + i] !== name[i]) return false;
    }
    return true;
  }

  private malformed(problem: string): MalformedXmlError {
    return new MalformedXmlError(problem, this.at);
  }
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function hashOf(name: Buffer): number {
  return name.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0);
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === TAB || byte === RETURN;
}

/** The text with its entities resolved, and with XML's line ends. An unknown entity stands for nothing. */
function unescaped(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(
      /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z][a-z0-9]{0,30}));/gi,
      (_, hex, decimal, name) => {
        if (hex !== undefined) return codePoint(Number.parseInt(hex, 16));
        if (decimal !== undefined) return codePoint(Number.parseInt(decimal, 10));
        return ENTITIES[name] ?? '';
      },
    );
}

function codePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
