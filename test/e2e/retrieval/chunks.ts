import { toSql } from 'pgvector';
import type { Actor, TestApp } from '../../harness/app.js';
import {
  countTerms,
  lexemePrefix,
  lexemeVector,
  weightVector,
} from '../../../src/features/retrieval/domain/lexemes.js';
import { sha256Hex } from '../../../src/kernel/hash.js';
import { analyzerFor } from '../../../src/platform/text-analysis/index.js';

export interface TestChunk {
  readonly text: string;
  /** A UUID; one is made when it does not matter. */
  readonly id?: string;
  /** Embedded by the model in force when not given. */
  readonly vector?: readonly number[];
  readonly embeddingModel?: string;
}

export interface TestGrant {
  readonly to: readonly [type: 'user' | 'role' | 'group' | 'api_key', id: string];
  readonly permission?: 'read' | 'write' | 'delete' | 'reindex' | 'owner';
  readonly expiresAt?: Date;
}

/** What lets everybody in the tenant read. */
const EVERYBODY: readonly TestGrant[] = [
  { to: ['role', 'reader'] },
  { to: ['role', 'editor'] },
  { to: ['role', 'admin'] },
];

let corpora = 0;

/** @param owner an editor or more. */
export async function newCorpus(owner: Actor, retrieval?: Record<string, unknown>): Promise<string> {
  const config = retrieval === undefined ? {} : { provider_config_json: { retrieval } };
  const response = await owner.post('/v1/corpora', { name: `Corpus ${(corpora += 1)}`, ...config }).expect(201);
  return response.body.data.id as string;
}

/** Puts chunks of a new document straight into the index, for tests that decide what ingestion would decide. */
export async function putChunks(
  app: TestApp,
  tenantId: string,
  corpusId: string,
  chunks: readonly TestChunk[],
  grants = EVERYBODY,
): Promise<string> {
  const { embeddings, ids } = app.infrastructure;
  const documentId = ids.opaque();
  await app.rows(
    `INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
                            content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, num_chunks,
                            created_by)
     VALUES ($1, $2, $3, 'document://' || $2, 'notes.txt', 'text/plain', 'raw_text', 'succeeded', '', 0, 'v1', 1200, 0, $4,
             'test')`,
    [tenantId, documentId, corpusId, chunks.length],
  );
  await grant(app, tenantId, documentId, grants);
  const unembedded = chunks.filter(({ vector }) => vector === undefined).map(({ text }) => text);
  const made = unembedded.length === 0 ? [] : await embeddings.embed(unembedded, 'document');
  const vectors = chunks.map(({ vector, text }) => vector ?? made[unembedded.indexOf(text)] ?? []);
  const analyzer = await analyzerFor('english');
  const prefix = lexemePrefix(tenantId, corpusId);
  const words = chunks.map(({ text }) => countTerms(analyzer.terms(text)));
  const chunkIds = chunks.map(({ id }) => id ?? ids.uuid());
  await app.rows(
    `INSERT INTO corpus_indexes AS i (tenant_id, corpus_id, embedding_model, chunk_count) VALUES ($1, $2, $3, $4)
     ON CONFLICT ON CONSTRAINT pk_corpus_indexes DO UPDATE SET chunk_count = i.chunk_count + $4`,
    [tenantId, corpusId, embeddings.id, chunks.length],
  );
  await app.rows(
    `INSERT INTO corpus_terms AS t (tenant_id, corpus_id, term, chunk_count)
     SELECT $1, $2, term, count(*) FROM unnest($3::text[]) AS w (term) GROUP BY term
     ON CONFLICT ON CONSTRAINT pk_corpus_terms DO UPDATE SET chunk_count = t.chunk_count + EXCLUDED.chunk_count`,
    [tenantId, corpusId, words.flatMap((counts) => [...counts.keys()])],
  );
  await app.rows(
    `INSERT INTO chunks (tenant_id, corpus_id, document_id, generation, document_uri, id, chunk_index, text,
                         terms, term_weights, content_sha256, metadata_json)
     SELECT $1, $2, $3, 1, 'document://' || $3, c.id, c.chunk_index, c.text, c.terms::tsvector, c.weights::sparsevec, c.sha,
            '{"filename": "notes.txt", "offset_start": 0, "offset_end": 1}'
       FROM unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS c (id, chunk_index, text, terms, weights, sha)`,
    [
      tenantId,
      corpusId,
      documentId,
      chunkIds,
      chunks.map((_chunk, index) => index),
      chunks.map(({ text }) => text),
      words.map((counts) => lexemeVector(prefix, counts)),
      words.map(weightVector),
      chunks.map(({ text }) => sha256Hex(text)),
    ],
  );
  await app.rows(
    `INSERT INTO chunk_embeddings (tenant_id, corpus_id, document_id, generation, chunk_id, embedding_model, embedding)
     SELECT $1, $2, $3, 1, e.id, e.model, e.embedding::vector
       FROM unnest($4::uuid[], $5::text[], $6::text[]) AS e (id, model, embedding)`,
    [
      tenantId,
      corpusId,
      documentId,
      chunkIds,
      chunks.map(({ embeddingModel }) => embeddingModel ?? embeddings.id),
      vectors.map((vector) => toSql([...vector])),
    ],
  );
  return documentId;
}

async function grant(app: TestApp, tenantId: string, documentId: string, grants: readonly TestGrant[]): Promise<void> {
  await app.rows(
    `INSERT INTO document_permissions
       (tenant_id, id, document_id, principal_type, principal_id, permission, expires_at, granted_by)
     SELECT $1, gen_random_uuid()::text, $2, g.type, g.principal, g.permission, g.expires_at, 'test'
       FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS g (type, principal, permission, expires_at)`,
    [
      tenantId,
      documentId,
      grants.map(({ to: [type] }) => type),
      grants.map(({ to: [, id] }) => id),
      grants.map(({ permission = 'read' }) => permission),
      grants.map(({ expiresAt = null }) => expiresAt),
    ],
  );
}

/** Statements that only the owner of the tables may run, such as ALTER TABLE. */
export async function asOwner(app: TestApp, sql: string): Promise<void> {
  await app.dataSource.query(`BEGIN; SET LOCAL ROLE NONE; ${sql}; COMMIT`);
}
