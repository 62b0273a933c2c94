import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../clock.js';
import type { Logger } from '../logger.js';
import { describeError } from '../logger.js';

/** In PEM form. */
export interface CertificatePair {
  cert: string;
  key: string;
}

export interface CertificateFilesOptions {
  certPath: string;
  keyPath: string;
  clock: Clock;
  logger: Logger;
}

/** The files do not contain a certificate and its key. */
export class CertificateError extends Error {
  override name = 'CertificateError';
}

/** Between two checks of the files, in milliseconds (controller-runtime's certwatcher). */
const INTERVAL_MS = 10_000;

/**
 * A server's certificate and key in files that are replaced while it runs. The files are polled: a mounted
 * Secret changes through a link above them, which file watches do not report.
 */
export class CertificateFiles {
  private current: CertificatePair | undefined;
  private failing = false;

  private constructor(private readonly options: CertificateFilesOptions) {}

  static create(options: CertificateFilesOptions): CertificateFiles {
    return new CertificateFiles(options);
  }

  /** @throws CertificateError if a file cannot be read, or the key does not match the certificate */
  async read(): Promise<CertificatePair> {
    const { certPath, keyPath } = this.options;
    try {
      const [cert, key] = await Promise.all([
        readFile(certPath, 'utf8'),
        readFile(keyPath, 'utf8'),
      ]);
      // TLS itself would accept an empty, half-written file as no certificate.
      if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
        throw new Error('the key is not the certificate’s');
      }
      this.current = { cert, key };
      return this.current;
    } catch (error) {
      throw new CertificateError(
        `No certificate and key in ${certPath} and ${keyPath}: ${describeError(error)}`,
        { cause: error },
      );
    }
  }

  /**
   * Calls `onChange` with each new pair; a half-written pair waits for the next check.
   * @returns a function that stops it
   */
  watch(onChange: (pair: CertificatePair) => void): () => void {
    const ended = new AbortController();
    void this.keepLooking(onChange, ended.signal);
    return () => ended.abort();
  }

  private async keepLooking(
    onChange: (pair: CertificatePair) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      try {
        await sleep(this.options.clock, INTERVAL_MS, signal);
      } catch {
        return;
      }
      await this.look(onChange);
    }
  }

  private async look(onChange: (pair: CertificatePair) => void): Promise<void> {
    const { logger } = this.options;
    const before = this.current;
    try {
      const pair = await this.read();
      this.failing = false;
      if (pair.cert === before?.cert && pair.key === before.key) return;
      onChange(pair);
      logger.info('Certificate renewed');
    } catch (error) {
      if (!this.failing) {
        logger.warn('The certificate cannot be reloaded; keeping the previous one', {
          error,
        });
      }
      this.failing = true;
    }
  }
}
