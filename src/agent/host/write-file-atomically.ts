import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the name of a temporary file ends in. It starts with a full stop, so that programs ignore it. */
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Writes a file that every user can read: a reader sees the whole file or none. A link that another program put in the
 * place of the temporary file is not followed.
 */
export async function writeFileAtomically(
  dir: string,
  name: string,
  content: string,
): Promise<void> {
  const temporary = join(dir, `.${name}${TEMPORARY_SUFFIX}`);
  await rm(temporary, { force: true });
  await writeFile(temporary, content, { mode: 0o644, flag: 'wx' });
  await rename(temporary, join(dir, name));
}
