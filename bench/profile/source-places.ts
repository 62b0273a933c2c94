import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapping } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallFrame } from './cpu-profile.js';

/** A function as it is in the source. */
export interface SourcePlace {
  name: string;
  /** A path from the working directory, or Node's own module as `node:…`; undefined: V8's or Node's native code. */
  file?: string;
  /** Counts from 1. */
  line?: number;
}

/** What the types of Node leave out: the source's name for it, where the bundle has another. */
type NamedMapping = SourceMapping & { name?: string };

/** Finds functions of a minified bundle in its sources, by the source maps that lie beside its files. */
export class SourcePlaces {
  /** By the bundle's file; null: it has no map. */
  private readonly maps = new Map<string, SourceMap | null>();

  of({ functionName, url, lineNumber, columnNumber }: CallFrame): SourcePlace {
    if (url === '') return { name: functionName || '(anonymous)' };
    if (!url.startsWith('file:')) {
      return { name: functionName || '(anonymous)', file: url, line: lineNumber + 1 };
    }
    const file = fileURLToPath(url);
    const entry = this.mapOf(file)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !('originalSource' in entry)) {
      return {
        name: functionName || '(anonymous)',
        file: relative('.', file),
        line: lineNumber + 1,
      };
    }
    return {
      name: (entry as NamedMapping).name ?? (functionName || '(anonymous)'),
      file: relative('.', resolve(dirname(file), entry.originalSource)),
      line: entry.originalLine + 1,
    };
  }

  private mapOf(file: string): SourceMap | null {
    let map = this.maps.get(file);
    if (map === undefined) {
      map = readMap(`${file}.map`);
      this.maps.set(file, map);
    }
    return map;
  }
}

function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
