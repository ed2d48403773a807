import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('ingest_jobs')
export class IngestJobEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'document_id', type: 'text' })
  documentId!: string;

  @Column('int')
  generation!: number;

  @Column('text')
  kind!: 'ingest' | 'reindex';

  @Column('text')
  status!: string;

  @Column({ type: 'int', default: 0 })
  attempts!: number;

  @Column({ name: 'error_code', type: 'text', nullable: true })
  errorCode!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt!: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt!: Date | null;
}
