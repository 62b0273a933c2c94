/** Something that is downloaded or built from others' sources is not available here: it says nothing about the project. */
export class PrerequisiteError extends Error {
  override readonly name = 'PrerequisiteError';
}

/** @throws PrerequisiteError where `make` fails, in one line */
export async function prerequisite<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const lines = String(error instanceof Error ? error.message : error)
      .trim()
      .split('\n');
    throw new PrerequisiteError(`${what} cannot be made (${lines.at(-1)})`, { cause: error });
  }
}
