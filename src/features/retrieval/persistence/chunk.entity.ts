import { Column, Entity, PrimaryColumn, type ColumnType } from 'typeorm';

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

  /** Search words, each after the key of its corpus, with as many positions as it occurs. */
  @Column('tsvector')
  terms!: string;

  /** What each of the words adds to the score of a search for it, see `termWeight`. */
  @Column({ name: 'term_weights', type: 'sparsevec' as ColumnType })
  termWeights!: string;

  @Column({ name: 'content_sha256', type: 'text' })
  contentSha256!: string;

  @Column({ name: 'metadata_json', type: 'jsonb', default: {} })
  metadata!: Record<string, unknown>;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
