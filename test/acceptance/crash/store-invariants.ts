import type pg from 'pg';
import type { Findings } from './findings.js';

/** Ingestion and jobs, in corpora of any tenant: nothing is under way any more. */
export const UNDER_WAY = `
  SELECT 'document' AS what, tenant_id, id, status AS state FROM documents WHERE status IN ('queued', 'processing')
  UNION ALL
  SELECT 'job ' || name, tenant_id, id, state || ' after ' || attempts || ' attempts, last error ' || coalesce(last_error, 'none')
    FROM outbox_jobs WHERE state IN ('pending', 'running')`;

const VISIBLE = `NOT EXISTS (SELECT FROM hidden_generations h
  WHERE h.tenant_id = c.tenant_id AND h.document_id = c.document_id AND h.generation = c.generation)`;

/** $1 is a corpus; null for all of them. */
const HERE = `($1::text IS NULL OR c.corpus_id = $1)`;

/** Queries for what must not be there while nothing is under way. */
const OFFENDERS: Readonly<Record<string, string>> = {
  'no chunk without its document': `
    SELECT c.tenant_id, c.document_id FROM chunks c WHERE ${HERE} AND NOT EXISTS (
      SELECT FROM documents d WHERE d.tenant_id = c.tenant_id AND d.id = c.document_id)`,
  'no vector without its chunk': `
    SELECT c.tenant_id, c.chunk_id FROM chunk_embeddings c WHERE ${HERE} AND NOT EXISTS (
      SELECT FROM chunks k WHERE k.tenant_id = c.tenant_id AND k.id = c.chunk_id)`,
  'one visible generation': `
    SELECT c.tenant_id, c.document_id FROM chunks c WHERE ${HERE} AND ${VISIBLE}
     GROUP BY c.tenant_id, c.document_id HAVING count(DISTINCT c.generation) > 1`,
  'the count of a corpus is that of its visible chunks': `
    SELECT * FROM (
      SELECT tenant_id, corpus_id, chunk_count,
             (SELECT count(*) FROM chunks c
               WHERE c.tenant_id = i.tenant_id AND c.corpus_id = i.corpus_id AND ${VISIBLE}) AS chunks
        FROM corpus_indexes i) c
     WHERE ${HERE} AND c.chunk_count <> c.chunks`,
  'the count of a word is that of the chunks that have it': `
    SELECT * FROM corpus_terms c FULL JOIN (
      SELECT tenant_id, corpus_id, split_part(t.lexeme, ':', 2) AS term, count(*) AS chunks
        FROM chunks c, unnest(c.terms) AS t (lexeme, positions, weights) WHERE ${HERE} GROUP BY 1, 2, 3
      ) held USING (tenant_id, corpus_id, term)
     WHERE ($1::text IS NULL OR corpus_id = $1) AND coalesce(c.chunk_count, 0) <> coalesce(held.chunks, 0)`,
  'every job of the history has ended': `
    SELECT tenant_id, id, document_id, status FROM ingest_jobs WHERE status IN ('queued', 'processing')`,
  'a dead job has a document that failed': `
    SELECT o.tenant_id, o.id, o.name, o.last_error FROM outbox_jobs o
     WHERE o.state = 'dead' AND NOT EXISTS (
       SELECT FROM ingest_jobs i WHERE i.tenant_id = o.tenant_id AND i.id = o.id AND i.status = 'failed')
       AND (o.name <> 'ingest' OR EXISTS (
         SELECT FROM documents d WHERE d.tenant_id = o.tenant_id AND d.id = o.payload ->> 'documentId'
            AND d.created_at <= o.created_at))`,
  'no removal of a text is forgotten': `SELECT tenant_id, storage_key FROM document_source_removals`,
  'messages are numbered without gaps': `
    SELECT s.tenant_id, s.id, s.next_seq, count(m.id) AS messages, max(m.seq) AS last
      FROM sessions s LEFT JOIN messages m
        ON m.tenant_id = s.tenant_id AND m.subject_id = s.subject_id AND m.session_id = s.id
     GROUP BY s.tenant_id, s.subject_id, s.id, s.next_seq
    HAVING count(m.id) <> s.next_seq - 1 OR coalesce(max(m.seq), 0) <> s.next_seq - 1 OR coalesce(min(m.seq), 1) <> 1`,
  'a run has at most one question and one answer': `
    SELECT tenant_id, run_id, role, count(*) FROM messages GROUP BY tenant_id, run_id, role HAVING count(*) > 1`,
};

/** @param corpus whose chunks are looked at; null for every one. */
export async function checkStore(db: pg.Pool, corpus: string | null, findings: Findings): Promise<void> {
  for (const [invariant, query] of Object.entries(OFFENDERS)) {
    findings.none((await db.query(query, query.includes('$1') ? [corpus] : [])).rows, invariant);
  }
}
