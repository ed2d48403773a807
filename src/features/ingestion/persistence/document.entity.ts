import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('documents')
export class DocumentEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'corpus_id', type: 'text' })
  corpusId!: string;

  @Column('text')
  uri!: string;

  @Column('text')
  filename!: string;

  @Column({ name: 'content_type', type: 'text' })
  contentType!: string;

  @Column({ name: 'ingest_source', type: 'text' })
  ingestSource!: string;

  @Column('text')
  status!: string;

  @Column({ name: 'failure_code', type: 'text', nullable: true })
  failureCode!: string | null;

  @Column({ name: 'failure_reason', type: 'text', nullable: true })
  failureReason!: string | null;

  @Column({ name: 'storage_key', type: 'text', nullable: true })
  storageKey!: string | null;

  @Column({ name: 'content_sha256', type: 'text' })
  contentSha256!: string;

  @Column({ name: 'byte_count', type: 'bigint' })
  byteCount!: string;

  @Column({ name: 'metadata_json', type: 'jsonb', default: {} })
  metadata!: Record<string, unknown>;

  @Column('text')
  chunker!: string;

  @Column({ name: 'chunk_size_chars', type: 'int' })
  chunkSize!: number;

  @Column({ name: 'chunk_overlap_chars', type: 'int' })
  chunkOverlap!: number;

  @Column({ type: 'int', default: 1 })
  generation!: number;

  @Column({ name: 'num_chunks', type: 'int', nullable: true })
  numChunks!: number | null;

  @Column({ name: 'last_job_id', type: 'text', nullable: true })
  lastJobId!: string | null;

  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;

  @Column({ name: 'queued_at', type: 'timestamptz', nullable: true })
  queuedAt!: Date | null;

  @Column({ name: 'processing_started_at', type: 'timestamptz', nullable: true })
  processingStartedAt!: Date | null;

  @Column({ name: 'completed_at', type: 'timestamptz', nullable: true })
  completedAt!: Date | null;

  @Column({ name: 'last_reindexed_at', type: 'timestamptz', nullable: true })
  lastReindexedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
