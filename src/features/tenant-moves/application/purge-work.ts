import { Injectable } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storedKeysOf } from '../../ingestion/index.js';
import { purged, TENANT_TABLES } from '../domain/tenant-tables.js';
import { MovingRowsRepository, type Range } from '../persistence/moving-rows.repository.js';
import type { Move } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { KeptArchives } from './kept-archives.js';
import type { Outcome } from './moves.js';
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
    private readonly stored: ResidencyJobsRepository,
    private readonly rows: MovingRowsRepository,
    private readonly blobs: BlobStore,
    private readonly archives: KeptArchives,
    private readonly conditions: PurgeConditions,
  ) {}

  /** Conditions are checked anew: a purge that waited may have lost its reason. */
  async run(move: Move, signal: AbortSignal): Promise<Outcome> {
    await this.conditions.require(move.tenantId);
    await inTenant(move.tenantId, () => this.#purge(signal));
    for (const other of await this.uow.read(() => this.stored.all(move.tenantId))) await this.archives.remove(other);
    return {};
  }

  async #purge(signal: AbortSignal): Promise<void> {
    for (const listed of purged()) {
      const { table } = listed;
      do {
        signal.throwIfAborted();
        if (table === 'documents') await this.#deleteFiles(signal);
        if (table === 'document_source_removals') await this.#deleteDoomedFiles();
      } while ((await this.uow.run(() => this.rows.deleteSome(listed, BATCH))) > 0);
    }
    for (const { table, emptied } of TENANT_TABLES) {
      if (emptied !== undefined) await this.uow.run(() => this.rows.empty(table, emptied));
    }
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

  async #deleteDoomedFiles(): Promise<void> {
    await this.#deleteBlobs(await this.uow.run(() => this.rows.doomedFiles(BATCH)));
  }

  async #deleteBlobs(storageKeys: readonly string[]): Promise<void> {
    for (const key of storageKeys.flatMap(storedKeysOf)) await this.blobs.delete(key);
  }
}
