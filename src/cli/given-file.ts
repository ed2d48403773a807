import { createReadStream } from 'node:fs';

const MOST_BYTES = 4 * 1024 * 1024;

/** A file that a command was given, or a pipe. @throws for what cannot be read, and for more than 4 MiB */
export async function givenFile(path: string): Promise<Buffer> {
  const pieces = (await createReadStream(path, { end: MOST_BYTES }).toArray()) as Buffer[];
  const bytes = Buffer.concat(pieces);
  if (bytes.length > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`);
  return bytes;
}
