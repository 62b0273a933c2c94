import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** First line of each of our files: a file without it is somebody else's, whatever its name. */
export const OWN_MARK = '# Written by eni-operator; it removes this file with the ENI.';

/** How a network manager is told to leave a device alone: one file a device. */
export interface DropInKind {
  /** The setting that names its folder. */
  setting: 'NETWORKD_DROPIN_DIR' | 'NETWORKMANAGER_DROPIN_DIR';
  /** `*` stands for the MAC address without its colons. */
  fileName: string;
  /** @param macAddress lower case, with colons */
  content(macAddress: string): string;
}

/**
 * systemd.network(5): of all files in the order of their names, the first that matches a device is its only
 * one. Two conditions, for both have to hold: devices that stand upon the ENI's have its MAC address, but it is
 * no permanent one; and systemd before 245 does not know of the latter, and would take a file that names nothing
 * else to match all devices.
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

/** NetworkManager.conf(5): `+=` adds to what other files say. */
export const NETWORKMANAGER_DROP_IN: DropInKind = {
  setting: 'NETWORKMANAGER_DROPIN_DIR',
  fileName: '90-eni-operator-*.conf',
  content: (macAddress) => `${OWN_MARK}
[keyfile]
unmanaged-devices+=mac:${macAddress}
`,
};

/** What was done to the folder, by file name. */
export interface DropInChanges {
  written: string[];
  removed: string[];
  /** They have a name of ours, and are somebody else's. */
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
    super(`The folder ${folder} (${setting}) cannot be kept: ${options.cause}`, options);
  }
}

const TEMPORARY = '.tmp';

/** Our files in the folder of a network manager; all others are left alone. */
export class DropInFolder {
  private readonly prefix: string;
  private readonly suffix: string;
  /** Our files, and what is left of such as were being written. */
  private readonly pattern: RegExp;

  constructor(
    readonly path: string,
    private readonly kind: DropInKind,
  ) {
    const [prefix = '', suffix = ''] = kind.fileName.split('*');
    this.prefix = prefix;
    this.suffix = suffix;
    const name = `${prefix}[0-9a-f]{12}${suffix}`.replaceAll('.', '\\.');
    this.pattern = new RegExp(`^(${name}|\\.${name}\\${TEMPORARY})$`);
  }

  /**
   * Leaves a file for each of these devices, and none of ours for any other.
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
        if (!is.startsWith(OWN_MARK) && !name.endsWith(TEMPORARY)) {
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
        await this.write(name, content);
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

  /** A reader sees the whole file, or none. */
  private async write(name: string, content: string): Promise<void> {
    const temporary = join(this.path, `.${name}${TEMPORARY}`);
    // The managers read it as users of their own.
    await writeFile(temporary, content, { mode: 0o644 });
    await rename(temporary, join(this.path, name));
  }
}
