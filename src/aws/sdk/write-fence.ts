import type { EC2Client } from '@aws-sdk/client-ec2';

/** A write was not sent, because another process may be in charge by now. */
export class FencedError extends Error {
  override name = 'FencedError';

  constructor(command: string) {
    super(`${command} was not sent: this process does not lead`);
  }
}

/** Commands that change nothing; whatever else there is counts as a write. */
const READ = /^Describe/;

/**
 * From now on each write asks `mayWrite` as the last thing before it goes to the HTTP handler: after its
 * credentials were fetched and it was signed, however long that took. Where the answer is no, the call fails
 * with a {@link FencedError}, and nothing was sent.
 */
export function fenceWrites(client: EC2Client, mayWrite: () => boolean): void {
  client.middlewareStack.add(
    (next, { commandName = 'A command' }) =>
      (args) => {
        if (!READ.test(commandName) && !mayWrite()) throw new FencedError(commandName);
        return next(args);
      },
    // `deserialize` is the step next to the handler, and low priority its innermost place.
    { name: 'fenceWrites', step: 'deserialize', priority: 'low' },
  );
}
