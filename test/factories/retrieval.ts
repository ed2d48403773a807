/** Passages and searches over the wiring of `useIngestion`, with embedding models that tests hold, count and break. */
import type { EmbeddingKind, EmbeddingVector } from '../../src/platform/model-gateway/index.js';
import { EmbeddingModel } from '../../src/platform/model-gateway/index.js';
import { fakeEmbedding } from '../../src/platform/model-gateway/fake-embedding.js';
import { Corpora, DEFAULT_SEARCH_PLAN, type SearchPlan } from '../../src/features/corpora/index.js';
import { DocumentGrants } from '../../src/features/rbac-abac/index.js';
import { ChunkIndex, LocalSearch, type MetadataFilter, type NewChunk } from '../../src/features/retrieval/index.js';
import type { Passage } from '../../src/features/retrieval/index.js';
import type { Eligibility, Reader } from '../../src/features/retrieval/persistence/eligibility.js';
import { current, inTenant, remove, rows, the, transaction } from './ingestion.js';

/** Compares words, as the built-in model does; vectors of two of these models do not compare. */
export class TestModel extends EmbeddingModel {
  /** Texts that were embedded for documents, in order. */
  readonly embedded: string[] = [];
  /** Questions that were embedded. */
  questions = 0;
  /** Runs within each call; may wait or throw. */
  before: (kind: EmbeddingKind, texts: readonly string[]) => Promise<void> = async () => undefined;

  constructor(readonly id: string) {
    super();
  }

  async embed(texts: readonly string[], kind: EmbeddingKind, signal?: AbortSignal): Promise<EmbeddingVector[]> {
    await this.before(kind, texts);
    signal?.throwIfAborted();
    if (kind === 'query') this.questions += texts.length;
    else this.embedded.push(...texts);
    const turn = this.id.length % 700;
    return texts.map((text) => {
      const vector = fakeEmbedding(text);
      return [...vector.slice(turn), ...vector.slice(0, turn)];
    });
  }
}

/** A passage as ingestion would cut it. */
export const passage = (text: string, index: number): NewChunk => ({
  index,
  text,
  searchText: text,
  metadata: { offset_start: 0, offset_end: text.length },
});

interface Put {
  readonly corpusId?: string;
  readonly generation?: number;
  readonly metadata?: object;
}

/** Stores a document with these passages in the way that ingestion does, without its queue and its texts. */
export async function put(documentId: string, texts: readonly string[], options: Put = {}): Promise<void> {
  const { corpusId = current.corpusId, generation = 1, metadata = {} } = options;
  await row(documentId, { corpusId, generation, metadata });
  const document = { documentId, corpusId, generation, uri: `document://${documentId}` };
  const { signal } = new AbortController();
  await inTenant(async () => {
    const corpus = await the(Corpora).get(corpusId);
    await transaction(() => the(ChunkIndex).open(document));
    await the(ChunkIndex).append(corpus, document, texts.map(passage), { guard: async () => undefined, signal });
    await transaction(() => the(ChunkIndex).show(document));
    await the(ChunkIndex).sweep(documentId);
  });
}

/** The row of a document that passages can belong to. */
export async function row(
  documentId: string,
  { corpusId = current.corpusId, generation = 1, metadata = {} }: Put = {},
  status = 'succeeded',
): Promise<void> {
  await rows(
    `INSERT INTO documents AS d (tenant_id, id, corpus_id, uri, filename, content_type, ingest_source, status,
        generation, metadata_json, content_sha256, byte_count, chunker, chunk_size_chars, chunk_overlap_chars, created_by)
     VALUES ($1, $2, $3, 'document://' || $2, 'f', 'text/plain', 'raw_text', $4, $5, $6, '', 0, 'v1', 1200, 0, 'test')
     ON CONFLICT ON CONSTRAINT pk_documents DO UPDATE
       SET generation = $5, metadata_json = $6, status = $4`,
    documentId,
    corpusId,
    status,
    generation,
    JSON.stringify(metadata),
  );
}

/** Deletes a document that `put` stored, as its owner. */
export async function takeOut(documentId: string): Promise<void> {
  await transaction(() => the(DocumentGrants).grantOwner(documentId, { subjectId: 'user-1', apiKeyId: 'key-1' }));
  await remove(documentId);
}

/** What the system may find in a corpus of so many passages. */
export const everything = (passages: number, filter?: MetadataFilter): Eligibility => ({
  reader: 'system',
  filter,
  documents: undefined,
  passages,
  exact: true,
  refused: new Set(),
});

interface Search extends Partial<SearchPlan> {
  /** The system, unless given. */
  readonly reader?: Reader;
  readonly corpusId?: string;
  readonly topK?: number;
  readonly filter?: MetadataFilter;
}

export async function search(text: string, options: Search = {}): Promise<readonly Passage[]> {
  const { corpusId = current.corpusId, topK = 10, reader = 'system', filter, ...plan } = options;
  const query = { corpusId, text, topK, reader, plan: { ...DEFAULT_SEARCH_PLAN, ...plan } };
  const found = await inTenant(() => the(LocalSearch).search(filter === undefined ? query : { ...query, filter }));
  return found.passages;
}

/** Passages that can be found, as the current corpus says. */
export async function counted(): Promise<{ chunks: number }> {
  const [index] = await rows<{ chunks: number }>(
    `SELECT chunk_count::int AS chunks FROM corpus_indexes WHERE tenant_id = $1 AND corpus_id = $2`,
    current.corpusId,
  );
  return index ?? { chunks: 0 };
}

/** Passages that a search of the current corpus can find, counted. */
export async function countable(): Promise<{ chunks: number }> {
  const [truth] = await rows<{ chunks: number }>(
    `SELECT count(*)::int AS chunks FROM chunks c
      WHERE tenant_id = $1 AND corpus_id = $2 AND NOT EXISTS (
        SELECT FROM hidden_generations h WHERE h.tenant_id = c.tenant_id AND h.document_id = c.document_id
                                           AND h.generation = c.generation)`,
    current.corpusId,
  );
  return truth ?? { chunks: 0 };
}

/** Words of the tenant's corpora whose count of passages is wrong; none, ever. Hidden passages count. */
export const miscounted = (): Promise<object[]> =>
  rows(
    `SELECT term, t.chunk_count AS counted, c.chunks
       FROM (SELECT * FROM corpus_terms WHERE tenant_id = $1 AND chunk_count <> 0) AS t
       FULL JOIN (SELECT corpus_id, split_part(l.lexeme, ':', 2) AS term, count(*)::int AS chunks
                    FROM chunks, unnest(terms) AS l (lexeme, positions, weights)
                   WHERE tenant_id = $1 GROUP BY 1, 2) AS c USING (corpus_id, term)
      WHERE t.chunk_count IS DISTINCT FROM c.chunks`,
  );

/** A point that nothing passes until it is opened. */
export function gate(): {
  readonly passed: Promise<void>;
  open: () => void;
  readonly reached: Promise<void>;
  reach: () => void;
} {
  const [passed, open] = signalled();
  const [reached, reach] = signalled();
  return { passed, open, reached, reach };
}

function signalled(): [Promise<void>, () => void] {
  let fulfil = (): void => undefined;
  const promise = new Promise<void>((resolve) => (fulfil = resolve));
  return [promise, () => fulfil()];
}
