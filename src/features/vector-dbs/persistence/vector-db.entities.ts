import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('vector_dbs')
export class VectorDbEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ type: 'int', generated: 'identity' })
  id!: number;

  @Column('uuid')
  uid!: string;

  @Column({ name: 'owner_id', type: 'text' })
  ownerId!: string;

  @Column('text')
  name!: string;

  @Column({ name: 'db_type', type: 'text' })
  dbType!: string;

  @Column({ type: 'text', nullable: true })
  url!: string | null;

  @Column({ type: 'text', nullable: true })
  region!: string | null;

  @Column('text')
  status!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt!: Date | null;
}

@Entity('vector_db_residency_policies')
export class VectorDbResidencyPolicyEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ type: 'int', generated: 'identity' })
  id!: number;

  @Column({ name: 'vector_db_id', type: 'int' })
  vectorDbId!: number;

  @Column('text')
  region!: string;

  @Column({ name: 'data_classification', type: 'text', default: 'general' })
  dataClassification!: string;

  @Column({ name: 'enforcement_mode', type: 'text', default: 'monitor' })
  enforcementMode!: string;

  @Column({ type: 'boolean', default: true })
  active!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}

@Entity('vector_db_attachments')
export class VectorDbAttachmentEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'vector_db_id', type: 'int' })
  vectorDbId!: number;

  @Column({ name: 'attachment_type', type: 'text' })
  attachmentType!: string;

  @Column({ name: 'attachment_ref', type: 'text' })
  attachmentRef!: string;

  @Column({ name: 'residency_policy_id', type: 'int' })
  residencyPolicyId!: number;

  @Column({ name: 'provider_key_binding_id', type: 'uuid' })
  providerKeyBindingId!: string;

  @Column({ name: 'binding_names_db', type: 'boolean' })
  bindingNamesDb!: boolean;

  @Column({ name: 'attached_by', type: 'text' })
  attachedBy!: string;

  @Column({ name: 'attached_at', type: 'timestamptz', default: () => 'now()' })
  attachedAt!: Date;

  @Column({ name: 'detached_by', type: 'text', nullable: true })
  detachedBy!: string | null;

  @Column({ name: 'detached_at', type: 'timestamptz', nullable: true })
  detachedAt!: Date | null;

  @Column({ name: 'detached_reason', type: 'text', nullable: true })
  detachedReason!: string | null;

  @Column({ type: 'jsonb', default: {} })
  metadata!: unknown;
}

@Entity('vector_db_incident_logs')
export class VectorDbIncidentEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'vector_db_id', type: 'int' })
  vectorDbId!: number;

  @Column({ name: 'attachment_id', type: 'uuid', nullable: true })
  attachmentId!: string | null;

  @Column({ name: 'incident_type', type: 'text' })
  incidentType!: string;

  @Column({ type: 'text', default: 'medium' })
  severity!: string;

  @Column('boolean')
  automatic!: boolean;

  @Column({ name: 'opened_by', type: 'text' })
  openedBy!: string;

  @Column({ name: 'occurred_at', type: 'timestamptz', default: () => 'now()' })
  occurredAt!: Date;

  @Column({ name: 'resolved_by', type: 'text', nullable: true })
  resolvedBy!: string | null;

  @Column({ name: 'resolved_at', type: 'timestamptz', nullable: true })
  resolvedAt!: Date | null;

  @Column({ type: 'text', nullable: true })
  summary!: string | null;

  @Column({ type: 'jsonb', default: {} })
  notes!: unknown;
}

@Entity('vector_db_incident_events')
export class VectorDbIncidentEventEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'incident_id', type: 'uuid' })
  incidentId!: string;

  @PrimaryColumn('text')
  event!: string;

  @Column({ name: 'occurred_at', type: 'timestamptz' })
  occurredAt!: Date;

  @Column({ name: 'actor_id', type: 'text' })
  actorId!: string;

  @Column({ type: 'text', nullable: true })
  summary!: string | null;

  @Column('jsonb')
  notes!: unknown;
}
