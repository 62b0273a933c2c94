import type { Logger } from '../logger.js';
import type { SourceEvent } from './source.js';

export type EventHandler<T> = (event: SourceEvent<T>) => void;

export interface PublisherOptions<T> {
  logger: Logger;
  /** The fields that identify an object in the log. */
  fieldsOf: (object: T) => Record<string, unknown>;
}

/**
 * The handlers of one source. An error that a handler throws is logged, and the other handlers still receive
 * the event.
 */
export class Publisher<T> {
  private readonly handlers: EventHandler<T>[] = [];

  constructor(private readonly options: PublisherOptions<T>) {}

  subscribe(handler: EventHandler<T>): void {
    this.handlers.push(handler);
  }

  publish(event: SourceEvent<T>): void {
    for (const handler of this.handlers) this.deliver(handler, event);
  }

  /** Passes an event to one handler only, such as the current state to a late subscriber. */
  deliver(handler: EventHandler<T>, event: SourceEvent<T>): void {
    try {
      handler(event);
    } catch (error) {
      const { logger, fieldsOf } = this.options;
      logger.error('Event handler failed', { ...fieldsOf(event.object), type: event.type, error });
    }
  }
}
