const BLOCK = 512;
const NAME_BYTES = 100;
const ZERO = '\0';

export interface TarEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Not a sequence of entries as `writeTar` makes them. */
export class NotTar extends Error {
  override readonly name = 'NotTar';
}

/** Entries in the ustar format, without the two empty blocks that end an archive. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ name, content }) => [
      header(name, content.length),
      content,
      Buffer.alloc(padding(content.length)),
    ]),
  );
}

/** @throws NotTar */
export function readTar(bytes: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const name = bytes.toString('latin1', at, at + NAME_BYTES).split(ZERO)[0] ?? '';
    const size = parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    const from = at + BLOCK;
    const sound =
      size >= 0 && from + size + padding(size) <= bytes.length && header(name, size).equals(bytes.subarray(at, from));
    if (!sound) throw new NotTar('An entry is cut off or was changed.');
    entries.push({ name, content: bytes.subarray(from, from + size) });
    at = from + size + padding(size);
  }
  return entries;
}

function header(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES) throw new NotTar('A name is too long.');
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): number =>
    block.write(value.toString(8).padStart(digits, '0'), at);
  block.write(name, 0);
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  block.write('        0', 148);
  block.write(`ustar${ZERO}00`, 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}${ZERO} `, 148, 'latin1');
  return block;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
