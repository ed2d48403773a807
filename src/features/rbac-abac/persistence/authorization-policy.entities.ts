import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('authorization_policies')
export class AuthorizationPolicyEntity {
  @PrimaryColumn('text')
  id!: string;

  /** Null for a template, which applies to every tenant. */
  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;

  @Column('text')
  name!: string;

  @Column({ type: 'int', default: 1 })
  version!: number;

  @Column('text')
  effect!: 'allow' | 'deny';

  @Column({ name: 'resource_type', type: 'text' })
  resourceType!: string;

  @Column('text')
  action!: string;

  @Column({ name: 'condition_json', type: 'jsonb', default: {} })
  conditionJson!: Record<string, unknown>;

  @Column({ type: 'int', default: 100 })
  priority!: number;

  @Column({ type: 'boolean', default: true })
  enabled!: boolean;

  @Column({ name: 'created_by', type: 'text', nullable: true })
  createdBy!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt!: Date | null;
}

/** A policy as it was written at one time. */
@Entity('authorization_policy_versions')
export class AuthorizationPolicyVersionEntity {
  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;

  @PrimaryColumn({ name: 'policy_id', type: 'text' })
  policyId!: string;

  @PrimaryColumn('int')
  version!: number;

  @Column('jsonb')
  snapshot!: Record<string, unknown>;

  @Column({ name: 'changed_by', type: 'text', nullable: true })
  changedBy!: string | null;

  @Column({ name: 'changed_at', type: 'timestamptz', default: () => 'now()' })
  changedAt!: Date;
}
