import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { constraints, UnitOfWork } from '../../../platform/db/index.js';
import type { FeatureRow } from '../domain/entitlement.js';
import { FREE, type Plan } from '../domain/plan.js';

/** What a tenant has: its plan with the plan's features, and its own overrides. */
export interface TenantPlanRow {
  readonly planId: string;
  readonly planName: string;
  /** Null and false without an assignment. */
  readonly effectiveFrom: Date | null;
  readonly effectiveTo: Date | null;
  readonly isActive: boolean;
  readonly features: readonly FeatureRow[];
  readonly overrides: readonly FeatureRow[];
}

export interface Override {
  readonly enabled: boolean | null;
  readonly config: Record<string, unknown> | null;
}

@Injectable()
export class PlansRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async catalogue(): Promise<Plan[]> {
    return this.uow.rows<Plan>(
      `SELECT id, name, is_active AS "isActive", ${featuresOf('plan_features', 'f.plan_id = p.id')} AS features
         FROM plans p ORDER BY id`,
    );
  }

  async isOffered(planId: string): Promise<boolean> {
    const sql = `SELECT 1 AS found FROM plans WHERE id = $1 AND is_active`;
    return (await this.uow.first(sql, [planId])) !== undefined;
  }

  /** By the clock of the database, which also dates assignments: processes whose clocks differ see the same plan. */
  async current(): Promise<TenantPlanRow> {
    const row = await this.uow.first<TenantPlanRow>(
      `WITH a AS (
         SELECT plan_id, effective_from, effective_to, is_active FROM tenant_plan_assignments
          WHERE tenant_id = $1 AND is_active AND effective_from <= clock_timestamp()
            AND (effective_to IS NULL OR effective_to > clock_timestamp()))
       SELECT p.id AS "planId", p.name AS "planName", a.effective_from AS "effectiveFrom",
              a.effective_to AS "effectiveTo", a.is_active IS NOT NULL AS "isActive",
              ${featuresOf('plan_features', 'f.plan_id = p.id')} AS features,
              ${featuresOf('tenant_feature_overrides', 'f.tenant_id = $1')} AS overrides
         FROM plans p LEFT JOIN a ON true WHERE p.id = COALESCE(a.plan_id, '${FREE}')`,
      [this.uow.tenantId],
    );
    if (row === undefined) throw new Error(`The catalogue has no plan ${FREE}.`);
    return row;
  }

  async features(planId: string): Promise<FeatureRow[]> {
    return this.uow.rows<FeatureRow>(`SELECT feature_key, enabled, config_json FROM plan_features WHERE plan_id = $1`, [
      planId,
    ]);
  }

  /** Lets the changes of a tenant's plan happen one after another, until the transaction ends. */
  async awaitTurn(): Promise<void> {
    await this.uow.rows(`SELECT pg_advisory_xact_lock(hashtextextended('tenant_plan ' || $1, 0))`, [this.uow.tenantId]);
  }

  async everAssigned(): Promise<boolean> {
    const sql = `SELECT 1 AS found FROM tenant_plan_assignments WHERE tenant_id = $1 LIMIT 1`;
    return (await this.uow.first(sql, [this.uow.tenantId])) !== undefined;
  }

  /**
   * Ends the active assignment and begins another. Of two within one tick of the database's clock the later stays.
   *
   * @throws NOT_FOUND when there is no such tenant.
   */
  async assign(planId: string): Promise<void> {
    await this.uow.execute(
      `UPDATE tenant_plan_assignments SET is_active = false, effective_to = LEAST(effective_to, clock_timestamp())
        WHERE tenant_id = $1 AND is_active`,
      [this.uow.tenantId],
    );
    await constraints({ fk_tenant_plan_assignments_tenant: noTenant }, () =>
      this.uow.execute(
        `INSERT INTO tenant_plan_assignments (tenant_id, plan_id, effective_from) VALUES ($1, $2, clock_timestamp())
         ON CONFLICT (tenant_id, effective_from)
           DO UPDATE SET plan_id = EXCLUDED.plan_id, is_active = true, effective_to = NULL`,
        [this.uow.tenantId, planId],
      ),
    );
  }

  /** Sets what is given and keeps the rest. @returns what the override is now. */
  async override(feature: string, { enabled, config }: Partial<Override>): Promise<Override> {
    const row = await this.uow.first<Override>(
      `INSERT INTO tenant_feature_overrides AS o (tenant_id, feature_key, enabled, config_json)
       VALUES ($1, $2, $3, $4::jsonb)
       ON CONFLICT (tenant_id, feature_key) DO UPDATE SET
         enabled = CASE WHEN $5 THEN EXCLUDED.enabled ELSE o.enabled END,
         config_json = CASE WHEN $6 THEN EXCLUDED.config_json ELSE o.config_json END
       RETURNING enabled, config_json AS config`,
      [
        this.uow.tenantId,
        feature,
        enabled ?? null,
        config == null ? null : JSON.stringify(config),
        enabled !== undefined,
        config !== undefined,
      ],
    );
    return row as Override;
  }

  /** @returns false when there was none. */
  async clearOverride(feature: string): Promise<boolean> {
    const sql = `DELETE FROM tenant_feature_overrides WHERE tenant_id = $1 AND feature_key = $2`;
    return (await this.uow.execute(sql, [this.uow.tenantId, feature])) === 1;
  }
}

function noTenant(): Error {
  return commonErrors.NOT_FOUND({ message: 'No such tenant.' });
}

/** An expression: the rows of a feature table as JSON, sorted by key. */
function featuresOf(table: string, condition: string): string {
  return `COALESCE((
    SELECT jsonb_agg(jsonb_build_object('feature_key', f.feature_key, 'enabled', f.enabled, 'config_json', f.config_json)
                     ORDER BY f.feature_key)
      FROM ${table} f WHERE ${condition}), '[]')`;
}
