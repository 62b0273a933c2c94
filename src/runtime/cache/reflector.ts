import { type Clock, sleep } from '../clock.js';
import type { KubeClient, Selection, WatchEvent } from '../kube/kube-client.js';
import { isGone, KubeApiError, MalformedResponseError } from '../kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../kube/resource.js';
import type { Logger } from '../logger.js';
import type { ListRound } from './object-cache.js';
import { isNewer } from './object-cache.js';
import { RetryDelays } from './retry-delays.js';
import { SilentWatchError, Watchdog } from './watchdog.js';

/** Where a reflector puts the objects it receives; an `ObjectCache` fits. */
interface ReflectorTarget<T> {
  /** The newest resourceVersion known, including those of own writes; empty if none is. */
  readonly newestVersion: string;
  requestList(): void;
  startList(resourceVersion: string): ListRound<T>;
  observe(event: WatchEvent<T>): void;
}

export interface ReflectorOptions<T> {
  resource: ResourceType;
  selection: Selection;
  client: KubeClient;
  target: ReflectorTarget<T>;
  clock: Clock;
  random: () => number;
  logger: Logger;
  pageSize: number;
  /** Maps each listed object to what the target gets. */
  map?: ((object: T) => T) | undefined;
  /** A watch without any event or bookmark for longer than this is aborted, in milliseconds. */
  silenceMs: number;
  /** Called for each first page of a list. */
  onAnswered: () => void;
  /** Called once the first list is complete. */
  onSynced: () => void;
}

/** As client-go's reflector, 5 to 10 minutes, so that the watches of many clients end at different times. */
const MIN_WATCH_SECONDS = 300;

/**
 * A stream that breaks or ends early is resumed within this time of its end, in milliseconds. After a longer
 * gap, the API server may have restarted on a restored etcd whose versions have overtaken the known ones: the
 * reflector then lists again.
 */
const MAX_RESUME_GAP_MS = 10_000;

/** Past its latest expected activity by this much, a reflector counts as stuck, in milliseconds. */
const STUCK_MARGIN_MS = 60_000;

/** A stream that ends sooner than this, and empty, counts as a failure (client-go: "very short watch"). */
const SHORT_WATCH_MS = 1_000;

/** The watch ended immediately and without an event. */
class ShortWatchError extends Error {
  override name = 'ShortWatchError';
}

/** The API server's state is older than what it sent before: its history was rewritten. */
class HistoryRewrittenError extends Error {
  override name = 'HistoryRewrittenError';
}

/**
 * Keeps a target equal to the API server's objects: one list, then a watch from there on, until it is
 * stopped. A watch that ends at its timeout resumes at the last resourceVersion. A broken one resumes only if
 * the API server's history has not gone back, as it does when etcd is restored: the API server accepts a
 * future version and sends nothing. If that cannot be verified, it lists again (ADR 14).
 */
export class Reflector<T extends KubeObject> {
  private readonly delays: RetryDelays;
  /** The resourceVersion at which the watch resumes; undefined: start with a new list. */
  private resumeAt: string | undefined;
  /**
   * When the stream broke or ended early, if nothing since then proves that history is intact; undefined: no
   * doubt.
   */
  private brokeAt: number | undefined;
  private synced = false;
  /** The failure that was last logged; undefined while healthy. */
  private failing: string | undefined;
  private refusedBy: KubeApiError | undefined;
  /** The latest time of its next activity; undefined before it runs. */
  private moveDueAt: number | undefined;

  private constructor(private readonly options: ReflectorOptions<T>) {
    this.delays = new RetryDelays(options.random);
  }

  static create<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
    return new Reflector(options);
  }

  /**
   * Whether it has stopped listing and watching, which its own time limits should make impossible. It is not
   * stuck while the API server is unavailable: it keeps retrying.
   */
  get isStuck(): boolean {
    return this.moveDueAt !== undefined && this.options.clock.now() > this.moveDueAt;
  }

  /**
   * The response by which the API server refuses to list or watch (404: it does not serve the kind);
   * undefined if it does not refuse.
   */
  get refusal(): KubeApiError | undefined {
    return this.refusedBy;
  }

  /** Runs until `signal` aborts; retries through outages of the API server. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.moving(this.options.silenceMs);
      try {
        if (this.brokeAt !== undefined) await this.checkHistory(this.brokeAt, signal);
        if (this.resumeAt === undefined) await this.list(signal);
        else await this.watch(this.resumeAt, signal);
      } catch (error) {
        if (!signal.aborted) await this.recoverFrom(error, signal);
      }
    }
  }

  /**
   * resourceVersion is left unset: the most recent state. The list is then never older than what was seen
   * before, whichever API server answers, and it is paged; `0` may go back in time, and returns the server's
   * whole cache in one response, whatever the limit.
   */
  private async list(signal: AbortSignal): Promise<void> {
    const { resource, selection, client, target, pageSize, map, logger } = this.options;
    let round: ListRound<T> | undefined;
    let next: string | undefined;
    let resourceVersion = '';
    target.requestList();
    do {
      const page = await client.list<T>(resource, {
        ...selection,
        limit: pageSize,
        continue: next,
        map,
        signal,
      });
      this.moving(this.options.silenceMs);
      if (round === undefined) {
        this.options.onAnswered();
        resourceVersion = page.resourceVersion;
        round = target.startList(resourceVersion);
      }
      round.add(page.items);
      next = page.continue;
    } while (next !== undefined);
    round.finish();
    if (round.historyChanged && this.synced) {
      logger.warn(
        'The API server returned an older history, as after a restore of etcd; listed again',
        {
          resourceVersion,
        },
      );
    }
    this.resumeAt = resourceVersion;
    this.brokeAt = undefined;
    this.logRecovery();
    if (this.synced) return;
    this.synced = true;
    this.options.onSynced();
  }

  /**
   * Checks that the API server still has what it sent: its most recent version, read by a list of one object,
   * is no older than the known one. After a longer gap, new versions may have overtaken the old ones: only a
   * full list detects that.
   * @throws HistoryRewrittenError if history went back
   */
  private async checkHistory(brokeAt: number, signal: AbortSignal): Promise<void> {
    const { resource, selection, client, clock, target } = this.options;
    if (clock.now() - brokeAt > MAX_RESUME_GAP_MS) this.resumeAt = undefined;
    if (this.resumeAt === undefined) return;
    const known = target.newestVersion;
    let resourceVersion: string;
    try {
      ({ resourceVersion } = await client.list<T>(resource, { ...selection, limit: 1, signal }));
    } catch (error) {
      this.resumeAt = undefined;
      throw error;
    }
    if (isNewer(known, resourceVersion)) throw new HistoryRewrittenError('History went back');
    this.brokeAt = undefined;
  }

  private async watch(from: string, signal: AbortSignal): Promise<void> {
    const { resource, selection, client, clock, random, target, silenceMs } = this.options;
    const watchdog = new Watchdog(clock, silenceMs);
    const startedAt = clock.now();
    const timeoutSeconds = Math.floor(MIN_WATCH_SECONDS * (1 + random()));
    let last = from;
    try {
      const events = client.watch<T>(resource, {
        ...selection,
        resourceVersion: from,
        timeoutSeconds,
        signal: AbortSignal.any([signal, watchdog.signal]),
      });
      for await (const event of events) {
        watchdog.active();
        this.moving(silenceMs);
        const version = versionOf(event);
        if (isNewer(last, version)) throw new HistoryRewrittenError('The watch went back in time');
        target.observe(event);
        last = version;
        this.resumeAt = version;
        this.healthy();
      }
    } finally {
      watchdog.stop();
    }
    const lastedMs = clock.now() - startedAt;
    if (lastedMs < timeoutSeconds * 1_000) this.brokeAt = clock.now();
    if (last === from && lastedMs < SHORT_WATCH_MS) {
      throw new ShortWatchError('The watch ended immediately and without an event');
    }
    this.healthy();
  }

  private async recoverFrom(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.options;
    this.brokeAt ??= clock.now();
    if (!canResume(error)) this.resumeAt = undefined;
    const needsNewList = isGone(error) || error instanceof HistoryRewrittenError;
    if (isGone(error)) {
      // Expected after a long outage; the list that follows repairs it.
      logger.debug('History has been compacted; listing again', { error });
    } else if (!needsNewList) {
      this.unhealthy(error);
    }
    const delayMs = this.delays.after(error, { needsNewList });
    this.moving(delayMs);
    if (delayMs > 0) await sleep(clock, delayMs, signal).catch(() => undefined);
  }

  /** Its next activity follows within `waitsMs` milliseconds. */
  private moving(waitsMs: number): void {
    this.moveDueAt = this.options.clock.now() + waitsMs + STUCK_MARGIN_MS;
  }

  /**
   * The watch has made progress. (A list alone is not progress: if each watch failed after it, this would
   * loop without a delay.)
   */
  private healthy(): void {
    this.delays.reset();
    this.logRecovery();
  }

  private logRecovery(): void {
    this.refusedBy = undefined;
    if (this.failing === undefined) return;
    this.failing = undefined;
    this.options.logger.info('List and watch recovered');
  }

  /** Logs a change of state, not each attempt. */
  private unhealthy(error: unknown): void {
    const kind =
      error instanceof KubeApiError ? error.reason : error instanceof Error ? error.name : 'Error';
    this.refusedBy = isRefusal(error) ? error : undefined;
    if (this.failing === kind) return;
    this.failing = kind;
    this.options.logger.warn('List or watch failed; retrying', { error });
  }
}

function versionOf<T extends KubeObject>(event: WatchEvent<T>): string {
  return event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
}

/**
 * The API server works and refuses the request: it does not serve the kind, or this process lacks the right.
 */
function isRefusal(error: unknown): error is KubeApiError {
  return error instanceof KubeApiError && error.status < 500 && error.status !== 429;
}

/** False if the same resourceVersion would fail again, or if the events since then are in doubt. */
function canResume(error: unknown): boolean {
  return !(
    isGone(error) ||
    error instanceof MalformedResponseError ||
    error instanceof HistoryRewrittenError ||
    error instanceof SilentWatchError
  );
}
