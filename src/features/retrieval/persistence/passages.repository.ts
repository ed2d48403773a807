import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Passage } from '../domain/passage.js';

type StoredPassage = Omit<Passage, 'score' | 'legs'>;

@Injectable()
export class PassagesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Passages that can be found, by id. */
  async find(corpusId: string, ids: readonly string[]): Promise<Map<string, StoredPassage>> {
    const rows = await this.uow.rows<StoredPassage & { chunkId: string }>(
      `SELECT id AS "chunkId", document_id AS "documentId", document_uri AS source, text, metadata_json AS metadata
         FROM searchable_chunks WHERE tenant_id = $1 AND corpus_id = $2 AND id = ANY ($3::uuid[])`,
      [this.uow.tenantId, corpusId, ids],
    );
    return new Map(rows.map((row) => [row.chunkId, row]));
  }
}
