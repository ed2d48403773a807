import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Bundle } from '../domain/bundle.js';

export interface BundleSummary {
  readonly hash: string;
  readonly tenantId: string | null;
  readonly ruleCount: number;
  readonly active: boolean;
  readonly createdAt: Date;
}

export interface StoredBundle extends BundleSummary {
  readonly yaml: string;
}

interface SummaryRow extends BundleSummary {
  readonly id: string;
  /** As the database writes it: a Date has no microseconds. */
  readonly at: string;
}

/** Bundles of one owner: a tenant, or null for those of all tenants, which are changed across tenants. */
@Injectable()
export class PolicyBundlesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Whether the context's tenant does. */
  async tenantExists(): Promise<boolean> {
    return (await this.uow.first('SELECT 1 AS found FROM tenants WHERE id = $1', [this.uow.tenantId])) !== undefined;
  }

  /** The active one of the tenant, or else, unless only its `own` counts, that of all tenants. */
  inForce(tenantId: string, own = false): Promise<StoredBundle | undefined> {
    return this.uow.first(
      `SELECT ${COLUMNS}, yaml_content AS yaml FROM policy_bundles
        WHERE (tenant_id = $1 OR (NOT $2 AND tenant_id IS NULL)) AND active ORDER BY tenant_id NULLS LAST LIMIT 1`,
      [tenantId, own],
    );
  }

  /** Of the tenant, or else, unless only its `own` count, of all tenants. */
  findFor(tenantId: string, hash: string, own: boolean): Promise<StoredBundle | undefined> {
    return this.uow.first(
      `SELECT ${COLUMNS}, yaml_content AS yaml FROM policy_bundles
        WHERE (tenant_id = $1 OR (NOT $3 AND tenant_id IS NULL)) AND bundle_hash = $2 ORDER BY tenant_id NULLS LAST LIMIT 1`,
      [tenantId, hash, own],
    );
  }

  find(owner: string | null, hash: string): Promise<BundleSummary | undefined> {
    return this.uow.first(`SELECT ${COLUMNS} FROM policy_bundles WHERE ${OWNED} AND bundle_hash = $2`, [owner, hash]);
  }

  /** Of the tenant, and those of all tenants when they are asked for, newest first. @throws INVALID_CURSOR */
  async list(
    tenantId: string,
    { global, limit, cursor }: { global: boolean; limit: number; cursor: string | undefined },
  ): Promise<Page<BundleSummary>> {
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<SummaryRow>(
      `SELECT ${COLUMNS}, id, created_at::text AS at FROM policy_bundles
        WHERE (tenant_id = $1 OR ($2 AND tenant_id IS NULL))
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::text))
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [tenantId, global, at ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.at, row.id]);
  }

  /** False when the owner has this bundle: it stays as it is. */
  async insert(owner: string | null, id: string, { hash, yaml, rules }: Bundle): Promise<boolean> {
    const inserted = await this.uow.execute(
      `INSERT INTO policy_bundles (id, tenant_id, bundle_hash, yaml_content, rule_count) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT ON CONSTRAINT uq_policy_bundles_hash DO NOTHING`,
      [id, owner, hash, yaml, rules.length],
    );
    return inserted > 0;
  }

  /** Activations of one owner come one after the other. */
  async activate(owner: string | null, hash: string): Promise<void> {
    await this.uow.rows(`SELECT pg_advisory_xact_lock(hashtextextended('policy_bundles ' || $1, 0))`, [owner ?? '']);
    await this.uow.execute(`UPDATE policy_bundles SET active = false WHERE ${OWNED} AND active AND bundle_hash <> $2`, [
      owner,
      hash,
    ]);
    await this.uow.execute(`UPDATE policy_bundles SET active = true WHERE ${OWNED} AND bundle_hash = $2`, [
      owner,
      hash,
    ]);
  }
}

/** $1 is the owner. */
const OWNED = `tenant_id IS NOT DISTINCT FROM $1::text`;

const COLUMNS = `bundle_hash AS hash, tenant_id AS "tenantId", rule_count AS "ruleCount", active, created_at AS "createdAt"`;
