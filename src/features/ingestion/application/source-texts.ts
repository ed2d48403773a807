import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Jobs } from '../../../kernel/jobs.js';
import { Clock } from '../../../kernel/time.js';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storedKeysOf, textKeyOf } from '../domain/document.js';
import { sourceRemovalJob } from '../ingestion.jobs.js';
import { SourceRemovalsRepository, type StoredSource } from '../persistence/source-removals.repository.js';

/** A removal is one call to the store; this is ample for it, and short for a client. */
const WAIT_MS = 50;
const MAX_WAITS = 40;

/** Jobs stay small whatever the number of documents. */
const KEYS_PER_JOB = 200;

/** A removal of the text began after it was stored: store it again, then repeat the transaction. */
export class SourceBeingRemoved extends Error {
  override readonly name = 'SourceBeingRemoved';
}

/**
 * What is stored of documents: texts, and files with the text that was read from them. A text is stored before the
 * transaction that refers to it and removed after the one that no longer does, so a document never refers to a text
 * that is not there. A crash can leave a text that nobody refers to; it is found again when the same text is sent, and
 * never shown. The same holds for files.
 */
@Injectable()
export class SourceTexts {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly removals: SourceRemovalsRepository,
    private readonly blobs: BlobStore,
    private readonly jobs: Jobs,
    private readonly clock: Clock,
  ) {}

  /** Outside a transaction. @throws BLOB_STORE_UNAVAILABLE; SERVICE_BUSY while the same text is being removed. */
  async store(key: string, bytes: Uint8Array): Promise<void> {
    for (let waits = 0; !(await this.uow.run(() => this.removals.cancel(key))); waits += 1) {
      if (waits === MAX_WAITS) throw commonErrors.SERVICE_BUSY();
      await this.clock.sleep(WAIT_MS);
    }
    await this.blobs.put(key, bytes);
  }

  /** In the transaction that refers to the text, after the document's row is locked. @throws SourceBeingRemoved */
  async claim(key: string): Promise<void> {
    if (!(await this.removals.cancel(key))) throw new SourceBeingRemoved();
  }

  /** In the transaction that stops referring to the texts. */
  async discard(sources: readonly StoredSource[]): Promise<void> {
    for (let from = 0; from < sources.length; from += KEYS_PER_JOB) {
      const batch = sources.slice(from, from + KEYS_PER_JOB);
      await this.removals.request(batch);
      await this.jobs.enqueue(sourceRemovalJob, { keys: batch.map(({ key }) => key) });
    }
  }

  /** Undefined when the text is missing. */
  async read(key: string): Promise<string | undefined> {
    const bytes = await this.blobs.get(key);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** As sent. Undefined when the file is missing. */
  async readFile(key: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(key);
  }

  /** Undefined until the file under the key was read. */
  async readTextOf(key: string): Promise<string | undefined> {
    return this.read(textKeyOf(key));
  }

  /** Keeps the text of the file under the key, to be removed with it; the caller checks that the file is still there. */
  async keepTextOf(key: string, text: string): Promise<void> {
    await this.blobs.put(textKeyOf(key), new TextEncoder().encode(text));
  }

  /** Outside a transaction. Does nothing when a document refers to the text. */
  async remove(key: string): Promise<void> {
    if (!(await this.uow.run(() => this.removals.begin(key)))) return;
    for (const stored of storedKeysOf(key)) await this.blobs.delete(stored);
    await this.uow.run(() => this.removals.finish(key));
  }

  /** In a transaction. Gives up on a removal, so that the same text can be stored again. */
  async abandonRemoval(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.removals.finish(key);
  }
}
