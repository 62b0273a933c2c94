import type { Logger } from '../../runtime/logger.js';
import { detectManagers } from './detect-managers.js';
import { type ReadHostSignsOptions, readHostSigns } from './host-signs.js';
import { KNOWN_MANAGERS } from './known-managers.js';

/** Tells the log, for once, which other programs set up interfaces on this host. Never rejects. */
export async function tellOfManagers({
  logger,
  ...host
}: ReadHostSignsOptions & { logger: Logger }): Promise<void> {
  try {
    for (const { name, sign } of detectManagers(await readHostSigns(host))) {
      const { effect, remedy } = KNOWN_MANAGERS[name];
      logger.info('Another program manages interfaces of this host', {
        manager: name,
        sign,
        effect,
        remedy,
      });
    }
  } catch (err) {
    logger.warn('Cannot see which other programs manage interfaces of this host', { err });
  }
}
