import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '../../../kernel/hash.js';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storedKeysOf } from '../../ingestion/index.js';
import type { Key } from '../domain/manifest.js';
import { FILES } from '../domain/tenant-tables.js';
import { MovingRowsRepository, type Range } from '../persistence/moving-rows.repository.js';

/** What one file of an archive holds. */
export interface Batch extends Range {
  /** One JSON object a line. */
  readonly lines: string;
  readonly rows: number;
  readonly sha256: string;
  /** Stored files, in the order of the lines that list them. */
  readonly files: readonly Uint8Array[];
}

/** How much a file of an archive holds at most: whatever comes first, and at least one row. */
export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
}

export const BATCH_LIMITS = Symbol('limits of the files of an archive');
export const DEFAULT_BATCH: BatchLimits = { rows: 500, bytes: 4 * 1024 * 1024 };

interface Item {
  readonly key: Key;
  readonly line: string;
  readonly files: readonly Uint8Array[];
}

/** Reads the context's tenant by ranges of keys, for an export and to verify an import alike. */
@Injectable()
export class MovingData {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: MovingRowsRepository,
    private readonly blobs: BlobStore,
    @Inject(BATCH_LIMITS) private readonly limits: BatchLimits,
  ) {}

  /** What is in the range, or the first part of it; `through` of the answer says up to where. */
  async read(table: string, range: Range): Promise<Batch> {
    const { items, whole } = table === FILES ? await this.#files(range) : await this.#rows(table, range);
    const kept = this.#fitting(items);
    const complete = whole && kept.length === items.length;
    const lines = kept.map(({ line }) => `${line}\n`).join('');
    return {
      after: range.after,
      through: complete ? range.through : (kept.at(-1)?.key ?? null),
      lines,
      rows: kept.length,
      sha256: sha256Hex(lines),
      files: kept.flatMap(({ files }) => files),
    };
  }

  async #rows(table: string, range: Range): Promise<{ items: Item[]; whole: boolean }> {
    const found = await this.uow.run(() => this.rows.read(table, range, this.limits.rows));
    // A table with one row a tenant has no order to go on in.
    const whole = found.length < this.limits.rows || found.at(-1)?.key.length === 0;
    return { items: found.map((row) => ({ ...row, files: [] })), whole };
  }

  /** Reads no further than the limit of bytes. */
  async #files(range: Range): Promise<{ items: Item[]; whole: boolean }> {
    const found = await this.uow.run(() => this.rows.storedFiles(range, this.limits.rows));
    const items: Item[] = [];
    for (let bytes = 0; items.length < found.length && bytes < this.limits.bytes;) {
      const { documentId, storageKey } = found[items.length] ?? { documentId: '', storageKey: '' };
      const item = await this.#item(documentId, storageKey);
      items.push(item);
      bytes += item.files.reduce((sum, { length }) => sum + length, 0);
    }
    return { items, whole: items.length === found.length && found.length < this.limits.rows };
  }

  async #item(documentId: string, storageKey: string): Promise<Item> {
    const stored: { key: string; sha256: string; bytes: number }[] = [];
    const files: Uint8Array[] = [];
    for (const key of storedKeysOf(storageKey)) {
      const file = await this.blobs.get(key);
      // Its text is made when it is first read.
      if (file === undefined) continue;
      stored.push({ key, sha256: sha256Hex(file), bytes: file.length });
      files.push(file);
    }
    return { key: [documentId], line: JSON.stringify({ document_id: documentId, files: stored }), files };
  }

  #fitting(items: readonly Item[]): Item[] {
    let bytes = 0;
    const end = items.findIndex(({ line }, place) => (bytes += line.length) > this.limits.bytes && place > 0);
    return end < 0 ? [...items] : items.slice(0, end);
  }
}
