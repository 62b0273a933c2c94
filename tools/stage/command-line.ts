import { InvalidArgumentError } from 'commander';

/** A commander argument: a whole number above 0. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!(Number.isSafeInteger(number) && number > 0)) {
    throw new InvalidArgumentError('It must be a whole number above 0.');
  }
  return number;
}

/** Aborts at the first Ctrl-C or SIGTERM, so that no process stays behind. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new Error(`Ended by ${signal}`)));
  }
  return controller.signal;
}
