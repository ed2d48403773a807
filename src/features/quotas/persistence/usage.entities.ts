import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('plan_limits')
export class PlanLimitsEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @Column({ name: 'daily_requests_limit', type: 'int', nullable: true })
  dailyRequestsLimit!: number | null;

  @Column({ name: 'monthly_requests_limit', type: 'int', nullable: true })
  monthlyRequestsLimit!: number | null;

  /** The limit beside it was never set, so the plan's default holds. */
  @Column({ name: 'daily_requests_from_plan', type: 'boolean', default: false })
  dailyRequestsFromPlan!: boolean;

  @Column({ name: 'monthly_requests_from_plan', type: 'boolean', default: false })
  monthlyRequestsFromPlan!: boolean;

  /** Set by somebody who may choose plans. */
  @Column({ type: 'boolean', default: false })
  granted!: boolean;

  @Column({ name: 'daily_tokens_limit', type: 'int', nullable: true })
  dailyTokensLimit!: number | null;

  @Column({ name: 'monthly_tokens_limit', type: 'int', nullable: true })
  monthlyTokensLimit!: number | null;

  @Column({ name: 'soft_cap_ratio', type: 'double precision', default: 0.8 })
  softCapRatio!: number;

  @Column({ name: 'hard_cap_enabled', type: 'boolean', default: true })
  hardCapEnabled!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}

@Entity('usage_counters')
export class UsageCounterEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'period_type', type: 'text' })
  periodType!: string;

  @PrimaryColumn({ name: 'period_start', type: 'timestamptz' })
  periodStart!: Date;

  /** Units, which are more than requests where one costs more. */
  @Column({ name: 'requests_count', type: 'bigint', default: 0 })
  requestsCount!: string;

  @Column({ name: 'estimated_tokens_count', type: 'bigint', nullable: true })
  estimatedTokensCount!: string | null;

  /** When the refusal of requests was last announced. */
  @Column({ name: 'hard_cap_noticed_at', type: 'timestamptz', nullable: true })
  hardCapNoticedAt!: Date | null;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}

@Entity('usage_rollups')
export class UsageRollupEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('date')
  day!: string;

  @PrimaryColumn({ name: 'route_class', type: 'text' })
  routeClass!: string;

  @Column({ name: 'requests_count', type: 'bigint', default: 0 })
  requestsCount!: string;
}

@Entity('quota_soft_cap_events')
export class QuotaSoftCapEventEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'period_type', type: 'text' })
  periodType!: string;

  @Column({ name: 'period_start', type: 'timestamptz' })
  periodStart!: Date;

  @Column('text')
  metric!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
