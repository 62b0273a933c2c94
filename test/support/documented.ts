import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** The blocks of code in a language that a page of the documentation shows. */
export async function codeBlocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  // A block in a list is indented, and so are its fences.
  const blocks = text.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms);
  return [...blocks]
    .filter(([, , found]) => found === language)
    .map(([, indent = '', , content = '']) =>
      content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
}

/** The one object of a kind that a page of the documentation shows. @throws Error unless there is one */
export async function documentedObject<T>(page: string, kind: string): Promise<T> {
  const objects = (await codeBlocks(page, 'yaml')).map(
    (block) => parse(block) as { kind?: string },
  );
  const [found, ...others] = objects.filter((object) => object.kind === kind);
  if (!found || others.length > 0) throw new Error(`${page} does not show one ${kind}`);
  return found as T;
}
