import { Injectable } from '@nestjs/common';
import { BlobStore } from '../../../platform/blob-store/index.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { storedKeysOf } from '../../ingestion/index.js';
import type { Move, Part } from '../domain/move.js';
import { MovingRowsRepository, type Range } from '../persistence/moving-rows.repository.js';
import { ArchiveFrames } from './archive-frames.js';
import { ArchiveIntake, type OpenedFile } from './archive-intake.js';

/** Documents looked at in one statement. */
const BATCH = 500;

/** The archive of an import: its own, or the one of an earlier import that only compared. */
@Injectable()
export class ImportArchive {
  constructor(
    private readonly intake: ArchiveIntake,
    private readonly frames: ArchiveFrames,
    private readonly blobs: BlobStore,
    private readonly uow: UnitOfWork,
    private readonly rows: MovingRowsRepository,
  ) {}

  open(move: Move, part: Part): Promise<OpenedFile> {
    const { export_id, target_region } = move.manifest as { export_id: string; target_region: string };
    return this.intake.open(ownerOf(move), { export_id, target_region }, part);
  }

  async store(files: OpenedFile['files']): Promise<number> {
    for (const { key, content } of files) await this.blobs.put(key, content);
    return files.length;
  }

  /** Deletes what is stored of the documents in the range and not among the files. */
  async removeOthers({ after, through }: Range, files: OpenedFile['files']): Promise<void> {
    const listed = new Set(files.map(({ key }) => key));
    for (let from = after; ;) {
      const range = { after: from, through };
      const found = await this.uow.run(() => this.rows.storedFiles(range, BATCH));
      const keys = found.flatMap(({ storageKey }) => storedKeysOf(storageKey)).filter((key) => !listed.has(key));
      for (const key of keys) await this.blobs.delete(key);
      const last = found.at(-1);
      if (last === undefined) return;
      from = [last.documentId];
    }
  }

  async remove(move: Move, parts: readonly Part[]): Promise<void> {
    const included = parts.filter((part) => part.included);
    await this.frames.remove(
      ownerOf(move),
      included.map(({ number }) => number),
    );
  }
}

function ownerOf({ parameters, tenantId }: Move): { id: string; tenantId: string } {
  return { id: String(parameters['archive']), tenantId };
}
