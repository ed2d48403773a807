import { z } from 'zod';

/*
 * An archive is a line of JSON in clear, which says for whom it is, and then frames: four bytes of length, and as many
 * sealed bytes. Frame 0 opens to `manifest.json` in a tar entry, and each further one, in the order of the manifest, to
 * an NDJSON file in a tar entry, with the stored files behind it where the file lists some. Opened and joined they are a
 * tar stream.
 */

const LENGTH_BYTES = 4;
const MAX_LABEL_BYTES = 1024;

const labelSchema = z.strictObject({
  archive: z.literal('nexusrag-tenant-export-1'),
  export_id: z.uuid(),
  target_region: z.string(),
});

/** What an archive says in clear. Its frames open under no other label. */
export type Label = Pick<z.infer<typeof labelSchema>, 'export_id' | 'target_region'>;

export function writeLabel({ export_id, target_region }: Label): string {
  return `${JSON.stringify({ archive: 'nexusrag-tenant-export-1', export_id, target_region })}\n`;
}

/** Binds a frame to its place. */
export function contextOf({ export_id, target_region }: Label, frame: number): string {
  return JSON.stringify([export_id, target_region, frame]);
}

export function frameLength(frame: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(frame.length);
  return length;
}

/** The archive ends too early or too late, is too large, or is none. */
export class NotAnArchive extends Error {
  override readonly name = 'NotAnArchive';
}

/** Reads an archive as it arrives, and never holds more than a frame of it. */
export class ArchiveReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #arrived = 0;

  constructor(
    source: AsyncIterable<Uint8Array>,
    private readonly limits: { readonly total: number; readonly frame: number },
  ) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @throws NotAnArchive */
  async label(): Promise<Label> {
    let end = -1;
    while ((end = this.#held.indexOf(10)) < 0) {
      if (this.#held.length > MAX_LABEL_BYTES || !(await this.#more())) throw new NotAnArchive('It has no label.');
    }
    const text = (await this.#take(end + 1)).toString();
    try {
      return labelSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new NotAnArchive('Its label cannot be read.', { cause });
    }
  }

  /** @throws NotAnArchive */
  async frame(): Promise<Buffer> {
    const length = (await this.#take(LENGTH_BYTES)).readUInt32BE();
    if (length > this.limits.frame) throw new NotAnArchive('A frame is too large.');
    return this.#take(length);
  }

  /** @throws NotAnArchive when anything is left. */
  async end(): Promise<void> {
    while (this.#held.length === 0) if (!(await this.#more())) return;
    throw new NotAnArchive('It goes on behind its end.');
  }

  async #take(bytes: number): Promise<Buffer> {
    const parts = [this.#held];
    for (let have = this.#held.length; have < bytes; have += this.#held.length) {
      this.#held = Buffer.alloc(0);
      if (!(await this.#more())) throw new NotAnArchive('It is cut off.');
      parts.push(this.#held);
    }
    const joined = parts.length === 1 ? this.#held : Buffer.concat(parts);
    this.#held = joined.subarray(bytes);
    return joined.subarray(0, bytes);
  }

  /** @returns false at the end. */
  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#arrived += next.value.length;
    if (this.#arrived > this.limits.total) throw new NotAnArchive('It is too large.');
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
