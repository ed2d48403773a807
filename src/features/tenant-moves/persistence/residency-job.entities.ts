import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('residency_jobs')
@Index('ix_residency_jobs_open', { synchronize: false })
@Index('ix_residency_jobs_moved', { synchronize: false })
export class ResidencyJobEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  kind!: string;

  @Column({ name: 'moved_tenant_id', type: 'text' })
  movedTenantId!: string;

  @Column('text')
  state!: string;

  @Column({ type: 'text', nullable: true })
  region!: string | null;

  @Column({ type: 'jsonb', default: {} })
  parameters!: Record<string, unknown>;

  @Column({ type: 'jsonb', nullable: true })
  manifest!: Record<string, unknown> | null;

  @Column({ type: 'jsonb', default: {} })
  counts!: Record<string, unknown>;

  @Column({ type: 'text', nullable: true })
  watermark!: string | null;

  @Column({ name: 'error_code', type: 'text', nullable: true })
  errorCode!: string | null;

  @Column('text')
  actor!: string;

  @Column({ type: 'text', nullable: true })
  approver!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt!: Date | null;
}

@Entity('residency_parts')
export class ResidencyPartEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'job_id', type: 'text' })
  jobId!: string;

  @PrimaryColumn('int')
  number!: number;

  @Column({ name: 'table_name', type: 'text' })
  tableName!: string;

  @Column({ name: 'after_key', type: 'jsonb', nullable: true })
  afterKey!: string[] | null;

  @Column({ name: 'through_key', type: 'jsonb', nullable: true })
  throughKey!: string[] | null;

  @Column({ name: 'row_count', type: 'int' })
  rowCount!: number;

  @Column('text')
  sha256!: string;

  @Column('boolean')
  included!: boolean;
}

@Entity('tenant_freezes')
export class TenantFreezeEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @Column({ name: 'migration_id', type: 'text' })
  migrationId!: string;

  @Column({ name: 'frozen_at', type: 'timestamptz' })
  frozenAt!: Date;
}
