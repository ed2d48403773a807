import type pg from 'pg';
import type { Cluster } from './cluster.js';
import type { DocumentStory, Version } from './documents.js';
import type { Findings } from './findings.js';

interface StoredDocument {
  readonly status: string;
  readonly failure_code: string | null;
  readonly generation: number;
  readonly num_chunks: number | null;
  readonly job_state: string | null;
  readonly job_attempts: number | null;
  readonly history: string | null;
}

interface StoredChunk {
  readonly generation: number;
  readonly chunk_index: number;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly vectors: number;
}

const MAX_ATTEMPTS = 3;

/** What the database and the API say about a document, against what its client was told. */
export async function checkDocument(
  story: DocumentStory,
  db: pg.Pool,
  cluster: Cluster,
  findings: Findings,
): Promise<void> {
  const { id } = story;
  const key = [story.client.tenant, id];
  const document = await first<StoredDocument>(db, DOCUMENT, key);
  const chunks = (await db.query<StoredChunk>(CHUNKS, key)).rows;
  const found = versionOf(chunks, story.versions);
  if (document === undefined) {
    findings.demand(story.possible.has(null), 'an accepted document exists', { id });
    findings.demand(chunks.length === 0, 'no chunk without its document', { id, chunks: chunks.length });
  } else {
    const facts = { id, ...document, chunks: chunks.length, found: found?.word };
    findings.count(
      `documents at the end: ${document.status}${document.failure_code === null ? '' : ` (${document.failure_code})`}`,
    );
    findings.demand(['succeeded', 'failed'].includes(document.status), 'no document is stuck', facts);
    findings.demand(document.history === document.status, 'the last ingest job tells the same as the document', facts);
    findings.demand(new Set(chunks.map(({ generation }) => generation)).size <= 1, 'one visible generation', facts);
    findings.demand(
      chunks.every(({ vectors }) => vectors === 1),
      'one vector of the model of the corpus for each chunk',
      facts,
    );
    findings.demand(
      chunks.length === 0 || (found !== undefined && isWhole(chunks, found)),
      'chunks are those of one text, complete and in order',
      facts,
    );
    if (document.status === 'succeeded') checkSucceeded(document, chunks, found, story, findings, facts);
    else checkFailed(document, cluster, findings, facts);
    await checkContent(story, found, document, findings);
  }
  await checkSearch(story, found, findings);
}

function checkSucceeded(
  document: StoredDocument,
  chunks: readonly StoredChunk[],
  found: Version | undefined,
  { possible }: DocumentStory,
  findings: Findings,
  facts: object,
): void {
  findings.demand(document.num_chunks === chunks.length, 'num_chunks is the number of chunks', facts);
  findings.demand(
    chunks.every(({ generation }) => generation === document.generation),
    'the latest generation is visible',
    facts,
  );
  findings.demand(found !== undefined && possible.has(found), 'the last acknowledged content is searchable', {
    ...facts,
    possible: [...possible].map((version) => version?.word ?? null),
  });
}

/** Attempts are used up by workers that died and services that were away; a queue that was away refuses at once. */
function checkFailed(document: StoredDocument, { outages }: Cluster, findings: Findings, facts: object): void {
  const { failure_code: code, job_attempts: attempts, job_state: state } = document;
  const refused = code === 'QUEUE_ERROR' && outages.redis > 0;
  const usedUp = code !== null && state === 'dead' && (attempts ?? 0) >= MAX_ATTEMPTS;
  findings.demand(refused || usedUp, 'a fault explains that a document failed', facts);
}

/** The text itself must be there as long as the document is. */
async function checkContent(
  { client, id, possible }: DocumentStory,
  found: Version | undefined,
  { status }: StoredDocument,
  findings: Findings,
): Promise<void> {
  const reply = await client.call('GET', `/v1/documents/${id}/content`);
  const text = reply.body?.data?.text as string | undefined;
  const expected = status === 'succeeded' ? [found] : [...possible];
  const known = expected.some(
    (version) => version != null && text !== undefined && version.text.startsWith(text.slice(0, 90_000)),
  );
  findings.demand(reply.status === 200 && known, 'the stored text is the accepted one', {
    id,
    status: reply.status,
    text: text?.slice(0, 60),
    body: text === undefined ? reply.body : undefined,
  });
}

/** A word of the searchable text finds its document only; words of other texts that were sent find nothing. */
async function checkSearch(
  { client, corpus, id, versions }: DocumentStory,
  found: Version | undefined,
  findings: Findings,
): Promise<void> {
  for (const version of versions.slice(-4)) {
    const { body } = await client.call('GET', `/v1/corpora/${corpus}/search?q=${version.word}&top_k=5`);
    const items = (body?.data?.items ?? []) as { document_id: string; text: string }[];
    const hits = items.filter(({ text }) => text.includes(version.word));
    const facts = {
      id,
      word: version.word,
      hits: hits.length,
      items: items.length,
      body: body?.data === undefined ? body : undefined,
    };
    findings.demand(hits.length > 0 === (version === found), 'searches find the current text only', facts);
    findings.demand(
      hits.every((hit) => hit.document_id === id),
      'searches find a text under its own document',
      facts,
    );
  }
}

/** The only version whose word is in every chunk. */
function versionOf(chunks: readonly StoredChunk[], versions: readonly Version[]): Version | undefined {
  if (chunks.length === 0) return undefined;
  return versions.find(({ word }) => chunks.every(({ text }) => text.includes(word)));
}

/** Whether the chunks are numbered from 0 without gaps and together hold every word of the text. */
function isWhole(chunks: readonly StoredChunk[], { text }: Version): boolean {
  let covered = 0;
  for (const [at, chunk] of chunks.entries()) {
    const gap = text.slice(covered, chunk.from);
    if (chunk.chunk_index !== at || gap.trim() !== '' || text.slice(chunk.from, chunk.to) !== chunk.text) return false;
    covered = Math.max(covered, chunk.to);
  }
  return text.slice(covered).trim() === '';
}

async function first<T extends pg.QueryResultRow>(db: pg.Pool, sql: string, values: unknown[]): Promise<T | undefined> {
  return (await db.query<T>(sql, values)).rows[0];
}

const DOCUMENT = `
  SELECT d.status, d.failure_code, d.generation, d.num_chunks, o.state AS job_state, o.attempts AS job_attempts,
         i.status AS history
    FROM documents d
    LEFT JOIN outbox_jobs o ON o.tenant_id = d.tenant_id AND o.id = d.last_job_id
    LEFT JOIN ingest_jobs i ON i.tenant_id = d.tenant_id AND i.id = d.last_job_id
   WHERE d.tenant_id = $1 AND d.id = $2`;

/** What searches may find of a document. */
const CHUNKS = `
  SELECT c.generation, c.chunk_index, c.text, (c.metadata_json ->> 'offset_start')::int AS "from",
         (c.metadata_json ->> 'offset_end')::int AS "to",
         (SELECT count(*) FROM chunk_embeddings e JOIN corpus_indexes x
             ON x.tenant_id = c.tenant_id AND x.corpus_id = c.corpus_id AND x.embedding_model = e.embedding_model
           WHERE e.tenant_id = c.tenant_id AND e.chunk_id = c.id)::int AS vectors
    FROM chunks c
   WHERE c.tenant_id = $1 AND c.document_id = $2 AND NOT EXISTS (
     SELECT FROM hidden_generations h
      WHERE h.tenant_id = c.tenant_id AND h.document_id = c.document_id AND h.generation = c.generation)
   ORDER BY c.generation, c.chunk_index`;
