import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('document_labels')
export class DocumentLabelEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'document_id', type: 'text' })
  documentId!: string;

  @PrimaryColumn('text')
  key!: string;

  @Column('text')
  value!: string;
}
