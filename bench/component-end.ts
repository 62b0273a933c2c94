import { ComponentEndedError, type ComponentProcess } from '../tools/stage/component-process.js';

const SHOWN_LINES = 10;

/**
 * Aborts with a {@link ComponentEndedError} when a component that is measured ends.
 * @param name as a sentence begins with it: `The controller`
 */
export function endOf(component: ComponentProcess, name: string): AbortSignal {
  const ended = new AbortController();
  void component.ended().then((code) => {
    ended.abort(
      new ComponentEndedError(name, { code, lines: component.lines.slice(-SHOWN_LINES) }),
    );
  });
  return ended.signal;
}
