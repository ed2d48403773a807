import pg from 'pg';
import { Corpora } from '../../src/features/corpora/index.js';
import { ChunkIndex, type IndexedDocument, type NewChunk } from '../../src/features/retrieval/index.js';
import { UnitOfWork } from '../../src/platform/db/index.js';
import type { Inside } from './inside.js';
import { connected } from './services.js';
import { SyntheticText } from './text.js';

/** Tenants of one database with the passages that each has, all in one corpus. */
export type Layout = Readonly<Record<string, number>>;

export const CORPUS = 'library';

const PASSAGES_PER_DOCUMENT = 50;
/** Indexes that are much faster made of all rows at once. */
const LATE_INDEXES = ['ix_chunks_terms', 'ix_chunk_embeddings_vector'];

/** Fills the corpora of the tenants with what ingestion would write, and makes the large indexes afterwards. */
export async function loadCorpora(inside: Inside, url: string, layout: Layout): Promise<void> {
  const indexes = await connected(url, async (client) => {
    const { rows } = await client.query<{ name: string; definition: string }>(
      `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE indexname = ANY ($1)`,
      [LATE_INDEXES],
    );
    for (const { name } of rows) await client.query(`DROP INDEX ${pg.escapeIdentifier(name)}`);
    return rows;
  });
  const text = new SyntheticText(2);
  for (const [tenantId, passages] of Object.entries(layout)) {
    for (let from = 0; from < passages; from += PASSAGES_PER_DOCUMENT) {
      const texts = Array.from({ length: Math.min(PASSAGES_PER_DOCUMENT, passages - from) }, () =>
        text.passage(text.between(60, 140)),
      );
      await loadDocument(inside, url, tenantId, `document-${from / PASSAGES_PER_DOCUMENT}`, texts);
    }
  }
  await connected(url, async (client) => {
    await client.query(`SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2`);
    for (const { definition } of indexes) await client.query(definition);
    await client.query('VACUUM ANALYZE');
  });
}

async function loadDocument(
  inside: Inside,
  url: string,
  tenantId: string,
  id: string,
  texts: readonly string[],
): Promise<void> {
  await connected(url, async (client) => {
    // Sees every tenant; the login itself may be bound by row-level security.
    await client.query('SET ROLE nexusrag_system');
    await client.query(
      `INSERT INTO documents (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status, content_sha256,
                              byte_count, chunker, chunk_size_chars, chunk_overlap_chars, num_chunks, created_by)
       VALUES ($1, $2, $3, 'document://' || $2, $2 || '.txt', 'text/plain', 'raw_text', 'succeeded', $2, 0, 'v2', 1200, 150,
               $4, 'bench')`,
      [tenantId, id, CORPUS, texts.length],
    );
    await client.query(
      `INSERT INTO document_permissions
         (tenant_id, id, document_id, principal_type, principal_id, permission, granted_by)
       VALUES ($1, $2, $2, 'role', 'admin', 'read', 'bench')`,
      [tenantId, id],
    );
  });
  const document: IndexedDocument = { documentId: id, corpusId: CORPUS, generation: 1, uri: `document://${id}` };
  const chunks: NewChunk[] = texts.map((text, index) => ({ index, text, searchText: text, metadata: {} }));
  const [index, uow] = [inside.service(ChunkIndex), inside.service(UnitOfWork)];
  await inside.as(tenantId, async () => {
    const corpus = await inside.service(Corpora).get(CORPUS);
    await uow.run(() => index.open(document));
    await index.append(corpus, document, chunks, {
      guard: async () => undefined,
      signal: new AbortController().signal,
    });
    await uow.run(() => index.show(document));
  });
}
