import { type Clock, sleep, type Timer } from '../clock.js';
import { ExponentialBackoff } from '../concurrency/backoff.js';
import type { KubeClient, Selection, WatchEvent } from '../kube/kube-client.js';
import { isGone, KubeApiError, MalformedAnswerError } from '../kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../kube/resource.js';
import type { Logger } from '../logger.js';
import type { ListRound } from './object-cache.js';
import { isNewer } from './object-cache.js';

/** Where a reflector puts what it hears; a `ObjectCache` fits. */
interface ReflectorTarget<T> {
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
  /** A watch silent for longer than this is cut, in milliseconds. */
  silenceMs: number;
  /** Called once the first list is complete. */
  onSynced: () => void;
}

/** client-go's reflector asks for 5 to 10 minutes, so that the watches of many clients end apart. */
const MIN_WATCH_SECONDS = 300;

/** client-go's reflector: 0.8 s, doubled up to 30 s, up to twice that by jitter. */
const BACKOFF = { baseMs: 800, maxMs: 30_000, jitter: 1 };

/** Beyond what it waits for, a reflector that has not moved for so long will not move again, in milliseconds. */
const STUCK_MARGIN_MS = 60_000;

/** A stream that ends sooner and empty is a failure in disguise (client-go: "very short watch"). */
const SHORT_WATCH_MS = 1_000;

/** The watch said nothing, not even by a bookmark: the connection is dead, whatever TCP believes. */
class SilentWatchError extends Error {
  override name = 'SilentWatchError';
}

/** The watch ended at once and without an event. */
class ShortWatchError extends Error {
  override name = 'ShortWatchError';
}

/** The watch went back in time: the server's history was rewritten. */
class HistoryRewrittenError extends Error {
  override name = 'HistoryRewrittenError';
}

/**
 * Keeps a target equal to what the API server has: one list, then a watch from there on, for ever. Each end
 * of the stream resumes at the last resourceVersion; only where that cannot be trusted is the list read anew.
 */
export class Reflector<T extends KubeObject> {
  private readonly backoff: ExponentialBackoff;
  /** Where the watch resumes; undefined: by a new list. */
  private resumeAt: string | undefined;
  private synced = false;
  /** The failure that was last logged; undefined while all is well. */
  private failing: string | undefined;
  /** When it will have moved at the latest; undefined before it runs. */
  private moveDueAt: number | undefined;

  private constructor(private readonly options: ReflectorOptions<T>) {
    this.backoff = ExponentialBackoff.create({ ...BACKOFF, random: options.random });
  }

  static create<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
    return new Reflector(options);
  }

  /**
   * Whether it has ceased to list and watch, which its own time limits should make impossible. An API server
   * that is away does not make it so: it tries again.
   */
  get isStuck(): boolean {
    return this.moveDueAt !== undefined && this.options.clock.now() > this.moveDueAt;
  }

  /** Runs until `signal` aborts; outages of the API server are outlived. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.moving(this.options.silenceMs);
      try {
        if (this.resumeAt === undefined) await this.list(signal);
        else await this.watch(this.resumeAt, signal);
      } catch (error) {
        if (!signal.aborted) await this.recoverFrom(error, signal);
      }
    }
  }

  /**
   * resourceVersion is left unset: the most recent state. The list is then never older than what was seen
   * before, from whichever API server it comes, and it is paged; `0` may go back in time, and is answered
   * from the server's cache in one piece, whatever the limit.
   */
  private async list(signal: AbortSignal): Promise<void> {
    const { resource, selection, client, target, pageSize } = this.options;
    let round: ListRound<T> | undefined;
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const page = await client.list<T>(resource, {
        ...selection,
        limit: pageSize,
        continue: next,
        signal,
      });
      this.moving(this.options.silenceMs);
      if (round === undefined) {
        resourceVersion = page.resourceVersion;
        round = target.startList(resourceVersion);
      }
      round.add(page.items);
      next = page.continue;
    } while (next !== undefined);
    round.finish();
    this.resumeAt = resourceVersion;
    this.logRecovery();
    if (this.synced) return;
    this.synced = true;
    this.options.onSynced();
  }

  private async watch(from: string, signal: AbortSignal): Promise<void> {
    const { resource, selection, client, clock, random, target, silenceMs } = this.options;
    const watchdog = new Watchdog(clock, silenceMs);
    const startedAt = clock.now();
    let last = from;
    try {
      const events = client.watch<T>(resource, {
        ...selection,
        resourceVersion: from,
        timeoutSeconds: Math.floor(MIN_WATCH_SECONDS * (1 + random())),
        signal: AbortSignal.any([signal, watchdog.signal]),
      });
      for await (const event of events) {
        watchdog.heard();
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
    if (last === from && clock.now() - startedAt < SHORT_WATCH_MS) {
      throw new ShortWatchError('The watch ended at once and without an event');
    }
    this.healthy();
  }

  private async recoverFrom(error: unknown, signal: AbortSignal): Promise<void> {
    if (!canResume(error)) this.resumeAt = undefined;
    if (isGone(error)) {
      // Expected after a long outage, and cured by the list that follows.
      this.options.logger.debug('History has been compacted; listing anew', {
        error,
      });
    } else {
      this.unhealthy(error);
    }
    const askedMs = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(this.backoff.next('list-watch'), askedMs);
    this.moving(delayMs);
    await sleep(this.options.clock, delayMs, signal).catch(() => undefined);
  }

  /** It will move again within `waitsMs` milliseconds. */
  private moving(waitsMs: number): void {
    this.moveDueAt = this.options.clock.now() + waitsMs + STUCK_MARGIN_MS;
  }

  /** The watch has come forward. (A list alone is not enough: were each watch to fail after it, this would spin.) */
  private healthy(): void {
    this.backoff.forget('list-watch');
    this.logRecovery();
  }

  private logRecovery(): void {
    if (this.failing === undefined) return;
    this.failing = undefined;
    this.options.logger.info('List and watch work again');
  }

  /** Logs once a change of state, not once an attempt. */
  private unhealthy(error: unknown): void {
    const kind =
      error instanceof KubeApiError ? error.reason : error instanceof Error ? error.name : 'Error';
    if (this.failing === kind) return;
    this.failing = kind;
    this.options.logger.warn('List or watch failed; retrying', { error });
  }
}

/** Aborts its signal where nothing has been heard for too long. */
class Watchdog {
  private readonly controller = new AbortController();
  private heardAt: number;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly silenceMs: number,
  ) {
    this.heardAt = clock.now();
    this.check();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    this.heardAt = this.clock.now();
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** One timer, moved on when it fires: an event costs no timer of its own. */
  private check(): void {
    const leftMs = this.heardAt + this.silenceMs - this.clock.now();
    if (leftMs <= 0) {
      this.controller.abort(new SilentWatchError('The watch has gone silent'));
      return;
    }
    this.timer = this.clock.after(leftMs, () => this.check());
  }
}

function versionOf<T extends KubeObject>(event: WatchEvent<T>): string {
  return event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
}

/** After these the same resourceVersion would fail again, or what came since is in doubt. */
function canResume(error: unknown): boolean {
  return !(
    isGone(error) ||
    error instanceof MalformedAnswerError ||
    error instanceof HistoryRewrittenError
  );
}
