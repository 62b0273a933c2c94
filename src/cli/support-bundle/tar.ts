/** A file of an archive. */
export interface ArchiveFile {
  /** At most 100 bytes; folders are separated by `/`. */
  path: string;
  text: string;
}

const BLOCK = 512;
const MAX_NAME = 100;

/**
 * A tar archive (POSIX ustar) of regular files that only their owner may read.
 * @param mtime seconds since the epoch
 * @throws RangeError for a path that is too long
 */
export function tar(files: readonly ArchiveFile[], mtime: number): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const content = Buffer.from(text, 'utf8');
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(path, content.length, mtime), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, size: number, mtime: number): Buffer {
  if (Buffer.byteLength(path) > MAX_NAME) throw new RangeError(`The path is too long: ${path}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string =>
    `${Math.floor(value)
      .toString(8)
      .padStart(width - 1, '0')}\0`;
  block.write(path, 0);
  block.write(octal(0o600, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(mtime, 12), 136);
  // The checksum counts its own field as spaces.
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
