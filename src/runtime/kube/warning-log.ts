import type { Logger } from '../logger.js';

/** Distinct warnings that are remembered; beyond that, old ones may be logged again. */
const MAX_REMEMBERED = 256;

/** The API server's warnings (RFC 7234 `Warning: 299 - "text"`), each logged once. */
export class WarningLog {
  private readonly logged = new Set<string>();

  constructor(private readonly logger: Logger) {}

  log(header: string | string[] | undefined): void {
    if (header === undefined) return;
    for (const line of Array.isArray(header) ? header : [header]) {
      const text = /^299 \S+ "(?<text>.*)"$/.exec(line)?.groups?.text ?? line;
      if (this.logged.has(text)) continue;
      if (this.logged.size >= MAX_REMEMBERED) this.logged.clear();
      this.logged.add(text);
      this.logger.warn('Warning from the API server', { warning: text });
    }
  }
}
