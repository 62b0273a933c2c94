import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import { printable } from '../printable-text.js';
import { microTime } from './conditions.js';
import type { KubeClient } from './kube-client.js';
import { apiVersionOf, type KindClass, type KubeObject, type ResourceType } from './resource.js';

/** The object that an Event is about; objects in stores do not contain their kind. */
export interface Regarding {
  kind: Pick<KindClass, 'resource'>;
  object: KubeObject;
}

/** The content of an Event. */
export interface EventDetails {
  type: 'Normal' | 'Warning';
  /** Why, as one CamelCase word; up to 128 characters. */
  reason: string;
  /** The action taken or attempted, as one CamelCase word; up to 128 characters. */
  action: string;
  /** For people; cut at 1,024 bytes. */
  note: string;
}

/**
 * Reports to users what happens to their objects. Best effort: it never throws and never blocks the caller.
 */
export interface EventRecorder {
  event(regarding: Regarding, details: EventDetails): void;
}

export interface KubeEventRecorderOptions {
  client: KubeClient;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  /** A qualified name: `example.com/controller`. */
  reportingController: string;
  /** For example, the pod's name. */
  reportingInstance: string;
  /** Events that may wait to be sent; beyond that, new ones are dropped. Default: 256. */
  maxPending?: number;
}

/** events.k8s.io/v1: validation refuses longer notes. */
const MAX_NOTE_BYTES = 1_024;
/** Leaves room for the suffix within the 253 characters of an object's name. */
const MAX_NAME_PREFIX = 220;
/** client-go's event recorder: repeats within 6 minutes are one series. */
const SERIES_MS = 360_000;
/** A continuing series is written at most this often. */
const SERIES_WRITE_MS = 60_000;
/** Distinct events whose repeats are recognized. */
const MAX_SERIES = 1_024;

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** core/v1 ObjectReference. */
interface ObjectReference {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
}

interface Series {
  name: string;
  namespace: string;
  count: number;
  lastSeen: number;
  lastWritten: number;
}

/** Records events.k8s.io/v1 Events. An Event repeated soon increments the count of its series. */
export class KubeEventRecorder implements EventRecorder {
  private readonly series = new Map<string, Series>();
  private readonly pending: (() => Promise<unknown>)[] = [];
  private sending: Promise<void> | undefined;
  private dropping = false;

  private constructor(private readonly options: KubeEventRecorderOptions) {}

  static create(options: KubeEventRecorderOptions): KubeEventRecorder {
    return new KubeEventRecorder(options);
  }

  event({ kind, object }: Regarding, details: EventDetails): void {
    const regarding = referenceTo(object, kind.resource);
    const now = this.options.clock.now();
    const identity = identityOf(regarding, details);
    const series = this.series.get(identity);
    if (series !== undefined && now - series.lastSeen < SERIES_MS) this.repeat(series, now);
    else this.begin(identity, regarding, details);
  }

  /**
   * Resolves once all Events recorded so far have been sent or refused.
   * @param withinMs the longest wait, in milliseconds: Events do not justify a longer delay of a stop.
   */
  async flush(withinMs = 5_000): Promise<void> {
    if (this.sending === undefined) return;
    const outOfTime = Promise.withResolvers<void>();
    const timer = this.options.clock.after(withinMs, outOfTime.resolve);
    await Promise.race([this.sending, outOfTime.promise]);
    timer.cancel();
  }

  private begin(identity: string, regarding: ObjectReference, details: EventDetails): void {
    const { client, clock, random, reportingController, reportingInstance } = this.options;
    const now = clock.now();
    // Events about cluster-scoped objects are in `default` (required by the API server).
    const { name, namespace = 'default' } = regarding;
    const suffix = `${now.toString(16)}${Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0')}`;
    const series: Series = {
      name: `${name.slice(0, MAX_NAME_PREFIX)}.${suffix}`,
      namespace,
      count: 1,
      lastSeen: now,
      lastWritten: now,
    };
    this.remember(identity, series);
    const body = {
      metadata: { name: series.name, namespace },
      eventTime: microTime(now),
      reportingController,
      reportingInstance,
      regarding,
      ...details,
      note: cutToBytes(printable(details.note), MAX_NOTE_BYTES),
    };
    this.enqueue(() => client.create(EVENTS, body));
  }

  private repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastSeen = now;
    const firstRepeat = series.count === 2;
    if (!firstRepeat && now - series.lastWritten < SERIES_WRITE_MS) return;
    series.lastWritten = now;
    const body = { series: { count: series.count, lastObservedTime: microTime(now) } };
    this.enqueue(() => this.options.client.patch(EVENTS, series, { type: 'merge', body }));
  }

  private remember(identity: string, series: Series): void {
    this.series.delete(identity);
    this.series.set(identity, series);
    if (this.series.size <= MAX_SERIES) return;
    const [oldest] = this.series.keys();
    if (oldest !== undefined) this.series.delete(oldest);
  }

  private enqueue(send: () => Promise<unknown>): void {
    const { maxPending = 256, logger } = this.options;
    if (this.pending.length >= maxPending) {
      if (!this.dropping) logger.warn('Too many Events wait to be sent; dropping new ones');
      this.dropping = true;
      return;
    }
    this.dropping = false;
    this.pending.push(send);
    this.sending ??= this.sendAll();
  }

  private async sendAll(): Promise<void> {
    // Wait until `sending` holds this promise: the end of this function unsets it.
    await Promise.resolve();
    for (let send = this.pending.shift(); send !== undefined; send = this.pending.shift()) {
      try {
        await send();
      } catch (error) {
        this.options.logger.warn('An Event could not be recorded', { error });
      }
    }
    this.sending = undefined;
  }
}

function identityOf({ uid }: ObjectReference, details: EventDetails): string {
  return JSON.stringify([uid, details.type, details.reason, details.action, details.note]);
}

function referenceTo({ metadata }: KubeObject, resource: ResourceType): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
  };
}

/** The longest prefix of `text` that fits, cut between characters. */
function cutToBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes;
  // 10xxxxxx: the byte continues a character.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return encoded.toString('utf8', 0, end);
}
