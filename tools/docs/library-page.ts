import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitDeclarations } from '../npm-package/declarations.js';

/** One exported declaration, or one member of a class. */
interface Declared {
  name: string;
  /** Its comment as text. */
  text: string;
  /** As TypeScript writes it, without the comment. */
  code: string;
}

const COMMENT = /^\s*\/\*\*[\s\S]*?\*\/\n/;
const EXPORTED = /^export (?:declare )?(?:abstract )?(class|interface|type|const) (\w+)/;

/**
 * The reference of the library, from its declarations. (TypeDoc would need a TypeScript compiler with an API for
 * programs, up to 6.0; this project compiles with 7.)
 */
export async function libraryPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eni-operator-types-'));
  try {
    await emitDeclarations(folder);
    const exported = await exportedNames(folder);
    const all = (await declarationsIn(folder)).filter(({ name }) => exported.includes(name));
    all.sort((a, b) => exported.indexOf(a.name) - exported.indexOf(b.name));
    return page(all);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function page(all: readonly Declared[]): string {
  const manager = all.filter(({ name }) => name === 'ENIManager');
  const isError = ({ code }: Declared) => /class \w+ extends/.test(code);
  const errors = all.filter((each) => isError(each) || each.name === 'Ec2Error');
  const others = all.filter((each) => !manager.includes(each) && !errors.includes(each));
  return [
    '# Library: reference',
    'Generated from the declarations of the package. [The library](../library.md) says how to use it.',
    ...manager.flatMap(({ name, text, code }) => [
      `## ${name}`,
      text,
      ...membersOf(code).map((member) => section('###', member)),
    ]),
    '## Requests, options and results',
    ...others.map((each) => section('###', each)),
    '## Errors',
    ...errors.map((each) => section('###', each)),
    '',
  ].join('\n\n');
}

function section(level: string, { name, text, code }: Declared): string {
  return [`${level} ${name}`, text, `\`\`\`ts\n${code}\n\`\`\``].filter(Boolean).join('\n\n');
}

/** The names that the entry exports, in its order. */
async function exportedNames(folder: string): Promise<string[]> {
  const entry = await readFile(join(folder, 'index.d.ts'), 'utf8');
  const names: string[] = [];
  for (const [, list, path = ''] of entry.matchAll(
    /^export (?:type )?(?:\{([^}]*)\}|\*) from '\.\/(.*)\.js';$/gm,
  )) {
    const listed = list?.split(',').map((name) => name.trim().replace(/^type /, ''));
    names.push(
      ...(listed ?? declarations(await readFile(join(folder, `${path}.d.ts`), 'utf8')).map(nameOf)),
    );
  }
  return names.filter(Boolean);
}

async function declarationsIn(folder: string): Promise<Declared[]> {
  const files = (await readdir(folder, { recursive: true })).filter((path) =>
    path.endsWith('.d.ts'),
  );
  const texts = await Promise.all(files.map((path) => readFile(join(folder, path), 'utf8')));
  return texts.flatMap(declarations);
}

/** The exported declarations of a file. Each begins, with its comment, at the start of a line. */
function declarations(file: string): Declared[] {
  const parts = file.split(/^(?=\/\*\*|(?:export|import|declare|interface|type) )/m);
  return parts.flatMap((part, index) => {
    const [, , name] = EXPORTED.exec(part) ?? [];
    const before = parts[index - 1] ?? '';
    const comment = COMMENT.test(before) ? before : '';
    return name === undefined
      ? []
      : [{ name, text: textOf(comment), code: part.replace(/^export (declare )?/, '').trim() }];
  });
}

/** The public members of a class, with the constructor only if it is public. */
function membersOf(code: string): Declared[] {
  const body = code.slice(code.indexOf('{\n') + 2, code.lastIndexOf('}'));
  const members = body.split(/;\n(?= {4}[\w/])/).map((member) => member.replace(/;\s*$/, ''));
  return members.flatMap((member) => {
    const [comment = ''] = COMMENT.exec(member) ?? [];
    const signature = member.slice(comment.length).trim().replaceAll(/^ {4}/gm, '');
    const [, name] = /^(?:static )?(\w+)/.exec(signature) ?? [];
    return name === undefined || signature.startsWith('private')
      ? []
      : [{ name, text: textOf(comment), code: signature }];
  });
}

function nameOf({ name }: Declared): string {
  return name;
}

/** A comment as Markdown: its links as code, each tag as a paragraph of its own. */
function textOf(comment: string): string {
  return comment
    .replaceAll(/^\s*\/\*\*\s?|\s*\*\/\s*$/g, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/\s*@returns /g, '\n\nReturns ')
    .replaceAll(/\s*@throws /g, '\n\nThrows ')
    .replaceAll(/([^\n])\n(?!\n)/g, '$1 ')
    .trim();
}
