import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('document_permissions')
export class DocumentPermissionEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'document_id', type: 'text' })
  documentId!: string;

  @Column({ name: 'principal_type', type: 'text' })
  principalType!: 'user' | 'role' | 'group' | 'api_key';

  @Column({ name: 'principal_id', type: 'text' })
  principalId!: string;

  @Column('text')
  permission!: 'read' | 'write' | 'delete' | 'reindex' | 'owner';

  @Column({ name: 'granted_by', type: 'text' })
  grantedBy!: string;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
