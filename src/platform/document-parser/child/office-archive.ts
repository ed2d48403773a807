import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import type { ReaderInput } from './protocol.js';
import { Unreadable } from './unreadable.js';

/** An Office file of today is a ZIP archive; one with a password, like one of the nineties, is this. */
const COMPOUND_FILE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const ENCRYPTED_STREAM = Buffer.from('EncryptedPackage', 'utf16le');
const MAX_PARTS = 20_000;

export interface XmlEvents {
  /** Names come without their prefix. */
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  close?(name: string): void;
  text?(text: string): void;
}

/**
 * The parts of an Office file. What is unpacked is counted over all reads, whatever the archive says about its sizes;
 * beyond the limit reading ends with `unpacked`.
 */
export class OfficeArchive {
  #left: number;

  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    maxUnpackedBytes: number,
  ) {
    this.#left = maxUnpackedBytes;
  }

  /** @param mainType what the type of the main part must match. @throws Unreadable for what is no such file. */
  static async open({ bytes, maxUnpackedBytes }: ReaderInput, mainType: RegExp): Promise<OfficeArchive> {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (file.subarray(0, COMPOUND_FILE.length).equals(COMPOUND_FILE)) {
      throw new Unreadable(file.includes(ENCRYPTED_STREAM) ? 'encrypted' : 'corrupt');
    }
    const zip = await fromBufferPromise(file, { lazyEntries: true, autoClose: false });
    if (zip.entryCount > MAX_PARTS) throw new Unreadable('unpacked');
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    const archive = new OfficeArchive(zip, entries, maxUnpackedBytes);
    const types = await archive.read('[Content_Types].xml');
    if (!mainType.test(types.toString('utf8'))) throw new Unreadable('corrupt');
    return archive;
  }

  has(part: string): boolean {
    return this.entries.has(part);
  }

  async read(part: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#unpack(part)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Reads a part that may be too large to hold. Knows no document types, so no entity can expand. */
  async readXml(part: string, events: XmlEvents): Promise<void> {
    const parser = new SaxesParser({ position: false, xmlns: false });
    parser.on('opentag', ({ name, attributes }) => events.open?.(localName(name), attributes));
    parser.on('closetag', ({ name }) => events.close?.(localName(name)));
    parser.on('text', (text) => events.text?.(text));
    parser.on('cdata', (text) => events.text?.(text));
    let decoder: StringDecoder | undefined;
    for await (const chunk of this.#unpack(part)) {
      decoder ??= new StringDecoder(chunk[0] === 0xff && chunk[1] === 0xfe ? 'utf16le' : 'utf8');
      parser.write(decoder.write(chunk));
    }
    parser.write(decoder?.end() ?? '').close();
  }

  /** Where the relationships of a part lead, by their id. */
  async relationsOf(part: string): Promise<Map<string, Relation>> {
    const slash = part.lastIndexOf('/') + 1;
    const found = new Map<string, Relation>();
    const rels = `${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`;
    if (!this.has(rels)) return found;
    await this.readXml(rels, {
      open: (name, { Id = '', Type = '', Target = '', TargetMode }) => {
        if (name !== 'Relationship' || TargetMode === 'External') return;
        // Relative to the part's own folder, or to the archive.
        const target = new URL(Target, `file:///${part}`).pathname.slice(1);
        found.set(Id, { type: Type.slice(Type.lastIndexOf('/') + 1), part: decodeURIComponent(target) });
      },
    });
    return found;
  }

  /** The part that the archive is about. @throws Unreadable when it is not there. */
  async mainPart(): Promise<string> {
    const relations = [...(await this.relationsOf('')).values()];
    const main = relations.find(({ type }) => type === 'officeDocument')?.part;
    if (main === undefined || !this.has(main)) throw new Unreadable('corrupt');
    return main;
  }

  async *#unpack(part: string): AsyncGenerator<Buffer> {
    const entry = this.entries.get(part);
    if (entry === undefined) throw new Unreadable('corrupt');
    if (entry.isEncrypted()) throw new Unreadable('encrypted');
    const stream: Readable = await this.zip.openReadStreamPromise(entry);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      this.#left -= chunk.length;
      if (this.#left < 0) throw new Unreadable('unpacked');
      yield chunk;
    }
  }
}

export interface Relation {
  /** Last segment of its type, such as `slide`. */
  readonly type: string;
  readonly part: string;
}

/** The relationship that an element names, whatever prefix the file uses for it. */
export function relationId(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1] ?? '';
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
