import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { PolicyChanges, ResidencyPolicy } from '../domain/residency-policy.js';

@Injectable()
export class ResidencyPoliciesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** By region. @throws INVALID_CURSOR */
  async list(vectorDbId: number, limit: number, cursor?: string): Promise<Page<ResidencyPolicy>> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, ['text']);
    const rows = await this.uow.rows<ResidencyPolicy>(
      `SELECT ${COLUMNS} FROM vector_db_residency_policies
        WHERE tenant_id = $1 AND vector_db_id = $2 AND ($3::text IS NULL OR region > $3::text COLLATE "C")
        ORDER BY region COLLATE "C" LIMIT $4`,
      [this.uow.tenantId, vectorDbId, after ?? null, limit + 1],
    );
    return Page.of(rows, limit, ({ region }) => [region]);
  }

  /** Nobody changes it until the unit ends. */
  async lock(vectorDbId: number, id: number): Promise<ResidencyPolicy | undefined> {
    return this.uow.first<ResidencyPolicy>(
      `SELECT ${COLUMNS} FROM vector_db_residency_policies
        WHERE tenant_id = $1 AND vector_db_id = $2 AND id = $3::bigint FOR SHARE`,
      [this.uow.tenantId, vectorDbId, id],
    );
  }

  /** Nobody else changes it until the unit ends. */
  async lockRegion(vectorDbId: number, region: string): Promise<ResidencyPolicy | undefined> {
    return this.uow.first<ResidencyPolicy>(
      `SELECT ${COLUMNS} FROM vector_db_residency_policies
        WHERE tenant_id = $1 AND vector_db_id = $2 AND region = $3 FOR UPDATE`,
      [this.uow.tenantId, vectorDbId, region],
    );
  }

  /** Undefined when there is one for the region. */
  async insert(vectorDbId: number, changes: PolicyChanges): Promise<ResidencyPolicy | undefined> {
    return this.uow.first<ResidencyPolicy>(
      `INSERT INTO vector_db_residency_policies
         (tenant_id, vector_db_id, region, data_classification, enforcement_mode, active)
       VALUES ($1, $2, $3, COALESCE($4, 'general'), COALESCE($5, 'monitor'), COALESCE($6::boolean, true))
       ON CONFLICT ON CONSTRAINT uq_vector_db_residency_policies_region DO NOTHING RETURNING ${COLUMNS}`,
      this.#values(vectorDbId, changes),
    );
  }

  /** Of one that is locked. */
  async update(vectorDbId: number, changes: PolicyChanges): Promise<ResidencyPolicy> {
    const row = await this.uow.first<ResidencyPolicy>(
      `UPDATE vector_db_residency_policies
          SET data_classification = COALESCE($4, data_classification),
              enforcement_mode = COALESCE($5, enforcement_mode),
              active = COALESCE($6::boolean, active), updated_at = now()
        WHERE tenant_id = $1 AND vector_db_id = $2 AND region = $3 RETURNING ${COLUMNS}`,
      this.#values(vectorDbId, changes),
    );
    return row as ResidencyPolicy;
  }

  #values(vectorDbId: number, changes: PolicyChanges): unknown[] {
    const { region, dataClassification, enforcementMode, active } = changes;
    return [this.uow.tenantId, vectorDbId, region, dataClassification ?? null, enforcementMode ?? null, active ?? null];
  }
}

const COLUMNS = `id, vector_db_id AS "vectorDbId", region, data_classification AS "dataClassification",
  enforcement_mode AS "enforcementMode", active, created_at AS "createdAt", updated_at AS "updatedAt"`;
