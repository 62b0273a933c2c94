import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TEMPORARY_SUFFIX, writeFileAtomically } from '../host/write-file-atomically.js';

/** First line of each file that the agent writes. It does not touch files without it, whatever their names. */
export const OWN_MARK = '# Written by eni-operator; it removes this file with the ENI.';

/** How to configure a network manager to leave a device alone: one file per device. */
export interface DropInKind {
  /** The setting that names its folder. */
  setting: 'NETWORKD_DROPIN_DIR' | 'NETWORKMANAGER_DROPIN_DIR';
  /** `*` stands for the MAC address without its colons. */
  fileName: string;
  /** @param macAddress lower case, with colons */
  content(macAddress: string): string;
}

/**
 * systemd.network(5): only the first file, in the order of names, that matches a device applies to it. Both
 * conditions must hold: a device on top of the ENI has the same MAC address, but not as its permanent one; and
 * systemd before 245 ignores PermanentMACAddress, so that a file with it alone would match every device.
 */
export const NETWORKD_DROP_IN: DropInKind = {
  setting: 'NETWORKD_DROPIN_DIR',
  fileName: '10-eni-operator-*.network',
  content: (macAddress) => `${OWN_MARK}
[Match]
MACAddress=${macAddress}
PermanentMACAddress=${macAddress}

[Link]
Unmanaged=yes
`,
};

/** NetworkManager.conf(5): `+=` adds to the list of other files. */
export const NETWORKMANAGER_DROP_IN: DropInKind = {
  setting: 'NETWORKMANAGER_DROPIN_DIR',
  fileName: '90-eni-operator-*.conf',
  content: (macAddress) => `${OWN_MARK}
[keyfile]
unmanaged-devices+=mac:${macAddress}
`,
};

/** What changed in the folder, as file names. */
export interface DropInChanges {
  written: string[];
  removed: string[];
  /** Files of another program with a name that the agent uses. */
  foreign: string[];
}

/** A folder of drop-in files cannot be read or written. */
export class DropInError extends Error {
  override readonly name = 'DropInError';

  constructor(
    readonly setting: DropInKind['setting'],
    readonly folder: string,
    options: ErrorOptions,
  ) {
    super(`The folder ${folder} (${setting}) cannot be read or written: ${options.cause}`, options);
  }
}

/** The agent's files in the folder of a network manager. It leaves all others alone. */
export class DropInFolder {
  private readonly prefix: string;
  private readonly suffix: string;
  /** The agent's files, and temporary ones of an interrupted write. */
  private readonly pattern: RegExp;

  constructor(
    readonly path: string,
    private readonly kind: DropInKind,
  ) {
    const [prefix = '', suffix = ''] = kind.fileName.split('*');
    this.prefix = prefix;
    this.suffix = suffix;
    const name = `${prefix}[0-9a-f]{12}${suffix}`.replaceAll('.', '\\.');
    this.pattern = new RegExp(`^(${name}|\\.${name}\\${TEMPORARY_SUFFIX})$`);
  }

  /**
   * Writes a file for each of these devices, and removes the agent's files for others.
   * @param macAddresses lower case, with colons
   * @throws DropInError
   */
  async settle(macAddresses: ReadonlySet<string>): Promise<DropInChanges> {
    try {
      const wanted = new Map(
        [...macAddresses].map((mac) => [this.fileName(mac), this.kind.content(mac)] as const),
      );
      const changes: DropInChanges = { written: [], removed: [], foreign: [] };
      const present = (await readdir(this.path)).filter((name) => this.pattern.test(name));
      for (const name of present) {
        const content = wanted.get(name);
        const is = await this.read(name);
        if (!is.startsWith(OWN_MARK) && !name.endsWith(TEMPORARY_SUFFIX)) {
          changes.foreign.push(name);
          wanted.delete(name);
        } else if (content === undefined) {
          await rm(join(this.path, name), { force: true });
          changes.removed.push(name);
        } else if (content === is) {
          wanted.delete(name);
        }
      }
      for (const [name, content] of wanted) {
        await writeFileAtomically(this.path, name, content);
        changes.written.push(name);
      }
      return changes;
    } catch (cause) {
      throw new DropInError(this.kind.setting, this.path, { cause });
    }
  }

  private fileName(macAddress: string): string {
    return `${this.prefix}${macAddress.replaceAll(':', '')}${this.suffix}`;
  }

  private read(name: string): Promise<string> {
    return readFile(join(this.path, name), 'utf8');
  }
}
