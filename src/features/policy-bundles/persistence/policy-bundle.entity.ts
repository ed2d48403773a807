import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

@Entity('policy_bundles')
@Unique('uq_policy_bundles_hash', ['tenantId', 'bundleHash'])
@Index('ix_policy_bundles_active', { synchronize: false })
export class PolicyBundleEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'bundle_hash', type: 'text' })
  bundleHash!: string;

  /** Null for a bundle of all tenants that have none active. */
  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;

  @Column({ name: 'yaml_content', type: 'text' })
  yamlContent!: string;

  @Column({ name: 'rule_count', type: 'int' })
  ruleCount!: number;

  @Column({ type: 'boolean', default: false })
  active!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
