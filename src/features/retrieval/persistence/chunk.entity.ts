import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('chunks')
export class ChunkEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'corpus_id', type: 'text' })
  corpusId!: string;

  @Column({ name: 'document_id', type: 'text' })
  documentId!: string;

  @Column('int')
  generation!: number;

  @Column({ name: 'chunk_index', type: 'int' })
  chunkIndex!: number;

  @Column({ name: 'document_uri', type: 'text' })
  documentUri!: string;

  @Column('text')
  text!: string;

  @Column('vector', { length: 768 })
  embedding!: number[];

  @Column({ name: 'embedding_model', type: 'text' })
  embeddingModel!: string;

  @Column({ name: 'content_sha256', type: 'text' })
  contentSha256!: string;

  @Column({ name: 'metadata_json', type: 'jsonb', default: {} })
  metadata!: Record<string, unknown>;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
