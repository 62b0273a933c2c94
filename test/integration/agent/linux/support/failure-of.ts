import { HostNetworkError } from '../../../../../src/agent/host/host-network.js';

/** What the operation is rejected with. @throws Error where it succeeds */
export async function failureOf(operation: Promise<unknown>): Promise<HostNetworkError> {
  try {
    await operation;
  } catch (error) {
    if (error instanceof HostNetworkError) return error;
    throw error;
  }
  throw new Error('The operation has succeeded');
}
