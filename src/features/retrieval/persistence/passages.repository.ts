import { Injectable } from '@nestjs/common';
import { SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { labelsOf } from '../../policy-bundles/index.js';
import type { Passage } from '../domain/passage.js';
import { eligible, type Eligibility } from './eligibility.js';

interface PassageRow extends Omit<StoredPassage, 'labels' | 'redacted'> {
  readonly documentLabels: Readonly<Record<string, string>>;
}

export type StoredPassage = Omit<Passage, 'score' | 'legs'> & { readonly chunkId: string; readonly documentId: string };

@Injectable()
export class PassagesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Those of the passages that can be found now: what was eligible when the search began may not be any more. */
  async find(corpusId: string, ids: readonly string[], eligibility: Eligibility): Promise<StoredPassage[]> {
    const parameters = new SqlParameters();
    const rows = await this.uow.rows<PassageRow>(
      `SELECT c.id AS "chunkId", c.document_id AS "documentId", c.document_uri AS source, c.text,
              c.metadata_json AS metadata, c.chunk_index AS "chunkIndex", c.generation AS "documentVersion",
              COALESCE((SELECT jsonb_object_agg(l.key, l.value) FROM document_labels l
                         WHERE l.tenant_id = c.tenant_id AND l.document_id = c.document_id), '{}') AS "documentLabels"
         FROM searchable_chunks c
        WHERE c.tenant_id = ${parameters.add(this.uow.tenantId)} AND c.corpus_id = ${parameters.add(corpusId)}
          AND c.id = ANY (${parameters.add(ids)}::uuid[])
          AND ${eligible('c', { ...eligibility, documents: undefined }, parameters)}`,
      parameters.values,
    );
    return rows.map(({ documentLabels, ...row }) => ({ ...row, labels: labelsOf(documentLabels), redacted: false }));
  }
}
