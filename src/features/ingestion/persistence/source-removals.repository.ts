import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface StoredSource {
  readonly documentId: string;
  readonly key: string;
}

/**
 * Which stored texts are to be removed. A text may be called for again between the request for its removal and the
 * removal itself; the row's lock decides which of the two is first.
 */
@Injectable()
export class SourceRemovalsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async request(sources: readonly StoredSource[]): Promise<void> {
    await this.uow.execute(
      `INSERT INTO document_source_removals (tenant_id, storage_key, document_id)
       SELECT $1, s.key, s.document_id FROM unnest($2::text[], $3::text[]) AS s (key, document_id)
       ON CONFLICT ON CONSTRAINT pk_document_source_removals DO UPDATE SET started_at = NULL, requested_at = now()`,
      [this.uow.tenantId, sources.map(({ key }) => key), sources.map(({ documentId }) => documentId)],
    );
  }

  /** Takes back a removal that has not begun. @returns false when it has: the text may vanish at any moment. */
  async cancel(key: string): Promise<boolean> {
    const row = await this.uow.first<{ startedAt: Date | null }>(
      `SELECT started_at AS "startedAt" FROM document_source_removals
        WHERE tenant_id = $1 AND storage_key = $2 FOR UPDATE`,
      [this.uow.tenantId, key],
    );
    if (row === undefined) return true;
    if (row.startedAt !== null) return false;
    await this.finish(key);
    return true;
  }

  /** @returns false when the removal was taken back or a document refers to the text. */
  async begin(key: string): Promise<boolean> {
    const begun = await this.uow.execute(
      `UPDATE document_source_removals r SET started_at = now()
        WHERE tenant_id = $1 AND storage_key = $2 AND NOT EXISTS (
          SELECT 1 FROM documents d
           WHERE d.tenant_id = r.tenant_id AND d.id = r.document_id AND d.storage_key = r.storage_key)`,
      [this.uow.tenantId, key],
    );
    return begun === 1;
  }

  async finish(key: string): Promise<void> {
    await this.uow.execute(`DELETE FROM document_source_removals WHERE tenant_id = $1 AND storage_key = $2`, [
      this.uow.tenantId,
      key,
    ]);
  }
}
