import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface ProviderTier {
  readonly tier: string;
  readonly providerId: string;
  readonly byokRequired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

@Injectable()
export class ProviderTiersRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(tier: string): Promise<ProviderTier | undefined> {
    return this.uow.first<ProviderTier>(`SELECT ${COLUMNS} FROM provider_tiers WHERE tenant_id = $1 AND tier = $2`, [
      this.uow.tenantId,
      tier,
    ]);
  }

  async put(tier: string, providerId: string, byokRequired: boolean): Promise<ProviderTier> {
    const row = await this.uow.first<ProviderTier>(
      `INSERT INTO provider_tiers (tenant_id, tier, provider_id, byok_required) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT pk_provider_tiers DO UPDATE
         SET provider_id = excluded.provider_id, byok_required = excluded.byok_required, updated_at = now()
       RETURNING ${COLUMNS}`,
      [this.uow.tenantId, tier, providerId, byokRequired],
    );
    return row as ProviderTier;
  }

  async delete(tier: string): Promise<boolean> {
    const deleted = await this.uow.execute(`DELETE FROM provider_tiers WHERE tenant_id = $1 AND tier = $2`, [
      this.uow.tenantId,
      tier,
    ]);
    return deleted === 1;
  }

  /** Whether the first of these that there is needs a key. */
  async required(tiers: readonly string[]): Promise<boolean> {
    const first = await this.uow.first<{ required: boolean }>(
      `SELECT byok_required AS required FROM provider_tiers
        WHERE tenant_id = $1 AND tier = ANY ($2) ORDER BY array_position($2::text[], tier) LIMIT 1`,
      [this.uow.tenantId, tiers],
    );
    return first?.required === true;
  }
}

const COLUMNS = `tier, provider_id AS "providerId", byok_required AS "byokRequired", created_at AS "createdAt",
  updated_at AS "updatedAt"`;
