import { MalformedResponseError } from '../kube-errors.js';

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Depths of nesting in a list: its own object is 1, the array of objects 2. */
const [ITEMS, OBJECT, PART, PART_OF_PART] = [2, 3, 4, 5];

const ITEMS_KEY = /"items"\s*:\s*$/;
/** As the API server writes them. */
const METADATA_KEY = Buffer.from('"metadata":');
const MANAGED_FIELDS_KEY = Buffer.from('"managedFields":');

/**
 * Takes a list apart while its bytes arrive, in whatever pieces: `onObject` gets the JSON value of each object
 * immediately, so that the list is never in memory as a whole. Managed fields, up to half of an object, are not parsed.
 */
export class ListDecoder {
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private inItems = false;
  private hadItems = false;
  /** An object has ended, and no comma has come since. */
  private awaitsComma = false;
  /** Bytes of the current object that earlier pieces had. */
  private object: Uint8Array[] = [];
  /** The list without its objects. */
  private readonly shell: Uint8Array[] = [];
  /** Within the metadata of an object, as far as that is known: a key that two chunks share is not seen. */
  private inMetadata = false;
  /** Within the managed fields of an object, whose bytes are left out. */
  private inManagedFields = false;

  constructor(private readonly onObject: (json: unknown) => void) {}

  /** @throws MalformedResponseError */
  push(chunk: Uint8Array): void {
    // Where the bytes to keep begin in this chunk: those of the shell, or of the object.
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.inString) {
        at = this.endOfString(chunk, at);
        continue;
      }
      const byte = chunk[at];
      switch (byte) {
        case QUOTE:
          this.inString = true;
          if (this.inItems && this.depth === ITEMS) throw notObjects();
          break;
        case OPEN_OBJECT:
        case OPEN_ARRAY:
          this.depth += 1;
          if (this.inItems) {
            if (this.depth === OBJECT) {
              if (byte !== OPEN_OBJECT || this.awaitsComma) throw notObjects();
              from = at;
            } else if (this.depth === PART) {
              this.inMetadata = isAfter(METADATA_KEY, chunk, at);
            } else if (
              this.depth === PART_OF_PART &&
              this.inMetadata &&
              isAfter(MANAGED_FIELDS_KEY, chunk, at)
            ) {
              this.object.push(chunk.subarray(from, at + 1));
              this.inManagedFields = true;
            }
          } else if (this.depth === ITEMS && byte === OPEN_ARRAY && !this.hadItems) {
            this.shell.push(chunk.subarray(from, at + 1));
            this.inItems = this.endsWithItemsKey();
            this.hadItems = this.inItems;
            from = at + 1;
          }
          break;
        case CLOSE_OBJECT:
        case CLOSE_ARRAY:
          this.depth -= 1;
          if (!this.inItems) break;
          if (this.inManagedFields) {
            if (this.depth === PART) {
              this.inManagedFields = false;
              from = at;
            }
          } else if (this.depth === ITEMS) {
            this.object.push(chunk.subarray(from, at + 1));
            this.endObject();
          } else if (this.depth === ITEMS - 1) {
            this.inItems = false;
            from = at;
          }
          break;
        case COMMA:
          if (this.depth === ITEMS) this.awaitsComma = false;
          break;
        default:
          if (this.inItems && this.depth === ITEMS && !isSpace(byte)) throw notObjects();
      }
    }
    if (!this.inItems) this.shell.push(chunk.subarray(from));
    else if (this.depth > ITEMS && !this.inManagedFields) this.object.push(chunk.subarray(from));
  }

  /**
   * The list's JSON value, with no objects in it.
   * @throws MalformedResponseError where the list is not complete
   */
  end(): unknown {
    return parsed(this.shell);
  }

  /** Where the string ends in which `from` is: at its quote, or beyond the chunk. Most bytes are within strings. */
  private endOfString(chunk: Uint8Array, from: number): number {
    let { isEscaped } = this;
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) {
        this.inString = false;
        break;
      }
    }
    this.isEscaped = isEscaped;
    return at;
  }

  private endObject(): void {
    const pieces = this.object;
    this.object = [];
    this.awaitsComma = true;
    this.onObject(parsed(pieces));
  }

  private endsWithItemsKey(): boolean {
    const text = Buffer.concat(this.shell).toString('latin1').slice(0, -1);
    return ITEMS_KEY.test(text);
  }
}

/** Whether the key stands right before that place. */
function isAfter(key: Uint8Array, chunk: Uint8Array, at: number): boolean {
  const start = at - key.length;
  return start >= 0 && key.every((byte, index) => chunk[start + index] === byte);
}

function parsed(pieces: readonly Uint8Array[]): unknown {
  const [first] = pieces;
  const bytes =
    pieces.length === 1 && first
      ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
      : Buffer.concat(pieces);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new MalformedResponseError('The response is not JSON', { cause });
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function notObjects(): MalformedResponseError {
  return new MalformedResponseError('The items of a list are not all objects');
}
