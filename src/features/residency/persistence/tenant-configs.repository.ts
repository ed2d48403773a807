import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface StoredTenantConfig {
  readonly config: Record<string, unknown>;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How many tenants are pinned to a region; null for pins that are none. */
export interface PinCount {
  readonly region: string | null;
  readonly tenants: number;
}

const COLUMNS = `config, version, created_at AS "createdAt", updated_at AS "updatedAt"`;
const PINNED = `config -> 'region' IS NOT NULL AND config -> 'region' NOT IN ('null', '""')`;
const MOST_REGIONS = 100;

@Injectable()
export class TenantConfigsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  find(): Promise<StoredTenantConfig | undefined> {
    return this.uow.first<StoredTenantConfig>(`SELECT ${COLUMNS} FROM tenant_configs WHERE tenant_id = $1`, [
      this.uow.tenantId,
    ]);
  }

  /** Lets changes of the tenant happen one after another. A tenant without a configuration has version 0 of none. */
  async lock(): Promise<StoredTenantConfig> {
    const tenant = [this.uow.tenantId];
    await this.uow.execute(
      `INSERT INTO tenant_configs (tenant_id, version) VALUES ($1, 0) ON CONFLICT (tenant_id) DO NOTHING`,
      tenant,
    );
    return this.#one(`SELECT ${COLUMNS} FROM tenant_configs WHERE tenant_id = $1 FOR UPDATE`, tenant);
  }

  /** After `lock`. */
  save(config: Readonly<Record<string, unknown>>): Promise<StoredTenantConfig> {
    return this.#one(
      `UPDATE tenant_configs SET config = $2::jsonb, version = version + 1, updated_at = now()
        WHERE tenant_id = $1 RETURNING ${COLUMNS}`,
      [this.uow.tenantId, JSON.stringify(config)],
    );
  }

  /** Of all tenants, the most frequent regions first. */
  pins(): Promise<PinCount[]> {
    return this.uow.acrossTenants('residency', () =>
      this.uow.rows<PinCount>(
        `SELECT CASE WHEN jsonb_typeof(config -> 'region') = 'string' THEN config ->> 'region' END AS region,
                count(*)::int AS tenants
           FROM tenant_configs WHERE ${PINNED} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_REGIONS}`,
      ),
    );
  }

  async anyPin(): Promise<boolean> {
    const sql = `SELECT 1 AS found FROM tenant_configs WHERE ${PINNED} LIMIT 1`;
    return (await this.uow.acrossTenants('residency', () => this.uow.first(sql))) !== undefined;
  }

  async #one(sql: string, parameters: readonly unknown[]): Promise<StoredTenantConfig> {
    const row = await this.uow.first<StoredTenantConfig>(sql, parameters);
    if (row === undefined) throw new Error('The configuration of a tenant vanished while it was changed.');
    return row;
  }
}
