import type { Logger } from '../../src/runtime/logger.js';

export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Record<string, unknown>;
}

/** Keeps what is logged; children write to the same entries. */
export class RecordingLogger implements Logger {
  constructor(
    readonly entries: LogEntry[] = [],
    private readonly fields: Record<string, unknown> = {},
  ) {}

  debug(message: string, fields: Record<string, unknown> = {}): void {
    this.log('debug', message, fields);
  }

  info(message: string, fields: Record<string, unknown> = {}): void {
    this.log('info', message, fields);
  }

  warn(message: string, fields: Record<string, unknown> = {}): void {
    this.log('warn', message, fields);
  }

  error(message: string, fields: Record<string, unknown> = {}): void {
    this.log('error', message, fields);
  }

  child(fields: Record<string, unknown>): RecordingLogger {
    return new RecordingLogger(this.entries, { ...this.fields, ...fields });
  }

  /** Each entry as `level message`, in order. */
  get lines(): string[] {
    return this.entries.map(({ level, message }) => `${level} ${message}`);
  }

  /** The messages of a level, in order. */
  messages(level: LogEntry['level']): string[] {
    return this.entries.filter((entry) => entry.level === level).map(({ message }) => message);
  }

  private log(level: LogEntry['level'], message: string, fields: Record<string, unknown>): void {
    this.entries.push({ level, message, fields: { ...this.fields, ...fields } });
  }
}
