import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('chunk_embeddings')
export class ChunkEmbeddingEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'chunk_id', type: 'uuid' })
  chunkId!: string;

  @PrimaryColumn({ name: 'embedding_model', type: 'text' })
  embeddingModel!: string;

  @Column({ name: 'corpus_id', type: 'text' })
  corpusId!: string;

  @Column({ name: 'document_id', type: 'text' })
  documentId!: string;

  @Column('int')
  generation!: number;

  @Column('vector', { length: 768 })
  embedding!: number[];
}

/** A generation of a document that searches do not find: not yet, or not any more. */
@Entity('hidden_generations')
export class HiddenGenerationEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'document_id', type: 'text' })
  documentId!: string;

  @PrimaryColumn('int')
  generation!: number;
}

/** What is known of a corpus's passages as a whole. */
@Entity('corpus_indexes')
export class CorpusIndexEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'corpus_id', type: 'text' })
  corpusId!: string;

  /** The model whose vectors are searched. */
  @Column({ name: 'embedding_model', type: 'text' })
  embeddingModel!: string;

  /** The model whose vectors are being made, to be searched once they are complete. */
  @Column({ name: 'next_embedding_model', type: 'text', nullable: true })
  nextEmbeddingModel!: string | null;

  /** Passages that can be found. */
  @Column({ name: 'chunk_count', type: 'bigint', default: 0 })
  chunkCount!: string;
}

/** How many passages of a corpus contain a word, passages that are not found yet included. */
@Entity('corpus_terms')
export class CorpusTermEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ name: 'corpus_id', type: 'text' })
  corpusId!: string;

  @PrimaryColumn('text')
  term!: string;

  @Column({ name: 'chunk_count', type: 'int' })
  chunkCount!: number;
}
