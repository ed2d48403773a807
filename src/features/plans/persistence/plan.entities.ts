import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('plans')
export class PlanEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  name!: string;

  @Column({ name: 'is_active', type: 'boolean', default: true })
  isActive!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

@Entity('plan_features')
export class PlanFeatureEntity {
  @PrimaryColumn({ name: 'plan_id', type: 'text' })
  planId!: string;

  @PrimaryColumn({ name: 'feature_key', type: 'text' })
  featureKey!: string;

  @Column('boolean')
  enabled!: boolean;

  @Column({ name: 'config_json', type: 'jsonb', nullable: true })
  configJson!: Record<string, unknown> | null;
}

/** Which plan a tenant had when. At most one row of a tenant is active. */
@Entity('tenant_plan_assignments')
export class TenantPlanAssignmentEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'effective_from', type: 'timestamptz' })
  effectiveFrom!: Date;

  @Column({ name: 'plan_id', type: 'text' })
  planId!: string;

  @Column({ name: 'effective_to', type: 'timestamptz', nullable: true })
  effectiveTo!: Date | null;

  @Column({ name: 'is_active', type: 'boolean', default: true })
  isActive!: boolean;
}

@Entity('tenant_feature_overrides')
export class TenantFeatureOverrideEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'feature_key', type: 'text' })
  featureKey!: string;

  @Column({ type: 'boolean', nullable: true })
  enabled!: boolean | null;

  @Column({ name: 'config_json', type: 'jsonb', nullable: true })
  configJson!: Record<string, unknown> | null;
}

@Entity('plan_upgrade_requests')
export class PlanUpgradeRequestEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id!: string;

  @Column({ name: 'current_plan_id', type: 'text' })
  currentPlanId!: string;

  @Column({ name: 'target_plan_id', type: 'text' })
  targetPlanId!: string;

  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ type: 'text', default: 'pending' })
  status!: 'pending' | 'approved' | 'rejected' | 'cancelled';

  @Column({ name: 'requested_by_actor_id', type: 'text' })
  requestedByActorId!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
