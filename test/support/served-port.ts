import type { ControllerProcess } from '../../tools/stage/controller-process.js';
import { eventually } from './eventually.js';

/** The port on which a process with an address such as `127.0.0.1:0` serves, once it does. */
export function servedPort(
  process: Pick<ControllerProcess, 'log'>,
  serves: 'metrics' | 'health',
): Promise<number> {
  return eventually(() => {
    const line = process.log.find((each) => each.msg === 'Serving' && each.serves === serves);
    if (typeof line?.port !== 'number') throw new Error(`${serves} is not served`);
    return line.port;
  });
}
