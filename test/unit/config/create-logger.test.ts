import { expect } from 'chai';
import { createLogger } from '../../../src/config/create-logger.js';

const MESSAGE = Symbol.for('message');

/** The line that one entry becomes. */
function lineOf(level: 'error' | 'warn', fields: Record<string, unknown>): string {
  const logger = createLogger({ logLevel: 'info', logFormat: 'json' });
  for (const transport of logger.transports) transport.silent = true;
  let line = '';
  logger.on('data', (info: Record<symbol, string>) => {
    line = info[MESSAGE] ?? '';
  });
  logger[level]('Something failed', fields);
  return line;
}

describe('createLogger', () => {
  const error = new TypeError('no', { cause: new Error('deeper') });

  it('writes an error as one line with its causes, and its stack at level error', () => {
    const entry = JSON.parse(lineOf('error', { error }));
    expect(entry).to.include({
      level: 'error',
      msg: 'Something failed',
      error: 'TypeError: no; caused by Error: deeper',
    });
    expect(entry.stack).to.match(/^TypeError: no\n +at /);
  });

  it('leaves the stack out of a warning', () => {
    const entry = JSON.parse(lineOf('warn', { error }));
    expect(entry.error).to.equal('TypeError: no; caused by Error: deeper');
    expect(entry).not.to.have.property('stack');
  });

  it('writes what is not an Error as text', () => {
    expect(JSON.parse(lineOf('warn', { error: 'gone' })).error).to.equal('gone');
  });
});
