import { Injectable } from '@nestjs/common';
import { PLANNED_ANEW, SqlParameters, UnitOfWork } from '../../../platform/db/index.js';
import { documentFacts, grantedDocuments, type DocumentFacts, type DocumentRules } from '../../rbac-abac/index.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import { documentConditions } from './eligibility.js';

/** Grants that a principal may hold for its documents to be gathered before a search; some milliseconds. */
const FEW_GRANTS = 1000;

interface GatheredDocuments {
  readonly documents: readonly string[];
  readonly passages: number;
}

/** The documents of a corpus that a principal may read. */
@Injectable()
export class EligibleDocumentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Documents that pass the filter and the database's condition; undefined for a principal with many grants. */
  async gather(
    corpusId: string,
    rules: DocumentRules,
    filter: MetadataFilter | undefined,
  ): Promise<GatheredDocuments | undefined> {
    const parameters = new SqlParameters();
    const held = grantedDocuments(rules, 'read', FEW_GRANTS + 1, parameters);
    const tenant = parameters.add(this.uow.tenantId);
    const few = parameters.add(FEW_GRANTS);
    const found = await this.uow.first<GatheredDocuments & { grants: number }>(
      `${PLANNED_ANEW} WITH held AS MATERIALIZED (${held})
       SELECT (SELECT count(*) FROM held)::int AS grants, COALESCE(array_agg(d.id), '{}') AS documents,
              COALESCE(sum(d.num_chunks), 0)::float8 AS passages
         FROM (SELECT DISTINCT document_id AS id FROM held WHERE (SELECT count(*) FROM held) <= ${few}) AS known
        CROSS JOIN LATERAL (SELECT * FROM documents WHERE tenant_id = ${tenant} AND id = known.id OFFSET 0) AS d
        WHERE d.corpus_id = ${parameters.add(corpusId)}
          AND ${documentConditions({ reader: rules, filter }, parameters).join(' AND ')}`,
      parameters.values,
    );
    return found === undefined || found.grants > FEW_GRANTS ? undefined : found;
  }

  /** What the rules must know of the documents. */
  async facts(rules: DocumentRules, ids: readonly string[]): Promise<(DocumentFacts & { readonly id: string })[]> {
    const parameters = new SqlParameters();
    return this.uow.rows(
      `SELECT ${documentFacts(rules, 'read', 'd', parameters)}
         FROM documents d
        WHERE d.tenant_id = ${parameters.add(this.uow.tenantId)} AND d.id = ANY (${parameters.add(ids)})`,
      parameters.values,
    );
  }
}
