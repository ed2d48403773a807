import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storedKeysOf } from '../../ingestion/index.js';
import { purged, TENANT_TABLES } from '../domain/tenant-tables.js';
import { MovingRowsRepository, type Range } from '../persistence/moving-rows.repository.js';
import type { Move } from '../domain/move.js';
import { KeptArchives } from './kept-archives.js';
import { Moves, type Outcome } from './moves.js';
import { PurgeConditions } from './purge-conditions.js';

/** Rows deleted in one transaction. */
const BATCH = 1000;

/**
 * Deletes the tenant in small transactions, children before parents and files before the rows that name them, so that an
 * interrupted purge goes on where it was. Keys and the pin stay: whoever still comes is told where the tenant is.
 */
@Injectable()
export class PurgeWork {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly moves: Moves,
    private readonly rows: MovingRowsRepository,
    private readonly blobs: BlobStore,
    private readonly archives: KeptArchives,
    private readonly conditions: PurgeConditions,
  ) {}

  /** Conditions are checked anew: a purge that waited may have lost its reason. */
  async run(move: Move, signal: AbortSignal): Promise<Outcome> {
    await this.conditions.require(move.tenantId);
    const deleted = await this.#purge(move, signal);
    for (const other of await this.moves.all(move.tenantId)) await this.archives.remove(other);
    return { counts: deleted, audited: deleted };
  }

  /** @returns how many rows were deleted of each table, by this attempt and those before. */
  async #purge(move: Move, signal: AbortSignal): Promise<Record<string, number>> {
    const deleted = { ...(move.counts as Record<string, number>) };
    const there = <T>(work: () => Promise<T>): Promise<T> => inTenant(move.tenantId, work);
    for (const listed of purged()) {
      const { table } = listed;
      if (table === 'documents') await there(() => this.#deleteFiles(signal));
      if (table === 'document_source_removals') await there(() => this.#deleteDoomedFiles(signal));
      deleted[table] ??= 0;
      for (let gone = BATCH; gone > 0;) {
        signal.throwIfAborted();
        gone = await there(() => this.uow.run(() => this.rows.deleteSome(listed, BATCH)));
        deleted[table] += gone;
        if (gone > 0) await this.moves.note(move.id, { counts: deleted });
      }
    }
    for (const { table, emptied } of TENANT_TABLES) {
      if (emptied !== undefined) await there(() => this.uow.run(() => this.rows.empty(table, emptied)));
    }
    return deleted;
  }

  async #deleteFiles(signal: AbortSignal): Promise<void> {
    for (let after: string[] | null = null; ;) {
      signal.throwIfAborted();
      const range: Range = { after, through: null };
      const found = await this.uow.run(() => this.rows.storedFiles(range, BATCH));
      await this.#deleteBlobs(found.map(({ storageKey }) => storageKey));
      const last = found.at(-1);
      if (last === undefined) return;
      after = [last.documentId];
    }
  }

  async #deleteDoomedFiles(signal: AbortSignal): Promise<void> {
    for (let after: string | undefined = ''; after !== undefined;) {
      signal.throwIfAborted();
      const from: string = after;
      const keys = await this.uow.run(() => this.rows.doomedFiles(from, BATCH));
      await this.#deleteBlobs(keys);
      after = keys.at(-1);
    }
  }

  async #deleteBlobs(storageKeys: readonly string[]): Promise<void> {
    for (const key of storageKeys.flatMap(storedKeysOf)) await this.blobs.delete(key);
  }
}
