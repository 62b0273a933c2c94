import { readFile } from 'node:fs/promises';

/** What a container of the image starts with, and as whom, as the Dockerfile says. */
export interface ImageConfig {
  entrypoint: string[];
  cmd: string[];
  env: Record<string, string>;
  user: string;
}

/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  keyword: string;
  text: string;
  /** Name of the stage that it belongs to, else what that is made from. */
  stage: string;
}

export async function readDockerfile(path = 'Dockerfile'): Promise<Instruction[]> {
  const lines = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '');
  let stage = '';
  return lines.map((line) => {
    const [keyword = '', ...rest] = line.split(' ');
    const text = rest.join(' ');
    if (keyword === 'FROM') {
      stage = / AS (\S+)$/.exec(text)?.[1] ?? text;
    }
    return { keyword, text, stage };
  });
}

/** Of the stage that is shipped. */
export async function readImageConfig(): Promise<ImageConfig> {
  const instructions = (await readDockerfile()).filter(({ stage }) => stage === 'runtime');
  const textOf = (keyword: string): string => {
    const found = instructions.find((each) => each.keyword === keyword);
    if (!found) throw new Error(`The image's stage has no ${keyword}`);
    return found.text;
  };
  return {
    entrypoint: JSON.parse(textOf('ENTRYPOINT')) as string[],
    cmd: JSON.parse(textOf('CMD')) as string[],
    env: Object.fromEntries(
      textOf('ENV')
        .split(/\s+/)
        .map((pair) => pair.split('=') as [string, string]),
    ),
    user: textOf('USER'),
  };
}
