import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('tenant_configs')
@Index('ix_tenant_configs_region', { synchronize: false })
export class TenantConfigEntity {
  @PrimaryColumn({ type: 'text', name: 'tenant_id', primaryKeyConstraintName: 'pk_tenant_configs' })
  tenantId!: string;

  @Column({ type: 'jsonb', default: {} })
  config!: Record<string, unknown>;

  @Column({ type: 'int', default: 1 })
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
