import { isNotFound } from '../../src/runtime/kube/kube-errors.js';

/** Awaits a write to an object that may be gone already. @throws what the write throws otherwise */
export async function ignoringNotFound(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
}
